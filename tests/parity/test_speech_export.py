"""From a Whisper checkpoint to a speech pack: ONNX Runtime computes what torch computes, and the engine runs it."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
onnx = pytest.importorskip("onnx", reason="needs the export extra")

import onnxruntime as ort

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack, read_pack, verify_files
from engine.results import Progress
from engine.runtime.speech_model import SpeechModel
from export import build_speech as builder
from export.build_pack import build
from export.packing import Format
from export.recipe import Recipe
from tests import tiny_whisper
from tests.tiny_whisper import ALIGNMENT_HEADS, TINY, VOCABULARY

# torch's own, at every tracing
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:# The axis name"
)

FP32, INT8 = Format("fp32", "cpu", "int8"), Format("int8", "cpu", "int8")
LAYERS = range(TINY.decoder_layers)
HEADS = [(layer, head) for layer, head in ALIGNMENT_HEADS]
IDS = np.random.default_rng(5).integers(0, len(VOCABULARY), (2, 40))
# Root mean square and largest distance of the logits from fp32's, in their standard deviations. Random weights in matrices
# this small are the hardest to round.
MEAN_SHARE, MOST_SHARE = 0.03, 0.15


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper.write_hf_folder(tmp_path_factory.mktemp("测试 ü") / "tiny")


def built(checkpoint: Path, folder: Path, form: Format = INT8) -> Pack:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    *progress, last = build(Recipe("tiny", form, checkpoint=checkpoint), folder, Cancel())
    assert last == folder and progress
    assert all(isinstance(item, Progress) for item in progress)
    return read_pack(folder)


@pytest.fixture(scope="module")
def fp32(checkpoint: Path) -> Pack:
    return built(checkpoint, checkpoint.parent / "fp32", FP32)


@pytest.fixture(scope="module")
def int8(checkpoint: Path) -> Pack:
    return built(checkpoint, checkpoint.parent / "int8", INT8)


@pytest.fixture(scope="module")
def reference() -> Any:
    return tiny_whisper.whisper_model()


def mel(frames: int, batch: int = 1) -> np.ndarray:
    return np.random.default_rng(frames).normal(0, 1, (batch, TINY.mels, frames)).astype(np.float32)


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def cross_of(pack: Pack, sound: np.ndarray) -> dict[str, np.ndarray]:
    """Keys and values by the names under which the decoder takes them."""
    encoder = session(pack.encoder_path)
    names = [output.name for output in encoder.get_outputs()]
    found = encoder.run(names, {"audio_features": sound})
    return {
        name.replace("present", "past"): np.asarray(value) for name, value in zip(names, found, strict=True)
    }


class Writer:
    """The decoder with buffers for some rows, which all hear the same sound."""

    def __init__(self, pack: Pack, cross: dict[str, np.ndarray], rows: int = 1) -> None:
        self.decoder = session(pack.model_path)
        self.done = 0
        self.binding = self.decoder.io_binding()
        for name, value in cross.items():
            self.binding.bind_cpu_input(name, value)
        shape = (rows, TINY.heads, TINY.text_context_tokens, TINY.head_size)
        self.buffers = []
        for layer in LAYERS:
            for part in ("key", "value"):
                buffer = ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))
                self.binding.bind_ortvalue_input(f"past_{part}_self_{layer}", buffer)
                self.binding.bind_ortvalue_output(f"present_{part}_self_{layer}", buffer)
                self.buffers.append(buffer)

    def step(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits after the last token [B, V], and where the alignment heads looked [B, A, T, S]."""
        self.binding.bind_cpu_input("input_ids", ids.astype(np.int32))
        self.binding.bind_cpu_input("past_sequence_length", np.array([self.done], np.int32))
        self.binding.bind_output("logits")
        self.binding.bind_output("cross_weights")
        self.decoder.run_with_iobinding(self.binding)
        self.done += ids.shape[1]
        logits, weights = (value.numpy() for value in self.binding.get_outputs()[-2:])
        assert logits.shape == (len(ids), 1, TINY.vocab_size) and logits.dtype == np.float32
        return logits[:, 0], weights


@torch.no_grad()
def expected(reference: Any, sound: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """torch without a cache: logits after every token [B, T, V], weights [B, A, T, S]."""
    cross = reference.decoder.cross_keys_values(reference.encoder(torch.from_numpy(sound)))
    cross = tuple(tuple(part.expand(len(ids), -1, -1, -1) for part in pair) for pair in cross)
    logits, _, weights = reference.decoder.aligned(torch.from_numpy(ids), None, cross, HEADS)
    return logits.numpy(), weights.numpy()


@pytest.mark.parametrize(("frames", "batch"), [(3000, 1), (200, 1), (4, 1), (802, 1), (200, 2)])
def test_the_encoder_equals_torch(fp32: Pack, reference: Any, frames: int, batch: int) -> None:
    sound = mel(frames, batch)
    found = cross_of(fp32, sound)
    with torch.no_grad():
        wanted = reference.decoder.cross_keys_values(reference.encoder(torch.from_numpy(sound)))
    assert len(found) == 2 * len(LAYERS)
    for layer, (keys, values) in enumerate(wanted):
        scaled = (
            (keys * TINY.head_size**-0.5).transpose(-1, -2).numpy()
        )  # [B,H,D,S], as the decoder wants them
        assert scaled.std() > 0.01 and found[f"past_key_cross_{layer}"].shape[-1] == frames // 2
        assert np.abs(found[f"past_key_cross_{layer}"] - scaled).max() < 1e-4
        assert np.abs(found[f"past_value_cross_{layer}"] - values.numpy()).max() < 1e-4


@pytest.mark.parametrize("frames", [3000, 200])
@pytest.mark.parametrize(
    ("rows", "pieces"),
    # Two rows go on by single tokens only: the operator knows nothing else.
    [(1, [40]), (2, [40]), (1, [3, *[1] * 37]), (2, [3, *[1] * 37]), (1, [4, 1, 1, 20, 14])],
    ids=["at once", "two at once", "steps", "two by steps", "mixed"],
)
def test_the_decoder_equals_torch(
    fp32: Pack, reference: Any, frames: int, rows: int, pieces: list[int]
) -> None:
    """Logits and weights at every step, with the cache in place; two texts about the one sound side by side."""
    sound, ids = mel(frames), IDS[:rows]
    wanted, looks = expected(reference, sound, ids)
    assert wanted.std() > 0.1  # a model that says something
    writer = Writer(fp32, cross_of(fp32, sound), rows)
    done = 0
    for piece in pieces:
        logits, weights = writer.step(ids[:, done : done + piece])
        done += piece
        assert np.abs(logits - wanted[:, done - 1]).max() < 1e-4
        assert weights.shape == (rows, len(HEADS), piece, frames // 2)
        assert np.abs(weights - looks[:, :, done - piece : done]).max() < 1e-4
        assert np.abs(weights.sum(axis=-1) - 1).max() < 1e-4


def test_going_back_in_the_cache(fp32: Pack, reference: Any) -> None:
    """Another try begins after the prompt; what stood there before does not matter."""
    sound = mel(200)
    writer = Writer(fp32, cross_of(fp32, sound))
    writer.step(IDS[:1])
    writer.done = 4
    other = np.concatenate((IDS[:1, :4], IDS[1:, :9]), axis=1)
    logits, _ = writer.step(other[:, 4:])
    assert np.abs(logits - expected(reference, sound, other)[0][:, -1]).max() < 1e-4


def test_the_whole_context(fp32: Pack, reference: Any) -> None:
    ids = np.random.default_rng(6).integers(0, len(VOCABULARY), (1, TINY.text_context_tokens))
    sound = mel(200)
    logits, _ = Writer(fp32, cross_of(fp32, sound)).step(ids)
    assert np.abs(logits - expected(reference, sound, ids)[0][:, -1]).max() < 1e-4


def test_in_8_bits_it_stays_near(int8: Pack, reference: Any) -> None:
    for frames in (3000, 200):
        sound, ids = mel(frames), IDS[:1]
        wanted, looks = expected(reference, sound, ids)
        writer = Writer(int8, cross_of(int8, sound))
        found, weights = [], []
        for at in range(ids.shape[1]):
            logits, looked = writer.step(ids[:, at : at + 1])
            found.append(logits)
            weights.append(looked)
        difference = np.abs(np.stack(found, axis=1) - wanted) / wanted.std()
        assert np.sqrt((difference**2).mean()) < MEAN_SHARE
        assert difference.max() < MOST_SHARE
        assert np.abs(np.concatenate(weights, axis=2) - looks).max() < 0.1


def operators(path: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in onnx.load(path, load_external_data=False).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def test_which_operators(int8: Pack, fp32: Pack) -> None:
    encoder, decoder = operators(int8.encoder_path), operators(int8.model_path)
    layers = TINY.encoder_layers
    assert encoder["MultiHeadAttention"] == layers and decoder["GroupQueryAttention"] == len(LAYERS)
    assert encoder["MatMulNBits"] == layers  # the second matrix of each feed-forward layer
    assert encoder["DynamicQuantizeMatMul"] == 3 * layers + len(LAYERS)
    assert decoder["MatMulNBits"] == 6 * len(LAYERS) + 1 and decoder["GatherBlockQuantized"] == 1
    assert not {"MatMulNBits", "DynamicQuantizeMatMul"} & {
        *operators(fp32.encoder_path),
        *operators(fp32.model_path),
    }
    assert int8.size_bytes < 0.6 * fp32.size_bytes


@pytest.mark.parametrize("form", ["fp32", "int8"])
def test_nothing_of_this_machine_is_in_the_graphs(form: str, request: pytest.FixtureRequest) -> None:
    """torch notes on every node where in which file it was traced."""
    pack: Pack = request.getfixturevalue(form)
    here, torch_folder = Path(__file__).resolve().parents[2], Path(torch.__file__).parents[1]
    for path in (pack.encoder_path, pack.model_path):
        onnx.checker.check_model(str(path))
        raw = path.read_bytes()
        for trace in (str(here), str(torch_folder), "site-packages", 'File "', ".py", "stack_trace"):
            assert trace.encode() not in raw, trace
        assert len(raw) < 60_000
    for name in ("genai_config.json", "generation_config.json", "pack.json"):
        assert str(pack.folder.parent) not in (pack.folder / name).read_text("utf-8")


def test_a_pack_that_the_engine_runs(int8: Pack, reference: Any) -> None:
    assert (int8.kind, int8.quantisation, int8.context_tokens) == ("speech", "int8", 448)
    assert {file.name for file in int8.files} == {
        *("decoder.onnx", "decoder.onnx.data", "encoder.onnx", "encoder.onnx.data"),
        *("generation_config.json", "genai_config.json", "tokenizer.json"),
    }
    list(verify_files(int8, Cancel()))  # the hashes are theirs
    assert int8.parameters == TINY.parameters and int8.memory_bytes > int8.size_bytes
    model = SpeechModel.open(int8, "cpu", threads=1)
    try:
        assert model.languages == ("en", "zh") and model.mel_bins == 80 and model.provider == "CPU"
        assert model.notices == ()
    finally:
        model.close()


def test_the_engine_reads_what_torch_computes(fp32: Pack, reference: Any) -> None:
    """The model's own steps: hear, read, go back, look, and rows side by side."""
    sound = mel(400)
    wanted, looks = expected(reference, sound, IDS)
    model = SpeechModel.open(fp32, "cpu", threads=1)
    try:
        cancel = Cancel()
        model.hear(sound[0], cancel)
        for at, token_id in enumerate(IDS[0, :10].tolist()):
            assert np.abs(model.read([token_id], cancel) - wanted[0, at]).max() < 1e-4
        model.rewind(3)
        assert np.abs(model.read(IDS[0, 3:30].tolist(), cancel) - wanted[0, 29]).max() < 1e-4
        model.rewind()
        assert np.abs(model.attention(IDS[0].tolist(), cancel) - looks[0]).max() < 1e-4
        with pytest.raises(ValueError, match="longer than"):
            model.read([1] * 410, cancel)
        model.rewind()
        model.hear(mel(200)[0], cancel)
        again = expected(reference, mel(200), IDS[:1])[0]
        assert np.abs(model.read(IDS[0, :5].tolist(), cancel) - again[0, 4]).max() < 1e-4
    finally:
        model.close()
    with pytest.raises(EngineError, match="is closed"):
        model.read([1], Cancel())


def test_rows_side_by_side(fp32: Pack, reference: Any) -> None:
    """Rows go on from the same beginning with texts of their own, and take over each other's."""
    sound = mel(200)
    begin = IDS[0, :4].tolist()
    model = SpeechModel.open(fp32, "cpu", threads=1)
    try:
        cancel = Cancel()
        assert model.can_branch
        model.hear(sound[0], cancel)
        single = model.read(begin, cancel).copy()
        model.branch(3)
        texts = [[5], [6], [7]]
        found = [model.read_rows([5, 6, 7], [0, 0, 0], cancel).copy()]
        for parents, ids in (([2, 0, 0], [8, 9, 10]), ([0, 2, 1], [11, 12, 13])):
            texts = [[*texts[parent], id_] for parent, id_ in zip(parents, ids, strict=True)]
            found.append(model.read_rows(ids, parents, cancel).copy())
        wanted = expected(reference, sound, np.array([[*begin, *text] for text in texts]))[0]
        assert np.abs(found[-1] - wanted[:, -1]).max() < 1e-4
        model.rewind(4)  # the single text is as it was
        assert np.abs(model.read([5], cancel) - found[0][0]).max() < 1e-4
        model.rewind(3)
        assert np.abs(model.read(begin[3:], cancel) - single).max() < 1e-4
    finally:
        model.close()


@pytest.mark.parametrize(
    ("precision", "device"), [("int4", "cpu"), ("fp16", "cpu"), ("fp16", "cuda"), ("int8", "cuda")]
)
def test_what_a_speech_model_cannot_be_stored_in(
    precision: Any, device: Any, checkpoint: Path, tmp_path: Path
) -> None:
    recipe = Recipe("tiny", Format(precision, device, "int8"), checkpoint=checkpoint)
    with pytest.raises(EngineError, match=f"cannot be built in {precision} for {device}") as caught:
        list(build(recipe, tmp_path / "pack", Cancel()))
    assert "\n" not in str(caught.value) and "--precision int8 or fp32" in caught.value.hint
    assert not (tmp_path / "pack").exists()


def test_cancelled_at_every_step(checkpoint: Path, tmp_path: Path) -> None:
    for steps in range(5):
        cancel, folder = Cancel(), tmp_path / f"pack {steps}"
        running = build(Recipe("tiny", FP32, checkpoint=checkpoint), folder, cancel)
        for _ in range(steps):
            next(running)
        cancel.set()
        assert not [item for item in running if isinstance(item, Path)]
        assert not (folder / "pack.json").exists()


def test_the_disk_is_full(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
        with pytest.raises(EngineError, match="The disk is too full"):
            built(checkpoint, tmp_path / "pack")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(builder, "export_encoder", full)
    with pytest.raises(EngineError, match=r"cannot be written to .*No space left"):
        built(checkpoint, tmp_path / "pack")


def test_errors_leave_nothing_behind(
    checkpoint: Path, pollux_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program: one line on standard error, no packs, no staging folders."""
    from export.__main__ import main

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(path.name for path in checkpoint.parent.iterdir())
    broken = pollux_home / "broken"
    shutil.copytree(checkpoint, broken)
    (broken / "tokenizer.json").write_text("{}", "utf-8")
    monkeypatch.setattr(builder, "export_decoder", full)
    for arguments in (
        [str(checkpoint)],
        [str(checkpoint), "--precision", "int4"],
        [str(broken)],
        [str(checkpoint), "--output", str(pollux_home / "out")],
    ):
        assert main(["build", *arguments]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert [line for line in lines if not line.endswith("%")] == [lines[-1]]
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == before
    assert not (pollux_home / "out").exists()
    left = [path for path in pollux_home.rglob("*") if broken not in (path, *path.parents)]
    assert [path for path in left if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(
    ("hidden_size", "heads", "form", "problem"),
    [
        (72, 9, INT8, "hidden size of 72 cannot be stored in 8 bits"),
        (72, 4, FP32, "heads of 18 numbers cannot be run"),
    ],
)
def test_sizes_that_have_no_operator(
    hidden_size: int, heads: int, form: Format, problem: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(TINY, hidden_size=hidden_size, heads=heads)
    folder = tiny_whisper.write_hf_folder(tmp_path / "odd", config, tiny_whisper.random_tensors(config))
    with pytest.raises(EngineError, match=problem):
        built(folder, tmp_path / "pack", form)
    assert not (tmp_path / "pack").exists()


def test_what_the_engine_must_know(fp32: Pack) -> None:
    values = json.loads((fp32.folder / "generation_config.json").read_text("utf-8"))
    assert values["alignment_heads"] == ALIGNMENT_HEADS and values["num_mel_bins"] == TINY.mels
    assert values["suppress_tokens"] == tiny_whisper.SUPPRESSED
    genai = json.loads((fp32.folder / "genai_config.json").read_text("utf-8"))
    assert genai["model"]["type"] == "whisper" and genai["search"]["past_present_share_buffer"] is True
    assert genai["model"]["decoder_start_token_id"] == VOCABULARY.index("<|startoftranscript|>")
