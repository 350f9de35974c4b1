"""One speech engine in one process, answering the bench's questions: what does it hear, how fast, in how much memory.

In: one JSON object a line on standard input: ``{"do": "transcribe", "file": ..., "language": ..., "words": ...}`` or
``{"do": "memory"}``. Out: one JSON object a line. Each engine runs in the Python environment that has it; only the
``pollux`` one imports anything of ours. Every engine decodes the file itself, and that counts.
Run by ``speech_peers.py``: ``python speech_worker.py ENGINE MODEL THREADS``.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass
class Heard:
    """What an engine made of a file; a word is (text, start, end), times in seconds."""

    text: str = ""
    language: str = ""
    segments: list[tuple[str, float, float]] = field(default_factory=list)
    words: list[tuple[str, float, float]] = field(default_factory=list)


class Engine(Protocol):
    """What is measured of each engine; ``language`` "" means that the engine finds it out."""

    def transcribe(self, file: str, language: str, words: bool) -> Heard: ...


class PolluxEngine:
    """Ours, through the task that the app uses."""

    def __init__(self, model: Path, threads: int) -> None:
        from engine.packs import read_pack
        from engine.runtime.speech_model import SpeechModel

        self._model = SpeechModel.open(read_pack(model), "cpu", threads)

    def transcribe(self, file: str, language: str, words: bool) -> Heard:
        from engine.cancel import Cancel
        from engine.media.audio import AudioFile
        from engine.results import Segment, Transcribed
        from engine.tasks.transcribe import TranscribeOptions, transcribe

        heard = Heard()
        options = TranscribeOptions(language=language, words=words)
        with AudioFile.open(Path(file)) as audio:
            for item in transcribe(self._model, audio, options, Cancel()):
                if isinstance(item, Segment):
                    heard.segments.append((item.text, item.start_s, item.end_s))
                    heard.words += [(word.text, word.start_s, word.end_s) for word in item.words]
                elif isinstance(item, Transcribed):
                    heard.language = item.language
        heard.text = " ".join(text.strip() for text, _, _ in heard.segments)
        return heard


class FasterWhisperEngine:
    """faster-whisper in int8. Voice detection on and no text of its own as context: as ours runs, and faster so."""

    def __init__(self, model: Path, threads: int, beam: int = 1) -> None:
        from faster_whisper import WhisperModel  # type: ignore[import-not-found]

        self._whisper: Any = WhisperModel(
            str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._pipeline, self._extra = self._whisper, {"condition_on_previous_text": False}
        self._beam = beam

    def transcribe(self, file: str, language: str, words: bool) -> Heard:
        segments, info = self._pipeline.transcribe(
            file,
            language=language or None,
            beam_size=self._beam,
            vad_filter=True,
            word_timestamps=words,
            **self._extra,
        )
        heard = Heard(language=info.language)
        for segment in segments:  # lazy: the work is done here
            heard.segments.append((segment.text, float(segment.start), float(segment.end)))
            heard.words += [(word.word, float(word.start), float(word.end)) for word in segment.words or ()]
        heard.text = " ".join(text.strip() for text, _, _ in heard.segments)
        return heard


class FasterWhisperBeam5(FasterWhisperEngine):
    """Its default search."""

    def __init__(self, model: Path, threads: int) -> None:
        super().__init__(model, threads, beam=5)


class FasterWhisperBatched(FasterWhisperEngine):
    """Its fastest mode: the spans that the voice detection found, eight at a time, without times inside them."""

    def __init__(self, model: Path, threads: int) -> None:
        from faster_whisper import BatchedInferencePipeline  # type: ignore[import-not-found]

        super().__init__(model, threads)
        self._pipeline, self._extra = BatchedInferencePipeline(model=self._whisper), {"batch_size": 8}


ENGINES = {
    "pollux": PolluxEngine,
    "faster-whisper": FasterWhisperEngine,
    "faster-whisper-beam5": FasterWhisperBeam5,
    "faster-whisper-batched": FasterWhisperBatched,
}


def main() -> int:
    """Serve commands until standard input ends."""
    name, model, threads = sys.argv[1:4]
    _import(name)
    begin = time.perf_counter()
    engine: Engine = ENGINES[name](Path(model), int(threads))
    print(json.dumps({"load_s": time.perf_counter() - begin}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer: dict[str, Any]
        if command["do"] == "transcribe":
            begin = time.perf_counter()
            heard = engine.transcribe(command["file"], command["language"], command["words"])
            answer = {**asdict(heard), "wall_s": time.perf_counter() - begin}
        else:
            answer = {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        print(json.dumps(answer), flush=True)
    return 0


def _import(name: str) -> None:
    """The engine's libraries, so that the time to load is the model's."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    modules = (
        ("engine.runtime.speech_model", "engine.tasks.transcribe")
        if name == "pollux"
        else ("faster_whisper",)
    )
    for module in modules:
        importlib.import_module(module)


if __name__ == "__main__":
    sys.exit(main())
