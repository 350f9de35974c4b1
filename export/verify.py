"""Measures what the way from checkpoint to pack costs: the figures that stand in ``pack.json``.

In: a checkpoint and the pack made from it. Out: :class:`Parity`: how far ONNX in fp32 is from torch in fp32 (whether
the graph is right), and the perplexity of the pack beside the checkpoint's own (whether the quantisation
is good). The texts are the public-domain ones in ``resources/samples``.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from tokenizers import Tokenizer

from engine.folders import resources_folder
from engine.machine import physical_cores
from engine.results import Progress
from export.checkpoints.interface import Checkpoint
from export.checkpoints.load import load_language, read_parameter
from export.config import LanguageConfig
from export.nn.language import Block, LanguageModel
from export.onnx_graph import MODEL_FILE, DecoderGraph, export_graph

# The graph check runs on the first layers only where the whole model in fp32 would not fit in memory twice.
CHECKED_LAYERS = 4
WHOLE_MODEL_PARAMETERS = 3e8
CHECKED_TOKENS = 24
MAX_TOKENS = 900
SAMPLE_LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Perplexity:
    """One text: the checkpoint in fp32 torch, and the pack in ONNX Runtime, one token a step."""

    language: str
    tokens: int
    checkpoint: float
    pack: float

    @property
    def ratio(self) -> float:
        """Above 1 is worse."""
        return self.pack / self.checkpoint


@dataclass(frozen=True)
class Parity:
    """What was measured; ``layers`` is how many of the model's took part in the graph check."""

    max_abs_logit_difference: float
    layers: int
    perplexities: tuple[Perplexity, ...]

    def as_json(self) -> dict[str, object]:
        """As it stands in ``pack.json``."""
        return {
            "fp32_max_abs_logit_difference": self.max_abs_logit_difference,
            "fp32_layers": self.layers,
            "perplexity": {
                p.language: {
                    "tokens": p.tokens,
                    "checkpoint_fp32": round(p.checkpoint, 4),
                    "pack": round(p.pack, 4),
                    "ratio": round(p.ratio, 4),
                }
                for p in self.perplexities
            },
        }


def measure(
    checkpoint: Checkpoint, pack_folder: Path, languages: tuple[str, ...]
) -> Iterator[Progress | Parity]:
    """All of it; the last item is the result."""
    spoken = {tag.split("-")[0] for tag in languages} or {"en"}
    texts = [language for language in SAMPLE_LANGUAGES if language in spoken]
    steps = 1 + 2 * len(texts)
    yield Progress("check", 0, steps, "steps")
    difference, layers = graph_difference(checkpoint)
    tokenizer = Tokenizer.from_file(str(pack_folder / "tokenizer.json"))
    context_tokens = checkpoint.config.context_tokens
    runner = PackRunner(pack_folder, checkpoint.config)
    found: list[Perplexity] = []
    for number, language in enumerate(texts):
        yield Progress("check", 1 + 2 * number, steps, "steps")
        ids = sample_ids(tokenizer, language, context_tokens)
        if len(ids) < 2:
            continue  # a context or vocabulary too small to say anything
        pack = runner.perplexity(ids)
        yield Progress("check", 2 + 2 * number, steps, "steps")
        found.append(Perplexity(language, len(ids), checkpoint_perplexity(checkpoint, ids), pack))
    yield Progress("check", steps, steps, "steps")
    yield Parity(difference, layers, tuple(found))


def sample_ids(tokenizer: Tokenizer, language: str, context_tokens: int = MAX_TOKENS) -> list[int]:
    """The first tokens of the sample in ``language``, as many as fit."""
    text = (resources_folder() / "samples" / f"perplexity_{language}.txt").read_text("utf-8")
    return tokenizer.encode(text, add_special_tokens=False).ids[: min(MAX_TOKENS, context_tokens)]


def graph_difference(checkpoint: Checkpoint) -> tuple[float, int]:
    """Largest difference of logits between torch and ONNX Runtime, both fp32, and the layers compared.

    The prompt is read in two pieces, so that the cache takes part.
    """
    config = checkpoint.config
    whole = config.parameters < WHOLE_MODEL_PARAMETERS
    layers = config.layers if whole else min(CHECKED_LAYERS, config.layers)
    tokens = min(CHECKED_TOKENS, config.context_tokens)
    ids = np.random.default_rng(0).integers(0, config.vocab_size, tokens).tolist()
    model = load_language(checkpoint, layers=layers)
    with torch.inference_mode():
        expected = model(torch.tensor([ids]))[0][0, -1].numpy()
    with tempfile.TemporaryDirectory() as folder:
        export_graph(DecoderGraph(model, torch.float32), torch.float32, Path(folder))
        runner = PackRunner(Path(folder), model.config)
        if tokens > 1:
            runner.step(ids[: tokens // 2])
        found = runner.step(ids[tokens // 2 :])
    return float(np.abs(found - expected).max()), layers


def checkpoint_perplexity(
    checkpoint: Checkpoint, ids: list[int], before: torch.Tensor | None = None
) -> float:
    """Perplexity of the checkpoint itself in fp32: layer after layer, so that one is in memory at a time.

    ``before`` [1,P,C] are embeddings that stand in front of the text and are not counted.
    """
    config = checkpoint.config
    with torch.device("meta"):
        model = LanguageModel(replace(config, layers=1))
    with torch.inference_mode():
        x = torch.from_numpy(checkpoint.read("embedding.weight")[ids])[None]  # [1,T,C]
        if before is not None:
            x = torch.cat((before, x), dim=1)  # [1,P+T,C]
        for layer in range(config.layers):
            block = _load(model.blocks[0], checkpoint, f"blocks.{layer}")
            assert isinstance(block, Block)
            x = x + block.attention(block.attention_norm(x), None)[0]
            x = x + block.mlp(block.mlp_norm(x))
        x = _load(model.norm, checkpoint, "norm")(x)[0, -len(ids) :]  # [T,C]
        head = torch.from_numpy(checkpoint.read("embedding.weight" if config.tied_head else "head.weight"))
        total = 0.0
        for start in range(0, len(ids) - 1, 128):  # [128,V] logits at a time
            stop = min(start + 128, len(ids) - 1)
            logits = (x[start:stop] @ head.T).double()
            targets = torch.tensor(ids[start + 1 : stop + 1])
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
    return math.exp(total / (len(ids) - 1))


def _load(module: torch.nn.Module, checkpoint: Checkpoint, prefix: str) -> torch.nn.Module:
    for name, _ in list(module.named_parameters()):
        owner, _, field = name.rpartition(".")
        value = read_parameter(checkpoint, f"{prefix}.{name}")
        setattr(module.get_submodule(owner), field, torch.nn.Parameter(value, requires_grad=False))
    return module


def cpu_session(path: Path) -> ort.InferenceSession:
    """An ONNX file on the CPU, with a thread for each core."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = physical_cores()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class PackRunner:
    """The plainest way to run a pack's graph: fixed buffers, logits of the last position."""

    tokens_input = "input_ids"

    def __init__(self, folder: Path, config: LanguageConfig, context_tokens: int = 1024) -> None:
        self._session = cpu_session(folder / MODEL_FILE)
        kinds = {given.name: given.type for given in self._session.get_inputs()}
        dtype = np.float16 if kinds["past_key_values.0.key"] == "tensor(float16)" else np.float32
        shape = (1, config.kv_heads, context_tokens, config.head_size)
        self._buffers = {
            f"{layer}.{part}": ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype))
            for layer in range(config.layers)
            for part in ("key", "value")
        }
        self.past_tokens = 0

    def step(self, ids: list[int]) -> np.ndarray:
        """Read more tokens: -> logits after the last one, fp32 [V]."""
        return self.read(np.array([ids], np.int64))

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """The same for what the graph takes: ids [1,T], or embeddings [1,T,C]."""
        new = tokens.shape[1]
        binding = self._session.io_binding()
        binding.bind_cpu_input(self.tokens_input, np.ascontiguousarray(tokens))
        mask = np.ones((1, self.past_tokens + new), np.int64)
        binding.bind_cpu_input("attention_mask", mask)
        binding.bind_output("logits", "cpu")
        for name, buffer in self._buffers.items():
            binding.bind_ortvalue_input(f"past_key_values.{name}", buffer)
            binding.bind_ortvalue_output(f"present.{name}", buffer)
        self._session.run_with_iobinding(binding)
        self.past_tokens += new
        return binding.get_outputs()[0].numpy()[0, -1]

    def perplexity(self, ids: list[int], past_tokens: int = 0) -> float:
        """Teacher-forced, one token a step: what the quantised kernels really give while chatting.

        The first ``past_tokens`` that were read stay as they are.
        """
        self.past_tokens = past_tokens
        total = 0.0
        for token, following in pairwise(ids):
            logits = self.step([token]).astype(np.float64)
            top = logits.max()
            total += math.log(np.exp(logits - top).sum()) + top - logits[following]
        return math.exp(total / (len(ids) - 1))
