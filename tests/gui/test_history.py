"""Conversations: they survive being closed and being killed, are found in any script, and can be taken out."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.export_chat import to_json, to_markdown, write_export
from app.history import History, checkpoint
from engine.errors import EngineError


@pytest.fixture
def path(pollux_home: Path) -> Path:
    return pollux_home / "conversations.sqlite3"


def test_survives_reopening(path: Path) -> None:
    history = History(path)
    talk = history.create("巴黎", "writer", "Be short.")
    history.add(talk.id, "user", "What is the capital of France?")
    answer = history.add(talk.id, "assistant", "Par", "streaming", "SmolLM2 135M")
    history.set_draft(talk.id, "and of")
    history.close()
    again = History(path)
    assert [item.title for item in again.list()] == ["巴黎"]
    assert [item.text for item in again.messages(talk.id)] == ["What is the capital of France?", "Par"]
    assert again.messages(talk.id)[1] == answer
    assert again.draft(talk.id) == "and of"
    again.close()


def test_survives_a_kill_while_streaming(path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from app.history import History\n"
        "history = History(Path(sys.argv[1]))\n"
        "talk = history.create('killed')\n"
        "history.add(talk.id, 'user', 'question')\n"
        "answer = history.add(talk.id, 'assistant', '', 'streaming')\n"
        "for number in range(10**6):\n"
        "    answer = replace(answer, text=answer.text + f'{number} ')\n"
        "    history.save_answer(answer)\n"
        "    print(number, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    seen = 0
    while seen < 20:
        seen = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL) if hasattr(signal, "SIGKILL") else child.kill()
    rest = child.stdout.read().split("\n")
    child.wait()
    child.stdout.close()
    last = max([seen, *(int(line) for line in rest if line.isdigit())])
    history = History(path)
    question, answer = history.messages(history.list()[0].id)
    assert question.text == "question"
    assert answer.text.startswith("".join(f"{number} " for number in range(last + 1)))
    assert [hit.conversation.title for hit in history.search("question")] == ["killed"]
    history.close()


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("巴黎", ["中文"]),  # two characters: LIKE
        ("法国的首都", ["中文"]),  # trigrams
        ("capital", ["English"]),
        ("CAPITAL", ["English"]),
        ("100%", ["percent"]),
        ('"quoted', ["percent"]),
        ("Engl", ["English"]),  # a title
        ("nothing like it", []),
        ("  ", []),
    ],
)
def test_search(path: Path, query: str, titles: list[str]) -> None:
    history = History(path)
    for title, text in (
        ("中文", "法国的首都是巴黎。"),
        ("English", "The capital is Paris."),
        ("percent", '100% "quoted"'),
    ):
        history.add(history.create(title).id, "assistant", text)
    assert [hit.conversation.title for hit in history.search(query)] == titles
    history.close()


def test_search_follows_edits_and_deletion(path: Path) -> None:
    history = History(path)
    talk = history.create("talk")
    question = history.add(talk.id, "user", "an elephant")
    history.replace_from(question, "a giraffe")
    assert history.search("elephant") == ()
    assert len(history.search("giraffe")) == 1
    history.delete(talk.id)
    assert history.search("giraffe") == ()
    assert history.list() == ()
    history.close()


def test_rename_and_cut(path: Path) -> None:
    history = History(path)
    talk = history.create("talk")
    history.add(talk.id, "user", "one")
    second = history.add(talk.id, "assistant", "two")
    history.add(talk.id, "user", "three")
    history.cut_from(second)
    history.rename(talk.id, "another")
    assert history.get(talk.id).title == "another"
    assert [item.text for item in history.messages(talk.id)] == ["one"]
    history.close()


def test_damaged_file_is_set_aside(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)
    history = History(path)
    assert history.set_aside is not None
    assert history.set_aside.read_bytes().startswith(b"this is no database")
    history.create("works")
    history.close()


def test_locked_file_gives_one_clear_line(path: Path) -> None:
    history = History(path)
    talk = history.create("talk")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(EngineError, match="Another program is writing"):
        history.add(talk.id, "user", "lost?")
    other.execute("ROLLBACK")
    other.close()
    history.add(talk.id, "user", "not lost")
    assert [item.text for item in history.messages(talk.id)] == ["not lost"]
    history.close()


def test_full_disk_gives_one_clear_line_and_keeps_the_rest(path: Path) -> None:
    history = History(path)
    talk = history.create("talk")
    history.add(talk.id, "user", "kept")
    pages = history._db.execute("PRAGMA page_count").fetchone()[0]
    history._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be full
    with pytest.raises(EngineError, match="no room on the disk"):
        history.add(talk.id, "user", "x" * 100_000)
    assert [item.text for item in history.messages(talk.id)] == ["kept"]
    history._db.execute("PRAGMA max_page_count=1000000")
    history.add(talk.id, "user", "later")
    history.close()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot be written"):
        History(tmp_path / "file" / "conversations.sqlite3")


def test_export(path: Path, tmp_path: Path) -> None:
    history = History(path)
    talk = history.create("标题", system="Be short.")
    history.add(talk.id, "user", "你好")
    history.add(talk.id, "assistant", "您好！", model="Qwen")
    talk, messages = history.get(talk.id), history.messages(talk.id)
    target = tmp_path / "导出 ü.md"
    write_export(target, to_markdown(talk, messages, "You", "Pollux"))
    assert (
        target.read_text(encoding="utf-8") == "# 标题\n\n> Be short.\n\n## You\n\n你好\n\n## Qwen\n\n您好！\n"
    )
    data = json.loads(to_json(talk, messages))
    assert [item["text"] for item in data["messages"]] == ["你好", "您好！"]
    assert data["created"].endswith("+00:00")
    with pytest.raises(EngineError, match="could not be written"):
        write_export(tmp_path / "missing" / "x.md", "text")
    history.close()


def test_checkpoint_moves_the_log_to_the_file_beside_an_open_history(path: Path) -> None:
    history = History(path)
    talk = history.create("long")
    for number in range(300):
        history.add(talk.id, "user", f"{number} " * 500)
    small = path.stat().st_size
    checkpoint(path)
    assert path.stat().st_size > small
    assert len(history.messages(talk.id)) == 300
    history.close()
    checkpoint(path.parent / "gone" / "nowhere.sqlite3")  # says nothing: it is no one's concern
