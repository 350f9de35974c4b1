"""A recording with the microphone: opened, shown as it is heard, paused, stopped so that nothing said is lost.

In: what the user does, a recorder and the engine's live transcription. Out: signals for the pane; the segments go to
the session's item. Whatever happens, the sound is kept as a WAV file, which can be transcribed like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.host import Host
from app.jobs import Job
from app.paths import recordings_folder
from app.settings import SettingsStore
from app.sound import SoundDoor
from app.speech_items import SpeechItem
from app.speech_session import SpeechSession
from engine.cancel import Cancel
from engine.disk import not_written
from engine.errors import EngineError

if TYPE_CHECKING:
    from app.microphone import InputDevice, Recorder

LEVEL_MS = 40
State = Literal["idle", "opening", "recording", "paused", "finishing"]


class SpeechRecorder(QObject):
    """The one recording that goes on, if any."""

    state_changed = Signal()
    level_changed = Signal()  # level and seconds
    devices_changed = Signal()
    problem = Signal(object)  # EngineError: the recording did not begin, or ended by itself
    silence = Signal(object)  # EngineError while nothing is heard, None when it is over
    file_problem = Signal(object)  # EngineError
    failed = Signal(object)  # EngineError of the live transcription; the recording goes on
    crashed = Signal(object)

    def __init__(
        self,
        host: Host,
        session: SpeechSession,
        settings: SettingsStore,
        sound: SoundDoor,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._host, self._session, self._settings = host, session, settings
        self._sound = sound
        self.state: State = "idle"
        self.devices: tuple[InputDevice, ...] | None = None  # None until they were asked for
        self.devices_error: EngineError | None = None
        self.level_db = -120.0
        self.seconds = 0.0
        self.item: SpeechItem | None = None
        self._recorder: Recorder | None = None
        self._open_job: Job | None = None
        self._live_job: Job | None = None
        self._devices_job: Job | None = None
        self._silent = False
        self._file_told = False
        self._timer = QTimer(self)
        self._timer.setInterval(LEVEL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def active(self) -> bool:
        """Whether a recording goes on or is being finished."""
        return self.state != "idle"

    # Devices

    def find_devices(self) -> None:
        """Ask the system what can be recorded from."""
        if self._devices_job is None and not self.active:
            job = Job(lambda _cancel: iter((self._sound.microphones(),)), "microphones")
            job.signals.item.connect(self._devices_found)
            job.signals.failed.connect(self._devices_failed)
            job.signals.ended.connect(self._devices_ended)
            self._devices_job = job
            self._host.jobs.start_files(job)

    @Slot(object, object)
    def _devices_found(self, _job: Job, devices: tuple[InputDevice, ...]) -> None:
        self.devices, self.devices_error = devices, None
        self.devices_changed.emit()

    @Slot(object, object)
    def _devices_failed(self, _job: Job, error: Exception) -> None:
        if isinstance(error, EngineError):
            self.devices, self.devices_error = (), error
            self.devices_changed.emit()
        else:
            self.crashed.emit(error)

    @Slot(object)
    def _devices_ended(self, _job: Job) -> None:
        self._devices_job = None

    # What the user does

    def start(self) -> None:
        """Begin. Opening a microphone takes a moment, so not here on the UI thread."""
        if self.active or self._host.best_pack("speech") is None:
            return
        path = recordings_folder() / f"{datetime.now():%Y-%m-%d %H.%M.%S}.wav"
        device, sound = self._settings.value.microphone, self._sound
        self._silent, self._file_told = False, False
        self.seconds, self.level_db = 0.0, -120.0
        self._set_state("opening")
        self._session.hold()
        job = Job(lambda cancel: _opened(sound, device, path, cancel), "open the microphone")
        job.signals.item.connect(self._opened)
        job.signals.failed.connect(self._open_failed)
        self._open_job = job
        self._host.jobs.start_files(job)

    @Slot(object, object)
    def _opened(self, job: Job, recorder: Recorder) -> None:
        if job is not self._open_job:
            return
        pack = self._host.best_pack("speech")
        self._open_job, self._recorder = None, recorder
        path = recorder.wav_path or recordings_folder() / "recording.wav"
        self.item = self._session.add_recording(path)
        self.item.choices = choices = self._session.choices()
        self._timer.start()
        self._set_state("recording")
        if pack is None:
            return
        live = self._host.speech.listen_job(pack, recorder, recorder.wav_path, choices)
        live.signals.item.connect(self._got)
        live.signals.failed.connect(self._live_failed)
        live.signals.ended.connect(self._live_ended)
        self._live_job = live
        self._host.speech.start(live)

    @Slot(object, object)
    def _open_failed(self, job: Job, error: Exception) -> None:
        if job is not self._open_job:
            return
        self._open_job = self._recorder = None
        self._set_state("idle")
        self._session.release()
        self._tell(error, self.problem)

    def pause(self) -> None:
        """Leave out what is said from now on."""
        if self.state == "recording" and self._recorder is not None:
            self._recorder.pause()
            self._set_state("paused")

    def resume(self) -> None:
        """Go on."""
        if self.state == "paused" and self._recorder is not None:
            self._recorder.resume()
            self._set_state("recording")

    def stop(self) -> None:
        """End the recording. What was said last still comes."""
        if self.state not in ("recording", "paused") or self._recorder is None or self.item is None:
            return
        self._recorder.stop()
        self._timer.stop()
        self.seconds = self._recorder.seconds
        self.item.total_ms = round(1000 * self.seconds)
        self.item.state = "finishing"
        self._session.item_changed.emit(self.item)
        self._hush()
        self._set_state("finishing")
        if self._live_job is None:  # the live transcription broke before
            self._end("failed" if self.item.error is not None else "stopped")

    def toggle(self) -> None:
        """Start, or stop."""
        self.stop() if self.active else self.start()

    def _set_state(self, state: State) -> None:
        self.state = state
        self.state_changed.emit()

    # What comes back

    @Slot()
    def _poll(self) -> None:
        recorder = self._recorder
        if recorder is None or self.item is None:
            return
        self.level_db, self.seconds = recorder.level.rms_db, recorder.seconds
        self.item.done_ms = round(1000 * self.seconds)
        self.level_changed.emit()
        silence = recorder.silence_problem
        if (silence is not None) != self._silent:
            self._silent = silence is not None
            self.silence.emit(silence)
        if recorder.file_problem is not None and not self._file_told:
            self._file_told = True
            if recorder.wav_path is not None:
                self.item.path = recorder.wav_path
            self.file_problem.emit(recorder.file_problem)
        if recorder.problem is not None:
            problem = recorder.problem
            self.stop()
            self.problem.emit(problem)

    def _hush(self) -> None:
        if self._silent:
            self._silent = False
            self.silence.emit(None)

    @Slot(object, object)
    def _got(self, job: Job, got: object) -> None:
        if job is not self._live_job or self.item is None:
            return
        self._session.take(self.item, got)

    @Slot(object, object)
    def _live_failed(self, job: Job, error: Exception) -> None:
        if job is not self._live_job:
            return
        if self.item is not None and isinstance(error, EngineError):
            self.item.error = error
        self._tell(error, self.failed)

    @Slot(object)
    def _live_ended(self, job: Job) -> None:
        if job is not self._live_job or self.item is None:
            return
        self._live_job = None
        done = self.item.transcribed
        if self.state == "finishing":
            if self.item.error is not None:
                self._end("failed")
            else:
                self._end("done" if done is not None and done.reason == "stop" else "stopped")

    def _end(self, state: Literal["done", "stopped", "failed"]) -> None:
        item = self.item
        assert item is not None
        item.state, item.live, item.choices = state, None, None
        self.item = self._recorder = None
        self._set_state("idle")
        self._session.end(item)
        self._session.release()

    def _tell(self, error: Exception, signal) -> None:
        if isinstance(error, EngineError):
            signal.emit(error)
        else:
            self.crashed.emit(error)

    def close(self) -> None:
        """End the recording; its file is whole. Called before the host waits for its jobs."""
        self._timer.stop()
        for job in (self._open_job, self._live_job):
            if job is not None:
                job.cancel.set()
        if self._recorder is not None:
            self._recorder.stop(2.0)
        self._open_job = self._live_job = None


def _opened(sound: SoundDoor, device: str, path: Path, cancel: Cancel) -> Iterator[object]:
    """On the file pool: a microphone takes a moment to open, and its library to load."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path.parent, error) from error
    recorder = sound.recorder(device, path)
    recorder.start()
    if cancel.is_set:
        recorder.stop(2.0)
        return
    yield recorder
