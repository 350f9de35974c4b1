"""What ``pollux selftest`` checks: the best installed pack answers a question, and nothing opens a connection.

In: the store. Out: :class:`SelfTestResult`. The packaged app is tested with it, on machines without Python.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from engine.cancel import Cancel
from engine.packs import Pack
from engine.results import Finished
from engine.tasks.chat import GREEDY, Turn, chat

QUESTION, EXPECTED = "What is the capital of France?", "Paris"
_NETWORK_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind")


@dataclass(frozen=True)
class SelfTestResult:
    """``passed`` if the answer holds what it must and ``connections`` is empty."""

    passed: bool
    answer: Finished
    connections: tuple[str, ...]


class ConnectionWatch:
    """Notes every attempt to use the network from now on, by anything in this process that is Python."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: object) -> None:
        if event in _NETWORK_EVENTS:
            self.attempts.append(f"{event} {arguments}")


def run_selftest(pack: Pack, device: str = "auto", threads: int = 0) -> SelfTestResult:
    """Load ``pack`` and ask it; raises EngineError where the engine does."""
    watch = ConnectionWatch()
    from engine.runtime.language_model import LanguageModel

    model = LanguageModel.open(pack, device=device, threads=threads)
    try:
        options = replace(GREEDY, max_new_tokens=32)
        items = list(chat(model, [Turn("user", QUESTION)], options, Cancel()))
    finally:
        model.close()
    answer = next(item for item in reversed(items) if isinstance(item, Finished))
    passed = EXPECTED in answer.text and not watch.attempts
    return SelfTestResult(passed, answer, tuple(watch.attempts))
