"""A recorder in a process of its own, driven by lines: what records must load its sound library in a prepared environment.

In: ``python -m tests.gui.recorder_process FILE.wav``, then one of ``devices start state pause resume stop`` a line. Out: one
JSON line for each.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np

from app.microphone import Recorder, input_devices
from engine.errors import EngineError


def main() -> None:
    recorder = Recorder(None, Path(sys.argv[1]))
    heard: list[np.ndarray] = []
    ended = threading.Event()

    def read() -> None:
        while (block := recorder.read(0.2)) is not None:
            heard.append(block)
        ended.set()

    for line in sys.stdin:
        command = line.strip()
        answer: dict[str, object] = {}
        try:
            if command == "devices":
                answer["devices"] = [(device.name, device.is_default) for device in input_devices()]
            elif command == "start":
                recorder.start()
                threading.Thread(target=read, daemon=True).start()
            elif command == "pause":
                recorder.pause()
            elif command == "resume":
                recorder.resume()
            elif command == "stop":
                recorder.stop(wait_s=5.0)
                ended.wait(5.0)
            elif command == "wait":  # until it ended by itself
                answer["came"] = ended.wait(8.0)
        except EngineError as error:
            answer["error"] = str(error)
        blocks = list(heard)
        sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        answer |= {
            "seconds": recorder.seconds,
            "read_s": len(sound) / 16_000,
            "rms": float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0,
            "level_db": recorder.level.rms_db,
            "silent": recorder.silent,
            "running": recorder.running,
            "ended": ended.is_set(),
            "problem": str(recorder.problem or ""),
            "overflows": recorder.overflows,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
