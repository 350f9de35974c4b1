"""From a checkpoint to a graph: what ONNX Runtime computes is what torch computes, and what the file holds."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
onnx = pytest.importorskip("onnx", reason="needs the export extra")

import onnxruntime as ort

from engine.errors import EngineError
from export.checkpoints.load import load_language, open_language
from export.config import LanguageConfig
from export.nn.language import LanguageModel
from export.onnx_graph import MODEL_FILE, WEIGHTS_FILE, DecoderGraph, export_graph
from export.packing import Format, packed_model
from tests import tiny

# torch's own, at every tracing
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:# The axis name")

FORMATS = {
    "int4": Format("int4", "cpu"),
    "int8": Format("int8", "cpu"),
    "fp32": Format("fp32", "cpu"),
    "int4-cuda": Format("int4", "cuda"),
    "fp16": Format("fp16", "cuda"),  # the same graph as for the CPU
}
# Root mean square of the logits' distance from fp32's, as a share of their standard deviation. Random weights in
# matrices this small are the hardest to round; what real ones lose is in pack.json, as perplexity.
SHARES = {"int4": 0.45, "int8": 0.06, "fp16": 0.005, "fp32": 1e-4}
IDS = np.random.default_rng(5).integers(0, 288, 60).tolist()


class Runner:
    """One session with fixed buffers for a batch: enough to ask for any piece of any prompt."""

    def __init__(self, folder: Path, config: LanguageConfig, batch: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(
            str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        half = any(given.type == "tensor(float16)" for given in self.session.get_inputs())
        shape = (batch, config.kv_heads, config.context_tokens, config.head_size)
        self.past = {
            f"{layer}.{part}": ort.OrtValue.ortvalue_from_numpy(
                np.zeros(shape, np.float16 if half else np.float32)
            )
            for layer in range(config.layers)
            for part in ("key", "value")
        }

    def step(self, rows: list[list[int]], mask: np.ndarray) -> np.ndarray:
        """-> logits after the last token of every row, [B,V]."""
        binding = self.session.io_binding()
        binding.bind_cpu_input("input_ids", np.array(rows, np.int64))
        binding.bind_cpu_input("attention_mask", mask.astype(np.int64))
        binding.bind_output("logits", "cpu")
        for name, buffer in self.past.items():
            binding.bind_ortvalue_input(f"past_key_values.{name}", buffer)
            binding.bind_ortvalue_output(f"present.{name}", buffer)
        self.session.run_with_iobinding(binding)
        logits = binding.get_outputs()[0].numpy()
        assert logits.dtype == np.float32
        assert logits.shape[:2] == (len(rows), 1)
        return logits[:, 0]

    def read(self, ids: list[int], pieces: list[int]) -> np.ndarray:
        """-> logits after ``ids``, read in pieces of the given lengths, [V]."""
        done, logits = 0, np.empty((1, 0))
        for length in pieces:
            logits = self.step([ids[done : done + length]], np.ones((1, done + length)))
            done += length
        assert done == len(ids)
        return logits[0]


def export(config: LanguageConfig, form: Format, folder: Path, **formats: str) -> Path:
    """A random checkpoint of ``config``, through packing, as ``model.onnx`` in ``folder``."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    folder.mkdir(parents=True)
    file = tiny.write_gguf(
        folder.parent / f"{folder.name}.gguf", config, tiny.random_tensors(config), formats=formats
    )
    *_, model = packed_model(open_language(file), form)
    assert isinstance(model, LanguageModel)
    export_graph(DecoderGraph(model, form.dtype), form.dtype, folder)
    return folder


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Every family in fp32, and the formats of the first; made when first asked for."""
    root = tmp_path_factory.mktemp("测试 ü")

    class Made(dict[tuple[str, str], Path]):
        def __missing__(self, key: tuple[str, str]) -> Path:
            family, form = key
            self[key] = export(tiny.FAMILIES[family], FORMATS[form], root / f"{family} {form}")
            return self[key]

    return Made()


Packs = dict[tuple[str, str], Path]


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Of logits, in their own standard deviations."""
    return float(np.sqrt(((found - wanted) ** 2).mean()) / wanted.std())


def expected(family: str, rows: list[list[int]]) -> np.ndarray:
    """torch in fp32, [B,V]."""
    with torch.inference_mode():
        return tiny.language_model(tiny.FAMILIES[family])(torch.tensor(rows))[0][:, -1].numpy()


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_torch_equals_onnx_runtime(packs: Packs, family: str) -> None:
    config = tiny.FAMILIES[family]
    logits = Runner(packs[family, "fp32"], config).read(IDS, [len(IDS)])
    assert logits.std() > 0.1  # a model that says something
    assert np.abs(logits - expected(family, [IDS])[0]).max() < 1e-4


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("pieces", [[32, 28], [1] * 60, [7, 1, 1, 50, 1]], ids=["chunks", "single", "mixed"])
def test_cached_equals_uncached(packs: Packs, family: str, pieces: list[int]) -> None:
    config = tiny.FAMILIES[family]
    logits = Runner(packs[family, "fp32"], config).read(IDS, pieces)
    assert np.abs(logits - expected(family, [IDS])[0]).max() < 1e-4


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_going_back_in_the_cache(packs: Packs, family: str) -> None:
    """What stands in the buffers behind the tokens that the mask counts is never looked at."""
    runner = Runner(packs[family, "fp32"], tiny.FAMILIES[family])
    runner.read(IDS, [60])
    again = runner.step([IDS[20:30]], np.ones((1, 30)))[0]
    assert np.abs(again - expected(family, [IDS[:30]])[0]).max() < 1e-4


def test_the_whole_context(packs: Packs) -> None:
    ids = np.random.default_rng(6).integers(0, 288, tiny.LLAMA.context_tokens).tolist()
    logits = Runner(packs["llama", "fp32"], tiny.LLAMA).read(ids, [100, 28])
    assert np.abs(logits - expected("llama", [ids])[0]).max() < 1e-4


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_batch_of_two(packs: Packs, family: str) -> None:
    rows = [IDS[:30], IDS[30:]]
    runner = Runner(packs[family, "fp32"], tiny.FAMILIES[family], batch=2)
    logits = runner.step(rows, np.ones((2, 30)))
    assert np.abs(logits - expected(family, rows)).max() < 1e-4
    logits = runner.step([[1], [2]], np.ones((2, 31)))
    assert np.abs(logits - expected(family, [[*rows[0], 1], [*rows[1], 2]])).max() < 1e-4


@pytest.mark.parametrize("form", ["int4", "int8", "fp16"])
def test_quantised_stays_near(packs: Packs, form: str) -> None:
    expected_logits = expected("llama", [IDS])[0]
    runner = Runner(packs["llama", form], tiny.LLAMA)
    whole = runner.read(IDS, [60])
    assert distance(whole, expected_logits) < SHARES[form]
    assert distance(runner.read(IDS, [20, 39, 1]), whole) < SHARES["fp16"]


def test_a_quantised_file_loses_nothing_more(tmp_path: Path) -> None:
    """Against torch with the file's own weights, only the 8-bit activations are left as a difference."""
    formats = {"attention.output.weight": "Q4_0", "embedding.weight": "Q8_0", "down.weight": "Q8_0"}
    formats |= {f"{part}.weight": "Q4_1" for part in ("q", "k", "v", "gate", "up")}
    folder = export(tiny.LLAMA, FORMATS["int4"], tmp_path / "mixed", **formats)
    with torch.inference_mode():
        model = load_language(open_language(tmp_path / "mixed.gguf"))
        wanted = model(torch.tensor([IDS]))[0][0, -1].numpy()
    assert distance(Runner(folder, tiny.LLAMA).read(IDS, [60]), wanted) < 0.04


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_loads_and_answers(packs: Packs, form: str) -> None:
    """CUDA's graphs too: the CPU has the same operators."""
    folder = packs["llama", form]
    onnx.checker.check_model(str(folder / MODEL_FILE))
    logits = Runner(folder, tiny.LLAMA).read(IDS[:20], [20])
    assert np.isfinite(logits).all()
    assert distance(logits, expected("llama", [IDS[:20]])[0]) < SHARES[FORMATS[form].precision]


@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_int4_of_the_other_families(packs: Packs, family: str) -> None:
    logits = Runner(packs[family, "int4"], tiny.FAMILIES[family]).read(IDS, [60])
    assert distance(logits, expected(family, [IDS])[0]) < SHARES["int4"]


def tables(folder: Path, config: LanguageConfig) -> list[Any]:
    """The initialisers of the size of the vocabulary's table, whatever their shape."""
    graph = onnx.load(folder / MODEL_FILE, load_external_data=False).graph
    return [i for i in graph.initializer if np.prod(i.dims) == config.vocab_size * config.hidden_size]


def places(tensors: list[Any]) -> set[str]:
    """Where their bytes lie in the weights file."""
    return {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "offset"}


@pytest.mark.parametrize("form", ["int4", "int8", "fp32", "int4-cuda"])
def test_head_and_embedding_are_one_table(packs: Packs, form: str) -> None:
    found = tables(packs["llama", form], tiny.LLAMA)
    # With whole numbers there are two shapes, over the very same bytes.
    assert len(found) == (1 if form == "fp32" else 2)
    assert len(places(found)) == 1
    graph = onnx.load(packs["llama", form] / MODEL_FILE, load_external_data=False).graph
    names = {tensor.name for tensor in found}
    assert sum(bool(names & set(node.input)) for node in graph.node) == 2


def test_an_untied_head_is_another_table(packs: Packs) -> None:
    found = tables(packs["qwen2", "int4"], tiny.QWEN2)
    assert len(found) == len(places(found)) == 2


def test_tables_quantised_apart_become_one_again(tmp_path: Path) -> None:
    """Qwen's files: one matrix, stored once in six bits for the head and once in four for the embedding."""
    config = dataclasses.replace(tiny.LLAMA, tied_head=False)
    tensors = tiny.random_tensors(config)
    tensors["head.weight"] = tensors["embedding.weight"]
    formats = {"embedding.weight": "Q4_1", "head.weight": "Q8_0"}
    file = tiny.write_gguf(tmp_path / "m.gguf", config, tensors, formats=formats)
    *_, model = packed_model(open_language(file), FORMATS["int4"])
    assert isinstance(model, LanguageModel)
    assert getattr(model.embedding, "table") is model.head  # noqa: B009 - a PackedEmbedding by now


def test_weights_lie_beside_the_graph(packs: Packs) -> None:
    folder = packs["llama", "fp32"]
    assert {path.name for path in folder.iterdir()} == {MODEL_FILE, WEIGHTS_FILE}
    graph = onnx.load(folder / MODEL_FILE, load_external_data=False).graph
    places = {entry.value for i in graph.initializer for entry in i.external_data if entry.key == "location"}
    assert places == {WEIGHTS_FILE}
    # The parameters once (the tied table too), the rotary tables, and what aligning costs.
    parameters = 4 * sum(p.numel() for p in tiny.language_model(tiny.LLAMA).parameters())
    rotary = 4 * 2 * tiny.LLAMA.context_tokens * tiny.LLAMA.head_size // 2
    size = sum((folder / name).stat().st_size for name in (MODEL_FILE, WEIGHTS_FILE))
    assert parameters <= size < parameters + rotary + 60_000


@pytest.mark.parametrize("form", ["int4", "fp32"])
def test_nothing_of_this_machine_is_in_the_graph(packs: Packs, form: str) -> None:
    """torch notes on every node where in which file it was traced."""
    raw = (packs["llama", form] / MODEL_FILE).read_bytes()
    here = Path(__file__).resolve().parents[2]
    torch_folder = Path(torch.__file__).parents[1]
    for trace in (str(here), str(torch_folder), "site-packages", 'File "', ".py", "stack_trace"):
        assert trace.encode() not in raw, trace
    assert len(raw) < 40_000


def test_cpu_reads_8_bit_activations_and_cuda_does_not(packs: Packs) -> None:
    for form, level in (("int4", 4), ("int4-cuda", 0)):
        graph = onnx.load(packs["llama", form] / MODEL_FILE, load_external_data=False).graph
        nodes = [node for node in graph.node if node.op_type == "MatMulNBits"]
        assert len(nodes) == 4 * tiny.LLAMA.layers + 1
        for node in nodes:
            levels = [a.i for a in node.attribute if a.name == "accuracy_level"]
            assert (levels or [0]) == [level]


def test_rows_that_are_no_multiple_of_32(tmp_path: Path) -> None:
    """What has no whole 4-bit blocks is stored in 8 bits, the last block padded."""
    config = dataclasses.replace(tiny.LLAMA, hidden_size=80, intermediate_size=104)
    folder = export(config, FORMATS["int4"], tmp_path / "odd")
    with torch.inference_mode():
        wanted = tiny.language_model(config)(torch.tensor([IDS]))[0][0, -1].numpy()
    assert distance(Runner(folder, config).read(IDS, [60]), wanted) < SHARES["int4"]


@pytest.mark.parametrize(
    ("sizes", "precision", "problem"),
    [
        ({"hidden_size": 72}, "int4", "hidden size of 72"),
        ({"hidden_size": 72}, "int8", "hidden size of 72"),
        ({"head_size": 24}, "int4", "heads of 24"),
        ({"head_size": 24}, "fp32", "heads of 24"),
    ],
)
def test_sizes_that_have_no_operator(
    sizes: dict[str, int], precision: str, problem: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(tiny.LLAMA, **sizes)
    file = tiny.write_gguf(tmp_path / "m.gguf", config, tiny.random_tensors(config))
    with pytest.raises(EngineError, match=problem):
        list(packed_model(open_language(file), FORMATS[precision]))
