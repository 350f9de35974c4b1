"""Opens a file of sound or video for FFmpeg (through PyAV), and nothing else than that file.

In: the path of an untrusted file. Out: an open container, and one clear EngineError for each way in which that can fail.
FFmpeg gets an open file, no name, may use no protocol at all, and only formats that hold their sound themselves: a
playlist, or a film that refers to other files, reaches neither the disk nor the network.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.error import FFmpegError

from engine.errors import EngineError

av.logging.set_level(None)  # what goes wrong is raised; said on a user's terminal too, it is noise

FORMATS = (
    "3dostr aa aac aax ac3 adx aea aiff alp amr amrnb amrwb amv ape asf asf_o ast au avi bonk brstm caf codec2 daud dcstr "
    "dhav dsf dss dts dtshd dv dxa eac3 flac flv fsb g722 g726 g729 gsm gxf hca hcom iamf iff ircam ivf kux kvag laf lc3 "
    "live_flv loas matroska mlp mmf mov mp3 mpc mpc8 mpeg mpegts mpegvideo mxf nistsphere nsv nut nuv ogg oma osq paf pva "
    "pvf qcp qoa rka rm rpl rso sbc sds shn sln smjpeg smk sol sox spdif swf tak truehd tta ty voc vqf w64 wady wav wavarc "
    "webm wsd wtv wv wve xa xwma h261 h263 h264 hevc m4v mjpeg gif av1 obu vc1 ivr"
)
OPTIONS = {
    "format_whitelist": ",".join(FORMATS.split()),
    "protocol_whitelist": "none",
    "enable_drefs": "0",  # of mov: files that a film refers to
}
BUFFER_BYTES = 1 << 16
HEAD_BYTES = 1024
# The beginning of files that name others to play, and of notes without sound.
LISTS = (
    b"#extm3u",
    b"ffconcat",
    b"[playlist]",
    b"<asx",
    b"<smil",
    b"v=0",
    b"[reference]",
    b"rtsp://",
    b"http",
)
LISTS_XML = (b"<mpd", b"<playlist", b"<smoothstreamingmedia", b"<asx", b"<smil")
NOTES = b"MThd"
MP4_BOXES = (b"ftyp", b"mdat", b"moov", b"free", b"wide")


class _File(io.FileIO):
    """FFmpeg looks at a file's name, for its ending and as a place where other files are: it has none."""

    name = ""  # type: ignore[assignment]


def open_container(path: Path) -> InputContainer:
    """Open ``path``; the caller closes the container, which does not raise. Raises EngineError."""
    file = _opened(path)
    try:
        return av.open(
            file, mode="r", container_options=OPTIONS, buffer_size=BUFFER_BYTES, metadata_errors="replace"
        )
    except (FFmpegError, OSError, ValueError, EOFError) as error:
        raise _not_opened(path, file, error) from error


def _opened(path: Path) -> _File:
    values = {"file": path.name, "folder": str(path.parent)}
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise EngineError("{file} is a folder.", "Choose a file with sound.", **values)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device could wait for ever
            raise EngineError("{file} is not a file.", "Choose a file with sound.", **values)
        if status.st_size == 0:
            raise EngineError(
                "{file} is empty.", "Copy or record it again; there is nothing in it.", **values
            )
        return _File(os.fspath(path), "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EngineError("{file} does not exist.", "Look for it in {folder}.", **values) from error
    except PermissionError as error:
        raise EngineError(
            "You have no permission to read {file}.",
            "Change its permissions, or copy it elsewhere.",
            **values,
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> EngineError:
    """The disk, or what stands for one, does not give the file."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return EngineError(
        "{file} cannot be read: {reason}.",
        "Copy it to another place and try that.",
        file=path.name,
        reason=text,
    )


def not_decoded(path: Path) -> EngineError:
    """There is sound, and a decoder for it, and nothing comes out."""
    return EngineError(
        "The sound in {file} cannot be decoded.",
        "It is damaged or copy-protected. Try to play it, and convert it, or get it again.",
        file=path.name,
    )


def _not_opened(path: Path, file: _File, error: Exception) -> EngineError:
    """Why FFmpeg did not open a file, from what the file begins with."""
    if isinstance(error, OSError) and not isinstance(error, FFmpegError):
        return unreadable(path, error)
    if isinstance(error, FFmpegError) and getattr(error, "errno", 0) == errno.ENOMEM:
        return not_decoded(path)
    try:
        file.seek(0)
        head = file.read(HEAD_BYTES) or b""
    except (OSError, ValueError):
        head = b""
    finally:
        file.close()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(LISTS) or (text.startswith(b"<") and any(mark in text for mark in LISTS_XML)):
        return EngineError(
            "{file} is a playlist: it names other files and holds no sound.",
            "Choose the files that it names.",
            file=path.name,
        )
    if head.startswith(NOTES):
        return EngineError(
            "{file} is a MIDI file: it holds notes and no sound.", "Choose a recording.", file=path.name
        )
    if head[4:8] in MP4_BOXES:
        return EngineError(
            "{file} is not complete: its index is missing.",
            "If it is being recorded or copied, wait until that is done; else get it again.",
            file=path.name,
        )
    return EngineError(
        "{file} is neither sound nor video, or it is damaged.",
        "Try to play it, and convert it, or get it again.",
        file=path.name,
    )
