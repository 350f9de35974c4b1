"""A long job that uses a model lets others go first between its items, and still ends where it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app import jobs as module
from app.jobs import Job, Jobs
from engine.cancel import Cancel
from engine.results import Progress


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_S", 0.0)


def test_others_go_first_between_items(qtbot: QtBot) -> None:
    jobs, seen, may_go_on = Jobs(), [], threading.Event()

    def work(_cancel: Cancel) -> Iterator[object]:
        for number in range(3):
            seen.append(f"picture {number}")
            may_go_on.wait(10)
            yield Progress("describe", number, 3, "pictures")

    def question(_cancel: Cancel) -> Iterator[object]:
        seen.append("question")
        yield "answer"

    patient = Job(work)
    with qtbot.waitSignal(patient.signals.ended):
        jobs.start_patient(patient)
        qtbot.waitUntil(lambda: seen == ["picture 0"])
        jobs.start_inference(Job(question))
        may_go_on.set()
    assert seen == ["picture 0", "question", "picture 1", "picture 2"]
    qtbot.waitUntil(lambda: not jobs.busy)


def test_it_rests_only_at_progress_and_ends_when_stopped(qtbot: QtBot) -> None:
    jobs, items = Jobs(), []

    def work(cancel: Cancel) -> Iterator[object]:
        while not cancel.is_set:
            yield "in the middle"
            yield Progress("describe", 0, None, "pictures")
        yield "end"

    job = Job(work)
    job.signals.item.connect(lambda _job, item: items.append(item))
    jobs.start_patient(job)
    qtbot.waitUntil(lambda: len(items) > 5)
    with qtbot.waitSignal(job.signals.ended):
        assert jobs.stop_all()
    assert items[-1] == "end"
