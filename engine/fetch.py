"""Gets one file over HTTPS: the only place where Pollux opens a connection.

In: a URL, where the file goes, its sha256 and size. Out: the file, whole and verified, or nothing; and
:class:`Progress` on the way. What was got before an interruption is kept beside the target in ``NAME.part``
and continued.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from engine.cancel import Cancel
from engine.disk import check_space, not_written
from engine.errors import EngineError
from engine.file_lock import LockedError, file_lock
from engine.results import Progress

CHUNK_BYTES = 1 << 18
STALL_S = 30.0  # without a single byte
ATTEMPTS = 4  # for a connection that breaks; each that gets further starts the count again
PAUSE_S = 0.5  # before the next attempt
USER_AGENT = "Pollux (model download)"


# What a connection ends with; every other OSError is about the disk.
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError)


def fetch(url: str, target: Path, sha256: str, size_bytes: int, cancel: Cancel) -> Iterator[Progress]:
    """Get ``url`` into ``target``; nothing is done if it is there already and right.

    Ends early, keeping the part, when cancelled. Raises EngineError: no connection, another writer, full disk,
    a file that is not the one expected.
    """
    _check_address(url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(target.with_name(f"{target.name}.lock")):
            yield from _fetch(url, target, sha256, size_bytes, cancel)
    except LockedError as error:
        raise EngineError(
            "{file} is being downloaded by another Pollux.",
            "Wait until it is done, or close the other program.",
            file=target.name,
        ) from error
    except OSError as error:
        raise not_written(target, error) from error


def _fetch(url: str, target: Path, sha256: str, size_bytes: int, cancel: Cancel) -> Iterator[Progress]:
    if target.is_file() and target.stat().st_size == size_bytes and _hash(target) == sha256:
        yield Progress("fetch", size_bytes, size_bytes, "bytes")
        return
    part = target.with_name(f"{target.name}.part")
    have = part.stat().st_size if part.is_file() else 0
    if have > size_bytes:
        part.unlink()
        have = 0
    check_space(target.parent, size_bytes - have)
    left = ATTEMPTS
    while have < size_bytes:
        before = have
        problem: Exception | None = None
        try:
            for have in _receive(url, part, have, size_bytes, cancel):  # noqa: B020 - how far it came also counts after
                yield Progress("fetch", have, size_bytes, "bytes")
                if cancel.is_set:
                    return
        except _BROKEN as error:
            problem = error
        if cancel.is_set:
            return
        left = ATTEMPTS if have > before else left - 1
        if have < size_bytes:
            if left == 0 or _is_final(problem):
                raise _no_connection(url, problem) from problem
            time.sleep(PAUSE_S)
    if _hash(part) != sha256:
        part.unlink()
        raise EngineError(
            "The download of {file} is not the file that was expected, and was thrown away.",
            "Try again; if it happens again, the source has changed or something on the way alters it.",
            file=target.name,
        )
    part.replace(target)
    yield Progress("fetch", size_bytes, size_bytes, "bytes")


def _receive(url: str, part: Path, have: int, size_bytes: int, cancel: Cancel) -> Iterator[int]:
    """One connection: appends to ``part`` and yields how many bytes are there; returns when it ends."""
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with (
        _OPENER.open(request, timeout=STALL_S) as response,
        cancel.interrupting(lambda: _hang_up(response)),  # a read that waits would not see the flag
    ):
        if have and not (response.status == 206 and _starts_at(response.headers.get("Content-Range"), have)):
            have = 0  # the server sends the whole file again
        with part.open("ab" if have else "wb") as out:
            try:
                while have < size_bytes and (chunk := response.read1(min(CHUNK_BYTES, size_bytes - have))):
                    out.write(chunk)
                    have += len(chunk)
                    yield have
            finally:
                out.flush()
                os.fsync(out.fileno())


def _hang_up(response: http.client.HTTPResponse) -> None:
    """End a connection from another thread, so that a waiting read returns."""
    with suppress(OSError, ValueError):  # closed already
        connection = socket.socket(fileno=response.fileno())
        try:
            connection.shutdown(socket.SHUT_RDWR)
        finally:
            connection.detach()


def _starts_at(content_range: str | None, have: int) -> bool:
    return bool(content_range) and str(content_range).replace("bytes", "").strip().startswith(f"{have}-")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where the first request could have gone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # noqa: PLR0917 - urllib's signature
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SafeRedirects)


def _check_address(url: str) -> None:
    """HTTPS only; plain HTTP only to this very machine."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return
    raise EngineError("{url} is not a safe address.", "Use one that begins with https://", url=url[:200])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_final(problem: Exception | None) -> bool:
    """Whether asking again is pointless: the server answered, and it was no (429 and 5xx may pass)."""
    return isinstance(problem, urllib.error.HTTPError) and problem.code < 500 and problem.code != 429


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _no_connection(url: str, problem: Exception | None) -> EngineError:
    host = urllib.parse.urlsplit(url).hostname or url
    if isinstance(problem, urllib.error.HTTPError):
        return EngineError(
            "{host} does not hand out the file: it answered {code}.",
            "Try again later.",
            host=host,
            code=problem.code,
        )
    reason = getattr(problem, "reason", None) or problem or "the connection ended early"
    return EngineError(
        "The download from {host} failed: {reason}.",
        "Check the internet connection and try again: it goes on where it stopped.",
        host=host,
        reason=str(reason)[:200],
    )
