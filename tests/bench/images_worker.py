"""One image engine in one process, answering the bench's questions: how long, in how much memory.

In: one JSON object a line on standard input:

    {"do": "describe", "file": ..., "read_text": bool}    ours, as the app does it: from the file
    {"do": "batch", "files": [...], "read_text": bool}    ours, as a folder is described
    {"do": "write", "file": ..., "tokens": N}             a vision-language model: the whole picture in one tile, greedy
    {"do": "memory"}

Out: one JSON object a line. Each engine runs in the Python environment that has it; only ``pollux`` imports ours.
Run by ``images_bench.py``: ``python images_worker.py ENGINE MODEL THREADS``.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

SAMPLE_S = 0.01
QUESTION = "Describe this image in one short sentence."  # what ours asks itself for a caption


class Memory:
    """The most memory since the last time it was asked, sampled by a thread."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def most(self) -> int:
        """In bytes; begins anew."""
        most, self._most = max(self._most, self._process.memory_info().rss), 0
        return most

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self._most = max(self._most, self._process.memory_info().rss)


class PolluxEngine:
    """Ours, through the tasks that the app uses."""

    def __init__(self, model: Path, threads: int) -> None:
        from engine.cancel import Cancel
        from engine.media.ocr import TextReader
        from engine.packs import read_pack
        from engine.runtime.image_model import open_image_model

        self._cancel = Cancel()
        self._model = open_image_model(read_pack(model), "cpu", threads)
        self._reader = TextReader.open(threads)

    def describe(self, file: Path, read_text: bool) -> dict[str, Any]:
        """Seconds to the sentence, and to the last of the findings."""
        from engine.results import Described, TextChunk

        begin = time.perf_counter()
        sentence_s, told = 0.0, ""
        for item in self._describe(file, read_text):
            if isinstance(item, TextChunk) and not sentence_s:
                sentence_s = time.perf_counter() - begin
            elif isinstance(item, Described):
                told = item.text
        wall_s = time.perf_counter() - begin
        return {"sentence_s": sentence_s or wall_s, "wall_s": wall_s, "text": told}

    def batch(self, files: list[Path], read_text: bool) -> dict[str, Any]:
        """The most memory while each picture was described."""
        from engine.tasks.describe_many import ManyFinished, PictureDescribed, PictureFailed, describe_many

        most: list[int] = []
        finished = None
        with Memory() as memory:
            for item in describe_many(lambda path: self._describe(path, read_text), files, self._cancel):
                if isinstance(item, PictureDescribed | PictureFailed):
                    most.append(memory.most())
                elif isinstance(item, ManyFinished):
                    finished = item
        assert finished is not None
        return {"memory_bytes": most, "failed": finished.failed, "wall_s": finished.wall_s}

    def write(self, file: Path, tokens: int) -> dict[str, Any]:
        """Greedy, from the file."""
        from engine.media.image import open_picture
        from engine.runtime.captions import CaptionOptions

        begin = time.perf_counter()
        options = CaptionOptions(beams=1, max_new_tokens=tokens)
        caption = self._model.caption(open_picture(file).pixels, options, self._cancel)
        return {"wall_s": time.perf_counter() - begin, "whole": caption.reason == "length"}

    def _describe(self, file: Path, read_text: bool) -> Any:
        from engine.tasks.describe import DescribeOptions, describe_file

        options = DescribeOptions(style="short", read_text=read_text)
        return describe_file(
            self._model, file, options, self._cancel, None, self._reader if read_text else None
        )


class TransformersEngine:
    """The peer: a folder of Hugging Face's, in fp32 on the CPU."""

    def __init__(self, model: Path, threads: int) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor  # type: ignore[import-not-found]

        torch.set_num_threads(threads)
        self._torch = torch
        self._processor: Any = AutoProcessor.from_pretrained(model)
        loaded: Any = AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32)
        self._model = loaded.eval()

    def write(self, file: Path, tokens: int) -> dict[str, Any]:
        from PIL import Image

        begin = time.perf_counter()
        content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
        prompt = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        with Image.open(file) as picture:
            inputs = self._processor(
                text=prompt,
                images=[picture.convert("RGB")],
                do_image_splitting=False,  # nor does ours for a caption
                return_tensors="pt",
            )
        with self._torch.no_grad():
            ids = self._model.generate(
                **inputs, do_sample=False, max_new_tokens=tokens, min_new_tokens=tokens
            )
        wall_s = time.perf_counter() - begin
        return {"wall_s": wall_s, "whole": ids.shape[1] - inputs["input_ids"].shape[1] == tokens}


def main() -> int:
    """Serve commands until standard input ends."""
    name, model, threads = sys.argv[1:4]
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    begin = time.perf_counter()
    engine: Any = {"pollux": PolluxEngine, "transformers": TransformersEngine}[name](
        Path(model), int(threads)
    )
    print(json.dumps({"load_s": time.perf_counter() - begin}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        do = command.pop("do")
        for key in ("file", "files"):
            if key in command:
                command[key] = Path(command[key]) if key == "file" else [Path(path) for path in command[key]]
        if do == "memory":
            answer = {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        else:
            answer = getattr(engine, do)(**command)
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
