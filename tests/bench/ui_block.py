"""How long the UI thread is blocked while an answer streams, and how fast the window is there.

In: answers of a fake model at a steady rate (or, with ``--real``, of the installed default pack), asked for in a
window that has hundreds of conversations in its list. Out: lines with the longest block (sending, streaming and
ending included), the 99th percentile, and the time from start to a usable window.
Run: ``python -m tests.bench.ui_block [--real] [--tokens N] [--rate N] [--questions N] [--conversations N]``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.host import EngineDoor

STARTED_S = perf_counter()
PARAGRAPH = (
    "Paris is the capital of France, and **its largest city**; see `ratio(18)` and [the guide](https://a.example).\n\n"
    "1. Boil the water.\n2. Grind the coffee.\n3. Pour slowly.\n\n"
    "```python\ndef ratio(coffee_g: float, water_g: float = 300) -> float:\n    return water_g / coffee_g\n```\n\n"
    "| Step | Time |\n|---|---|\n| Bloom | 0:00 |\n| Pour | 0:30 |\n\n"
    "一次只改一处：改完读一遍，再改下一处。写作最难的部分是开始。\n\n"
)


def words(text: str) -> Sequence[str]:
    """Pieces of about one token each."""
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if the longest block is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="use the installed model")
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=120.0, help="tokens a second of the fake model")
    parser.add_argument("--questions", type=int, default=3, help="that the tokens are shared among")
    parser.add_argument("--conversations", type=int, default=300, help="in the list beforehand")
    parser.add_argument("--limit-ms", type=float, default=50.0)
    arguments = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    door: EngineDoor
    from engine.store import Store

    store = Store.default()  # the user's models, without the user's conversations
    os.environ["POLLUX_HOME"] = tempfile.mkdtemp()
    from PySide6.QtCore import QCoreApplication, QTimer

    from app.gui import Desktop, make_application
    from app.history import History
    from app.paths import history_file
    from app.watchdog import Watchdog
    from tests.fakes import FakeDoor

    each = max(arguments.tokens // arguments.questions, 1)
    if arguments.real:
        from app.host import EngineDoor

        class RealDoor(EngineDoor):
            """Only the models are the user's."""

            def store(self) -> Store:
                return store

        door = RealDoor()
    else:
        text = (PARAGRAPH * 200)[: each * 4]
        door = FakeDoor(answer=text, pieces=words, pause_s=1 / arguments.rate)
    filling_s = perf_counter()
    history = History(history_file())
    for number in range(arguments.conversations):
        history.add(history.create(f"Conversation {number} about coffee").id, "user", PARAGRAPH)
    history.close()
    filling_s = perf_counter() - filling_s
    app = make_application([])
    desktop = Desktop(app, door)
    desktop.settings.change(model="smollm2-135m")
    desktop.window.resize(1180, 800)
    desktop.window.show()
    QCoreApplication.processEvents()
    window_s = perf_counter() - STARTED_S - filling_s
    desktop.begin()
    while desktop.host.model.status == "loading" or desktop.host.jobs.busy:
        QCoreApplication.processEvents()
    ready_s = perf_counter() - STARTED_S - filling_s
    if desktop.host.model.status != "ready":
        print("no model could be loaded", file=sys.stderr)
        return 1
    desktop.window.show_chat()
    desktop.settings.change(max_new_tokens=each)
    dog = Watchdog(arguments.limit_ms)
    QTimer.singleShot(0, dog.start)
    left = arguments.questions

    def ask() -> None:
        nonlocal left
        if not left:
            app.quit()
            return
        left -= 1
        desktop.session.send("Write a long text about coffee, with lists, a table and code.")

    desktop.session.answer_ended.connect(lambda *_: QTimer.singleShot(50, ask))
    QTimer.singleShot(50, ask)
    app.exec()
    dog.stop()
    late = sorted(dog.late_ms)
    last = desktop.session.messages[-1]
    print(f"window_s {window_s:.2f}")
    print(f"model_ready_s {ready_s:.2f}")
    print(f"tokens {last.new_tokens}, {last.tokens_per_s:.0f} tokens/s")
    print(f"longest_block_ms {dog.longest_ms:.1f}")
    print(f"longest_block_cpu_ms {max(dog.busy_ms, default=0.0):.1f}  # of which the thread had a processor")
    print(f"p99_block_ms {late[int(len(late) * 0.99)]:.1f}")
    print(f"blocks_over_{arguments.limit_ms:.0f}_ms {dog.over_limit} of {len(late)}")
    desktop.window.close()
    return 0 if dog.longest_ms < arguments.limit_ms else 1


if __name__ == "__main__":
    sys.exit(main())
