"""Conversations in SQLite: whole after a kill at any moment, searchable in any script.

In: turns as they are written and answers as they stream. Out: conversations, messages, search hits.
Write-ahead logging and one transaction a change: what a method has returned from is on the disk of the
system. Full-text search uses FTS5's trigram tokenizer, which needs no word boundaries and so serves
Chinese; what it cannot do (fewer than three characters) is a plain LIKE.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import EngineError

Role = Literal["user", "assistant"]
State = Literal["streaming", "stop", "length", "cancelled", "failed"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_s REAL NOT NULL, updated_s REAL NOT NULL,
    preset TEXT NOT NULL DEFAULT 'assistant', system TEXT NOT NULL DEFAULT '', draft TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    role TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL, created_s REAL NOT NULL,
    model TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '',
    new_tokens INTEGER NOT NULL DEFAULT 0, tokens_per_s REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS drafts (name TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of ON messages(conversation, id);
"""
_SEARCH_SCHEMA = """
CREATE VIRTUAL TABLE IF NOT EXISTS messages_text
    USING fts5(text, content='messages', content_rowid='id', tokenize='trigram');
CREATE TRIGGER IF NOT EXISTS messages_added AFTER INSERT ON messages BEGIN
    INSERT INTO messages_text(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_removed AFTER DELETE ON messages BEGIN
    INSERT INTO messages_text(messages_text, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_changed AFTER UPDATE OF text ON messages BEGIN
    INSERT INTO messages_text(messages_text, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO messages_text(rowid, text) VALUES (new.id, new.text);
END;
"""


@dataclass(frozen=True)
class Conversation:
    """One conversation without its messages."""

    id: int
    title: str
    created_s: float
    updated_s: float
    preset: str
    system: str
    draft: str


@dataclass(frozen=True)
class Message:
    """One message. ``state`` of an answer says how it ended; ``streaming`` means that it was cut off."""

    id: int
    conversation: int
    role: Role
    text: str
    state: State
    created_s: float
    model: str
    provider: str
    new_tokens: int
    tokens_per_s: float


@dataclass(frozen=True)
class Hit:
    """A conversation that holds what was searched for, and the text around it."""

    conversation: Conversation
    excerpt: str


class History:
    """The one writer of the conversations file. Not thread-safe: the UI thread owns it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise _readable(error, path) from error
            # No database, or a damaged one: keep it for whoever can mend it, and begin a new one.
            self.set_aside = path.with_name(f"{path.stem}.damaged-{int(time.time())}{path.suffix}")
            path.replace(self.set_aside)
            for extra in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    path.with_name(path.name + extra).unlink()
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                "The folder {folder} cannot be written to: {reason}.",
                "Allow writing to it, or set POLLUX_HOME to another folder.",
                folder=self.path.parent,
                reason=error.strerror or error,
            ) from error
        db = sqlite3.connect(self.path, timeout=0.5, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            # The app is killed: nothing is lost, the system has it. Only a checkpoint waits for the disk itself,
            # and that is not for the UI thread: see :func:`checkpoint`.
            db.execute("PRAGMA wal_autocheckpoint=0")
            db.execute("PRAGMA foreign_keys=ON")
            db.executescript(_SCHEMA)
            self._has_search = True
            try:
                db.executescript(_SEARCH_SCHEMA)
            except sqlite3.OperationalError as error:
                if "no such" not in str(error):
                    raise
                self._has_search = False  # an SQLite without FTS5 or trigram: LIKE serves
        except sqlite3.Error:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._db.close()

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise _readable(error, self.path) from error

    # Conversations

    def create(self, title: str, preset: str = "assistant", system: str = "") -> Conversation:
        """Begin a conversation."""
        now = time.time()
        with self._change() as db:
            key = db.execute(
                "INSERT INTO conversations(title, created_s, updated_s, preset, system) VALUES (?,?,?,?,?)",
                (title, now, now, preset, system),
            ).lastrowid
        return self.get(int(key or 0))

    def get(self, conversation: int) -> Conversation:
        """One conversation; KeyError when it is gone."""
        row = self._db.execute("SELECT * FROM conversations WHERE id=?", (conversation,)).fetchone()
        if row is None:
            raise KeyError(conversation)
        return Conversation(**dict(row))

    def list(self, limit: int = 500) -> tuple[Conversation, ...]:
        """The conversations, the latest first."""
        rows = self._db.execute(
            "SELECT * FROM conversations ORDER BY updated_s DESC, id DESC LIMIT ?", (limit,)
        )
        return tuple(Conversation(*row) for row in rows)  # the columns are in the order of the fields

    def titles(self, limit: int = 500) -> tuple[tuple[int, str], ...]:
        """Number and title of the conversations, the latest first.

        As one row: SQLite gives up the interpreter at each, and while an answer streams it comes back late.
        """
        (text,) = self._db.execute(
            "SELECT json_group_array(json_array(id, title)) FROM "
            "(SELECT id, title FROM conversations ORDER BY updated_s DESC, id DESC LIMIT ?)",
            (limit,),
        ).fetchone()
        return tuple((key, title) for key, title in json.loads(text))

    def rename(self, conversation: int, title: str) -> None:
        """Give a conversation another title."""
        with self._change() as db:
            db.execute("UPDATE conversations SET title=? WHERE id=?", (title, conversation))

    def set_prompt(self, conversation: int, preset: str, system: str) -> None:
        """Keep the system prompt of a conversation."""
        with self._change() as db:
            db.execute(
                "UPDATE conversations SET preset=?, system=? WHERE id=?", (preset, system, conversation)
            )

    def draft(self, conversation: int | None) -> str:
        """What is written and not yet sent; None is the conversation that has not begun."""
        if conversation is not None:
            return self.get(conversation).draft
        row = self._db.execute("SELECT text FROM drafts WHERE name='new'").fetchone()
        return row["text"] if row else ""

    def set_draft(self, conversation: int | None, draft: str) -> None:
        """Keep what is written and not yet sent."""
        with self._change() as db:
            if conversation is None:
                db.execute("INSERT OR REPLACE INTO drafts(name, text) VALUES ('new', ?)", (draft,))
            else:
                db.execute("UPDATE conversations SET draft=? WHERE id=?", (draft, conversation))

    def delete(self, conversation: int) -> None:
        """Remove a conversation with its messages."""
        with self._change() as db:
            db.execute("DELETE FROM messages WHERE conversation=?", (conversation,))
            db.execute("DELETE FROM conversations WHERE id=?", (conversation,))

    # Messages

    def messages(self, conversation: int) -> tuple[Message, ...]:
        """The messages in order."""
        rows = self._db.execute("SELECT * FROM messages WHERE conversation=? ORDER BY id", (conversation,))
        return tuple(Message(**dict(row)) for row in rows)

    def add(
        self, conversation: int, role: Role, text: str, state: State = "stop", model: str = ""
    ) -> Message:
        """Append a message, and clear the draft that it came from if the user wrote it."""
        now = time.time()
        with self._change() as db:
            key = db.execute(
                "INSERT INTO messages(conversation, role, text, state, created_s, model) VALUES (?,?,?,?,?,?)",
                (conversation, role, text, state, now, model),
            ).lastrowid
            db.execute("UPDATE conversations SET updated_s=? WHERE id=?", (now, conversation))
            if role == "user":
                db.execute("UPDATE conversations SET draft='' WHERE id=?", (conversation,))
        row = self._db.execute("SELECT * FROM messages WHERE id=?", (key,)).fetchone()
        return Message(**dict(row))

    def save_answer(self, message: Message) -> None:
        """Keep an answer as it is now, whole or still streaming."""
        with self._change() as db:
            db.execute(
                "UPDATE messages SET text=?, state=?, model=?, provider=?, new_tokens=?, tokens_per_s=? WHERE id=?",
                (
                    message.text,
                    message.state,
                    message.model,
                    message.provider,
                    message.new_tokens,
                    message.tokens_per_s,
                    message.id,
                ),
            )

    def replace_from(self, message: Message, text: str) -> Message:
        """Put an edited question in the place of a message and of all that follow it, in one step."""
        now = time.time()
        with self._change() as db:
            db.execute(
                "DELETE FROM messages WHERE conversation=? AND id>=?", (message.conversation, message.id)
            )
            key = db.execute(
                "INSERT INTO messages(conversation, role, text, state, created_s) VALUES (?,'user',?,'stop',?)",
                (message.conversation, text, now),
            ).lastrowid
            db.execute("UPDATE conversations SET updated_s=? WHERE id=?", (now, message.conversation))
        row = self._db.execute("SELECT * FROM messages WHERE id=?", (key,)).fetchone()
        return Message(**dict(row))

    def cut_from(self, message: Message) -> None:
        """Remove a message and all that follow it (before a regeneration or an edited question)."""
        with self._change() as db:
            db.execute(
                "DELETE FROM messages WHERE conversation=? AND id>=?", (message.conversation, message.id)
            )

    # Search

    def search(self, query: str, limit: int = 50) -> tuple[Hit, ...]:
        """Conversations whose title or messages hold the query, the latest first."""
        query = query.strip()
        if not query:
            return ()
        found: dict[int, str] = {}
        like = "%" + query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        titles = self._db.execute("SELECT id FROM conversations WHERE title LIKE ? ESCAPE '\\'", (like,))
        found.update({int(row["id"]): "" for row in titles})
        if self._has_search and len(query) >= 3:
            rows = self._db.execute(
                "SELECT m.conversation, m.text FROM messages_text JOIN messages m ON m.id = messages_text.rowid "
                "WHERE messages_text MATCH ? ORDER BY m.id DESC LIMIT 1000",
                ('"' + query.replace('"', '""') + '"',),
            )
        else:
            rows = self._db.execute(
                "SELECT conversation, text FROM messages WHERE text LIKE ? ESCAPE '\\' ORDER BY id DESC LIMIT 1000",
                (like,),
            )
        for row in rows:
            if not found.get(int(row["conversation"])):
                found[int(row["conversation"])] = _excerpt(row["text"], query)
        hits = [Hit(self.get(key), excerpt) for key, excerpt in found.items()]
        hits.sort(key=lambda hit: hit.conversation.updated_s, reverse=True)
        return tuple(hits[:limit])


def checkpoint(path: Path) -> None:
    """Move what was written from the log to the file. Waits for the disk, so it runs on a pool."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=0.5)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _excerpt(text: str, query: str, around: int = 24) -> str:
    at = max(text.lower().find(query.lower()), 0)
    start, end = max(at - around, 0), at + len(query) + around
    piece = " ".join(text[start:end].split())
    return ("…" if start else "") + piece + ("…" if end < len(text) else "")


def _readable(error: sqlite3.Error, path: Path) -> EngineError:
    """An SQLite error in words that say what to do."""
    text = str(error)
    if "full" in text:
        return EngineError(
            "There is no room on the disk that holds {folder}; the last change was not saved.",
            "Free some space; what is on the screen is kept until Pollux is closed.",
            folder=path.parent,
        )
    if "locked" in text or "busy" in text:
        return EngineError(
            "Another program is writing to the conversations in {folder}; the last change was not saved.",
            "Close the other program and try again.",
            folder=path.parent,
        )
    if "readonly" in text or "unable to open" in text or "disk I/O" in text:
        return EngineError(
            "The conversations in {folder} cannot be written to; the last change was not saved.",
            "Allow writing to this folder, or set POLLUX_HOME to another folder.",
            folder=path.parent,
        )
    return EngineError(
        "The conversations could not be saved: {reason}.",
        "Copy {file} to a safe place; Pollux sets a damaged file aside when it starts.",
        reason=text,
        file=path,
    )
