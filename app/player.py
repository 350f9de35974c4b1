"""Plays the sound of a recording beside its text: play, pause, seek, a piece from here to there.

In: the path of any recording that :class:`engine.media.audio.AudioFile` decodes. Out: sound, and signals on the UI thread: the
position that is heard now (at most 30 times a second, only while it plays), ends, problems. 16 kHz mono, as the models hear it.

QtMultimedia would do this too, but its wheel (PySide6-Addons) adds some 400 MB, and it decodes with libraries of its own: what
the model read is what should be heard.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.playback import DurationProbe, Playback

REDRAW_MS = 34  # at most 30 times a second


class Player(QObject):
    """One recording at a time. Nothing here waits: files and devices are opened on threads of their own."""

    position_changed = Signal(float)  # seconds
    playing_changed = Signal(bool)
    duration_changed = Signal(float)  # seconds, once it is known
    ended = Signal()  # at the end of the recording, or at ``until_s``
    failed = Signal(object)  # an EngineError, or an exception that is our bug

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._position_s = 0.0
        self._duration_s = 0.0
        self._until_s: float | None = None
        self._playback: Playback | None = None
        self._last: Playback | None = None  # it may still be closing its stream
        self._probe: DurationProbe | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self._tick)

    # What is asked

    @property
    def path(self) -> Path | None:
        """What is loaded."""
        return self._path

    @property
    def position_s(self) -> float:
        """What is heard now, or where playing goes on."""
        return self._playback.heard_s if self._playback is not None else self._position_s

    @property
    def duration_s(self) -> float:
        """Length of the recording; 0 while it is not known."""
        return self._duration_s

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._playback is not None

    # What is done

    def load(self, path: Path) -> None:
        """Take another recording; it stands at its beginning. What is wrong with it comes by ``failed``."""
        self.pause()
        self._path, self._duration_s = path, 0.0
        self._probe = DurationProbe(path)
        self._timer.start()
        self._move_to(0.0)

    def play(self, from_s: float | None = None, until_s: float | None = None) -> None:
        """Play from a time, or from where it stands; to the end, or to another time."""
        if self._path is None:
            return
        start_s = self.position_s if from_s is None else max(0.0, from_s)
        if from_s is None and self._duration_s and start_s >= self._duration_s - 0.05:
            start_s = 0.0  # it stands at its end: again
        was_playing = self.playing
        self._stop()
        self._until_s = until_s
        self._playback = Playback(self._path, start_s, until_s, after=self._last)
        self._playback.start()
        self._timer.start()
        self._move_to(start_s)
        if not was_playing:
            self.playing_changed.emit(True)

    def pause(self) -> None:
        """Stop where it is."""
        if self._playback is None:
            return
        self._move_to(self._stop())
        self.playing_changed.emit(False)

    def seek(self, to_s: float) -> None:
        """Go to a time, and play on if it plays."""
        to_s = max(0.0, min(to_s, self._duration_s) if self._duration_s else to_s)
        if self.playing:
            until_s = self._until_s
            self.play(to_s, until_s if until_s is not None and until_s > to_s else None)
        else:
            self._move_to(to_s)

    def close(self, wait_s: float = 1.0) -> None:
        """Fall silent, let go of file and device."""
        self.pause()
        self._timer.stop()
        self._path, self._probe = None, None
        if self._last is not None:
            self._last.join(wait_s)
            self._last = None

    def _stop(self) -> float:
        """Silence what plays; returns where that was."""
        if self._playback is None:
            return self._position_s
        heard_s = self._playback.heard_s
        self._playback.stop()
        self._last, self._playback = self._playback, None
        return heard_s

    def _move_to(self, position_s: float) -> None:
        self._position_s = position_s
        self.position_changed.emit(position_s)

    @Slot()
    def _tick(self) -> None:
        """Look at what the threads say: all signals come from the UI thread."""
        if self._probe is not None and self._probe.done:
            probe, self._probe = self._probe, None
            self._probed(probe)
        playback = self._playback
        if playback is None:
            if self._probe is None:
                self._timer.stop()
            return
        if playback.error is not None:
            self.pause()
            self.failed.emit(playback.error)
        elif playback.ended:
            self._move_to(playback.heard_s)
            self._stop()
            self.playing_changed.emit(False)
            self.ended.emit()
        elif playback.heard_s != self._position_s:
            self._move_to(playback.heard_s)

    def _probed(self, probe: DurationProbe) -> None:
        if probe.error is not None:
            if self._playback is None:  # else the playback says it
                self.failed.emit(probe.error)
        elif probe.duration_s:
            self._duration_s = probe.duration_s
            self.duration_changed.emit(probe.duration_s)
