"""One engine in one process, answering the bench's questions: how fast, how good, how large.

In: commands on standard input, one word a line (``speed``, ``perplexity``, ``memory``). Out: one JSON object a line. Each
engine runs in the Python environment that has it; only the ``pollux`` one imports anything of ours.
Run by ``chat_peers.py``: ``python chat_worker.py ENGINE MODEL IDS.json THREADS``.
"""

from __future__ import annotations

import importlib
import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any, Protocol


class Engine(Protocol):
    """What is measured of each engine. ``ids`` are token ids; every engine gets the same ones."""

    def speed(self, ids: list[int], new_tokens: int) -> dict[str, float]:
        """Seconds to read ``ids`` from nothing, and seconds of the greedy tokens after the first."""
        ...

    def mean_nll(self, ids: list[int]) -> float:
        """Mean of -ln p(next token), teacher-forced."""
        ...


class PolluxEngine:
    """Ours, through the same generator that the app uses."""

    def __init__(self, model: Path, threads: int) -> None:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from dataclasses import replace

        from engine.packs import read_pack
        from engine.runtime.language_model import LanguageModel

        pack = read_pack(model)
        # Without an end token: every engine writes the same number of tokens.
        pack = replace(pack, config=replace(pack.config, eos_token_ids=()))
        self._model = LanguageModel.open(pack, "cpu", threads)

    def speed(self, ids: list[int], new_tokens: int) -> dict[str, float]:
        from dataclasses import replace

        from engine.cancel import Cancel
        from engine.results import Finished
        from engine.tasks.chat import GREEDY

        other = [ids[-1], *ids[:3]]  # so that nothing of the prompt is in the cache
        for prompt, count in ((other, 1), (ids, new_tokens)):
            options = replace(GREEDY, max_new_tokens=count)
            *_, finished = self._model.generate(prompt, options, Cancel())
        assert isinstance(finished, Finished)
        return {"prefill_s": finished.prefill_s, "decode_s": finished.decode_s}

    def mean_nll(self, ids: list[int]) -> float:
        return self._model.score(ids)


class LlamaCppEngine:
    """llama.cpp through llama-cpp-python, on the GGUF file itself."""

    def __init__(self, model: Path, threads: int) -> None:
        import llama_cpp  # type: ignore[import-not-found]

        self._llama = llama_cpp.Llama(
            str(model),
            n_ctx=1024,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
            logits_all=False,
        )

    def speed(self, ids: list[int], new_tokens: int) -> dict[str, float]:
        llama = self._llama
        llama.reset()
        begin = time.perf_counter()
        llama.eval(ids)
        token = llama.sample(temp=0.0)
        read = time.perf_counter()
        for _ in range(new_tokens - 1):
            llama.eval([token])
            token = llama.sample(temp=0.0)
        return {"prefill_s": read - begin, "decode_s": time.perf_counter() - read}

    def mean_nll(self, ids: list[int]) -> float:
        import ctypes

        import llama_cpp  # type: ignore[import-not-found]
        import numpy as np

        llama = self._llama
        llama.reset()
        total = 0.0
        for token, following in zip(ids, ids[1:]):  # noqa: B905, RUF007 - may run on an older Python
            llama.eval([token])
            pointer = llama_cpp.llama_get_logits_ith(llama.ctx, -1)
            row = (ctypes.c_float * llama.n_vocab()).from_address(ctypes.addressof(pointer.contents))
            logits = np.array(row, dtype=np.float64)
            top = logits.max()
            total += math.log(np.exp(logits - top).sum()) + top - logits[following]
        return total / (len(ids) - 1)


class GenaiEngine:
    """ONNX Runtime GenAI, on the model that its own builder made."""

    def __init__(self, model: Path, threads: int) -> None:
        genai: Any = importlib.import_module("onnxruntime_genai")

        path = model / "genai_config.json"
        config = json.loads(path.read_text("utf-8"))
        # Left alone it uses half of the threads (measured).
        config["model"]["decoder"]["session_options"]["intra_op_num_threads"] = threads
        path.write_text(json.dumps(config), "utf-8")
        self._genai, self._model = genai, genai.Model(str(model))

    def _generator(self) -> Any:
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=1024, min_length=1024, do_sample=False)
        return self._genai.Generator(self._model, params)

    def speed(self, ids: list[int], new_tokens: int) -> dict[str, float]:
        generator = self._generator()
        begin = time.perf_counter()
        generator.append_tokens(ids)
        generator.generate_next_token()
        read = time.perf_counter()
        for _ in range(new_tokens - 1):
            generator.generate_next_token()
        return {"prefill_s": read - begin, "decode_s": time.perf_counter() - read}

    def mean_nll(self, ids: list[int]) -> float:
        import numpy as np

        generator = self._generator()
        total = 0.0
        for token, following in zip(ids, ids[1:]):  # noqa: B905, RUF007
            generator.append_tokens([token])
            logits = np.asarray(generator.get_logits()).reshape(-1, generator.get_logits().shape[-1])[-1]
            logits = logits.astype(np.float64)
            top = logits.max()
            total += math.log(np.exp(logits - top).sum()) + top - logits[following]
        return total / (len(ids) - 1)


ENGINES = {"pollux": PolluxEngine, "llama.cpp": LlamaCppEngine, "genai": GenaiEngine}


def main() -> int:
    """Serve commands until standard input ends."""
    name, model, ids_file, threads = sys.argv[1:5]
    ids = json.loads(Path(ids_file).read_text("utf-8"))
    engine: Engine = ENGINES[name](Path(model), int(threads))
    engine.speed(ids["prompt"][:20], 2)  # the first run of a session is never typical
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command = line.strip()
        answer: dict[str, float] = {}
        if command == "speed":
            answer = engine.speed(ids["prompt"], ids["new_tokens"])
        elif command == "first_token":
            answer = {"first_token_s": engine.speed(ids["prompt"][:20], 1)["prefill_s"]}
        elif command == "perplexity":
            answer = {"perplexity": math.exp(engine.mean_nll(ids["text"]))}
        elif command == "memory":
            answer = {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
