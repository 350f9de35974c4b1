"""ONNX Runtime GenAI and Pollux open each other's models and say the same.

Greedy, so that there is one right answer; both read a prompt in one piece, since how a prompt is cut changes
the last bits of its logits, and two tokens that all but tie could then change places.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
transformers = pytest.importorskip("transformers", reason="needs the parity extra")
genai = pytest.importorskip("onnxruntime_genai", reason="needs the parity extra")

from engine import folders
from engine.cancel import Cancel
from engine.packs import Pack, read_pack
from engine.results import Finished
from engine.runtime.language_model import LanguageModel
from engine.store import Store
from engine.tasks.chat import GREEDY, Turn, chat
from export.tokenizer import tokenizer_files
from tests import tiny

REAL_PACK = "smollm2-135m"
# The user's folder, looked up before any fixture points Pollux elsewhere.
PACKS = folders.packs_folder()
NEW_TOKENS = 32
PROMPTS = [
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>system\nYou are a pirate.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nWrite a haiku about rain.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nTranslate to French: good morning<|im_end|>\n<|im_start|>assistant\n",
    "The quick brown fox",
    "Once upon a time, in a small village by the sea,",
    "def fibonacci(n):\n    ",
    "import numpy as np\n\nx = np.",
    "SELECT name FROM users WHERE",
    "Q: What is 17 + 25?\nA:",
    "1, 2, 3, 4, 5,",
    "# Shopping list\n\n- milk\n- ",
    "Dear Sir or Madam,\n\nI am writing to",
    "Water boils at",
    '{"name": "Ada", "born": ',
    "<html>\n<head>\n",
    "Ünïcödé wörks, doesn't it? 🙂 ",
    "今天天气",
    "A" * 20,
]


def genai_tokens(folder: Path, prompts: list[list[int]], new_tokens: int = NEW_TOKENS) -> list[list[int]]:
    """What GenAI answers to each prompt; it leaves out the token that ends an answer."""
    config = genai.Config(str(folder))
    model = genai.Model(config)
    answers = []
    for ids in prompts:
        params = genai.GeneratorParams(model)
        params.set_search_options(do_sample=False, max_length=len(ids) + new_tokens)
        generator = genai.Generator(model, params)
        generator.append_tokens(ids)
        while not generator.is_done():
            generator.generate_next_token()
        answers.append([int(token) for token in generator.get_sequence(0)][len(ids) :])
        del generator
    return answers


def our_tokens(
    model: LanguageModel, prompts: list[list[int]], new_tokens: int = NEW_TOKENS
) -> list[list[int]]:
    """The same from Pollux, read off the cache, which holds every token of an answer but the last."""
    answers = []
    for ids in prompts:
        assert model._decoder is not None
        model._decoder.cache.truncate(0)
        options = replace(GREEDY, max_new_tokens=new_tokens)
        *_, end = model.generate(ids, options, Cancel())
        assert isinstance(end, Finished)
        answer, last = list(model._decoder.cache.ids[len(ids) :]), int(model._decoder.logits.argmax())
        assert len(answer) + 1 == end.new_tokens
        answers.append(answer if last in model.pack.config.eos_token_ids else [*answer, last])
    return answers


@pytest.fixture(scope="module")
def real() -> Pack:
    named = os.environ.get("POLLUX_TEST_PACK")
    folder = Path(named) if named else PACKS / REAL_PACK
    if not folder.is_dir():
        pytest.skip(f"the model {REAL_PACK} is not installed (POLLUX_TEST_PACK may name its folder)")
    return read_pack(folder)


@pytest.mark.real
def test_our_pack_in_genai(real: Pack) -> None:
    model = LanguageModel.open(real, "cpu")
    prompts = [model.tokenizer.encode(text, control=True) for text in PROMPTS]
    assert len(prompts) == 20
    assert all(0 < len(ids) < 128 for ids in prompts)  # one piece for us too
    ours = our_tokens(model, prompts)
    model.close()
    theirs = genai_tokens(real.folder, prompts)
    for text, mine, other in zip(PROMPTS, ours, theirs, strict=True):
        assert mine == other, text
    assert len({tuple(answer) for answer in ours}) > 15  # twenty answers, not one


@pytest.mark.real
def test_genai_tokenizes_as_we_do(real: Pack) -> None:
    tokenizer = genai.Tokenizer(genai.Model(str(real.folder)))
    model = LanguageModel.open(real, "cpu")
    for text in PROMPTS:
        assert list(tokenizer.encode(text)) == model.tokenizer.encode(text, control=True), text
    model.close()


@pytest.fixture(scope="module")
def random_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``transformers`` saves: a random model of two layers, with a tokenizer and a template."""
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=tiny.LLAMA.vocab_size,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        bos_token_id=259,
        eos_token_id=260,
        pad_token_id=258,
    )
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(1.0 if parameter.ndim == 1 else 0.0, 0.3 if parameter.ndim == 1 else 0.12)
    folder = tmp_path_factory.mktemp("transformers")
    model.save_pretrained(folder)
    files = tokenizer_files(tiny.byte_tokenizer(), 256)
    (folder / "tokenizer.json").write_text(files.tokenizer_json, "utf-8")
    (folder / "tokenizer_config.json").write_text(files.tokenizer_config_json, "utf-8")
    return folder


def build_with_genai(checkpoint: Path, folder: Path, precision: str) -> Path:
    """What ``python -m onnxruntime_genai.models.builder`` does."""
    builder = pytest.importorskip("onnxruntime_genai.models.builder")
    options = ["int4_block_size=32", "int4_accuracy_level=4"] if precision == "int4" else []
    places = ("", str(checkpoint), str(folder), precision, "cpu", str(folder.parent / "cache"))
    builder.create_model(*places, **builder.parse_extra_options(*places, options))
    return folder


@pytest.fixture(scope="module", params=["fp32", "int4"])
def foreign(
    request: pytest.FixtureRequest, random_llama: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    yield build_with_genai(random_llama, tmp_path_factory.mktemp("genai") / request.param, request.param)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_genais_model_in_pollux(foreign: Path, pollux_home: Path) -> None:
    store = Store(pollux_home / "packs")
    *_, pack = store.import_path(foreign, Cancel())
    assert isinstance(pack, Pack)
    assert pack.foreign
    assert pack == store.get(foreign.name)
    model = LanguageModel.open(pack, "cpu", threads=1)
    prompts = [model.tokenizer.encode(text, control=True)[:60] for text in PROMPTS]
    ours = our_tokens(model, prompts)
    assert ours == genai_tokens(pack.folder, prompts)
    assert len({tuple(answer) for answer in ours}) > 10

    options = replace(GREEDY, max_new_tokens=8)
    *_, end = chat(model, [Turn("user", "the cat")], options, Cancel())  # its template works
    assert isinstance(end, Finished)
    assert end.new_tokens > 0
    model.close()
