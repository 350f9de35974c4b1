"""Pictures of the speech pane in every state, for :mod:`tests.screenshots`.

In: an open app on an engine, a microphone and a player that do what they are told. Out: PNG files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.errors import EngineError
from engine.results import LiveText, Segment, Word
from tests.fake_speech import FakeSound, said
from tests.fakes import FakeDoor, fake_pack, speech_pack

if TYPE_CHECKING:
    from app.gui import Desktop

ENGLISH = (
    "Good morning, everybody, and thank you for coming in so early.",
    "We have three things on the list today, and I would like to be done by half past nine.",
    "The first is the budget for the coming year, which Marguerite sent round on Friday.",
    "There is one line that surprised me: the rent went up by eleven per cent, and nobody had told us.",
    "I called them. They say the letter went to the old address.",
    "The second is where we meet from April on, since the library closes for repairs.",
    "And the third is a surprise, so I will not say more about it now.",
    "Any questions before we begin?",
)
CHINESE = (
    "大家早上好，谢谢各位这么早就过来。",
    "今天我们要谈三件事，我希望九点半之前能够结束。",
    "第一件是明年的预算，玛格丽特星期五已经发给大家了，里面有一项让我很吃惊：房租涨了百分之十一，而且之前没有人通知我们。",
    "我打电话问过，他们说信寄到了旧地址。",
    "第二件是四月以后在哪里开会，因为图书馆要关门维修，大概需要三个月左右的时间，在这期间我们可以去社区中心，也可以在线上见面。",
    "第三件是一个惊喜，现在先不多说。",
    "开始之前大家有什么问题吗？",
)
Grab = Callable[[str], None]


def said_with_words(texts: tuple[str, ...], language: str) -> list[Segment]:
    """Segments with words, some of them doubtful."""
    made = []
    for row, item in enumerate(said(texts, language, 7.0)):
        pieces = item.text.split(" ")
        words = tuple(
            Word(
                ("" if place == 0 else " ") + piece,
                item.start_s,
                item.end_s,
                0.3 if (row + place) % 9 == 4 else 0.9,
            )
            for place, piece in enumerate(pieces)
        )
        made.append(Segment(item.start_s, item.end_s, item.text, language, item.confidence, words))
    return made


class SpeechPictures:
    """Brings the pane into one state after the other."""

    def __init__(
        self, desktop: Desktop, door: FakeDoor, sound: FakeSound, settle: Callable[[int], None]
    ) -> None:
        self._desktop, self._door, self._sound, self._settle = desktop, door, sound, settle
        self._folder = Path(__file__).parent / "nowhere"

    def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(400):
            if done():
                return
            self._settle(20)
        raise TimeoutError("the pane did not come into its state")

    def _clear(self) -> None:
        for item in tuple(self._desktop.speech.items):
            self._desktop.speech.remove(item)
        self._until(lambda: not self._desktop.speech.items)

    def all(self, folder: Path, end: str, grab: Grab) -> None:
        """Every state in the language and theme of now."""
        self._folder = folder
        chinese = end.startswith("zh")
        desktop, speech = self._desktop, self._door.speech
        speech.segments = said_with_words(CHINESE if chinese else ENGLISH, "zh" if chinese else "en")
        self._clear()
        self._door.the_store.packs = [fake_pack()]
        desktop.host.refresh()
        desktop.window.show_speech()
        grab(f"speech-no-model-{end}")
        self._door.the_store.packs = [fake_pack(), speech_pack()]
        desktop.host.refresh()
        grab(f"speech-empty-{end}")
        self.finished(end, grab)
        self.queue(end, grab)
        self.recording(end, grab)
        self._clear()

    def _files(self, *names: str) -> list[Path]:
        folder = self._folder / "media"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_bytes(name.encode())
        return [folder / name for name in names]

    def finished(self, end: str, grab: Grab) -> None:
        """A transcript with the player in its middle, then searched."""
        desktop = self._desktop
        desktop.speech.add_files(
            self._files("Team meeting 2026-11.m4a" if "zh" not in end else "团队会议 2026-11.m4a")
        )
        item = desktop.speech.items[0]
        self._until(lambda: item.state == "done" and not desktop.host.jobs.busy)
        desktop.window.speech.result.table.hear.emit(15.0)
        self._settle(100)
        grab(f"speech-finished-{end}")
        desktop.window.find_text()
        desktop.window.speech.result.finder.field.setText("第" if "zh" in end else "the")
        self._settle(100)
        grab(f"speech-find-{end}")
        desktop.window.speech.result.close_find()

    def queue(self, end: str, grab: Grab) -> None:
        """One file in its middle, a bad one, some that wait."""
        desktop, speech = self._desktop, self._door.speech
        speech.gate = threading.Event()
        speech.errors = {
            "broken.mp3": EngineError(
                "{file} cannot be read: it is damaged or is no recording.",
                "Play it elsewhere to see whether it is whole.",
                file="broken.mp3",
            )
        }
        names = ("broken.mp3", "Interview with a very long name, part 2 of 3.wav", "lecture.mp4", "note.opus")
        desktop.speech.add_files(self._files(*names))
        running = next(item for item in desktop.speech.items if item.path.name.startswith("Interview"))
        self._until(lambda: running.state == "running" and len(running.segments) > 2)
        running.started_s -= 2.0
        desktop.speech.select(running)
        desktop.speech.item_changed.emit(running)
        self._settle(100)
        grab(f"speech-queue-{end}")
        desktop.speech.select(next(item for item in desktop.speech.items if item.state == "failed"))
        self._settle(50)
        grab(f"speech-failed-{end}")
        speech.gate.set()
        self._until(lambda: not desktop.speech.busy)
        speech.gate, speech.errors = None, {}

    def recording(self, end: str, grab: Grab) -> None:
        """A recording with live text, then one that hears nothing."""
        desktop, speech = self._desktop, self._door.speech
        first = speech.segments
        speech.live = [first[0], first[1], LiveText(14.0, first[2].text[: len(first[2].text) // 2])]
        desktop.recorder.start()
        self._until(lambda: desktop.recorder.state == "recording")
        recorder = self._sound.recorders[-1]
        recorder.seconds = 17.0
        item = desktop.recorder.item
        assert item is not None
        for _ in speech.live:
            speech.live_gate.release()
        self._until(lambda: item.live is not None)
        self._settle(200)
        grab(f"speech-recording-{end}")
        recorder.silence_problem = EngineError(
            "Nothing is heard from the microphone.",
            "Check that it is not muted, and that it is the right one.",
        )
        self._settle(200)
        grab(f"speech-silent-{end}")
        desktop.recorder.stop()
        self._until(lambda: desktop.recorder.state == "idle")
        QCoreApplication.processEvents()
