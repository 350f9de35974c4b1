"""METEOR 1.5, where its tool is there: Java, and the package pycocoevalcap, which brings the program and its paraphrases.

In: captions and references. Out: the corpus score, as the COCO caption evaluation reports it. Neither is needed for
anything else, so neither is a dependency of ours.

Source: Denkowski and Lavie 2014; the protocol of ``-stdio`` is the program's own.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from export.train.metrics import caption_words

HOW_TO_GET = "METEOR needs Java, and: python -m pip install --no-deps pycocoevalcap"


def meteor(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float | None:
    """The score of a corpus; None where the tool is not there or does not answer."""
    program, java = _program(), shutil.which("java")
    if program is None or java is None or not candidates:
        return None
    command = [java, "-Xmx2G", "-jar", program, "-", "-", "-stdio", "-l", "en", "-norm"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            counts = []
            for candidate, sentences in zip(candidates, references, strict=True):
                texts = [" ".join(caption_words(text)) for text in (*sentences, candidate)]
                print("SCORE", *texts, sep=" ||| ", file=process.stdin, flush=True)
                counts.append(process.stdout.readline().strip())
            print("EVAL", *counts, sep=" ||| ", file=process.stdin, flush=True)
            answers = [process.stdout.readline().strip() for _ in range(len(counts) + 1)]
            return float(answers[-1])  # after each caption's own
        except (OSError, ValueError):
            return None
        finally:
            process.kill()


def _program() -> Path | None:
    found = importlib.util.find_spec("pycocoevalcap")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "meteor" / "meteor-1.5.jar"
    return path if path.is_file() else None
