"""``pollux chat``: one question and its answer, or a conversation.

In: arguments, standard input. Out: the answer on standard output as it comes, or as JSON.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.cli.console import Console
from engine.cli.interrupts import cancelled_by_ctrl_c
from engine.errors import EngineError
from engine.packs import Pack
from engine.results import Finished, Notice, Progress, TextChunk
from engine.store import Store
from engine.tasks.chat import GREEDY, ChatOptions, Turn, chat

if TYPE_CHECKING:
    from engine.runtime.language_model import LanguageModel

MAX_INPUT_BYTES = 50_000_000
HELP = "/reset forgets the conversation, /quit leaves; Ctrl-C stops an answer."


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model runs, and where."""
    parser.add_argument("--model", metavar="M", help="an installed model (default: the best one)")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, ... (default: auto)")
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="threads (default: one for each core)"
    )


def add_chat_arguments(parser: argparse.ArgumentParser) -> None:
    """What is asked, and how the answer is sampled."""
    add_model_arguments(parser)
    parser.add_argument("--prompt", metavar="T", help="ask this (default: standard input, or a conversation)")
    parser.add_argument("--system", metavar="T", help="instructions for the whole conversation")
    heat = parser.add_mutually_exclusive_group()
    heat.add_argument(
        "--greedy", action="store_true", help="always the likeliest word: the same answer each time"
    )
    heat.add_argument("--temperature", type=float, metavar="X", help="how daring (default: 0.7)")
    parser.add_argument("--top-k", type=int, metavar="N", help="choose among so many words")
    parser.add_argument(
        "--top-p", type=float, metavar="X", help="choose among words of this joint probability"
    )
    parser.add_argument(
        "--min-p", type=float, metavar="X", help="leave out words less likely than this share"
    )
    parser.add_argument(
        "--repetition-penalty", type=float, metavar="X", help="discourage repetition (1: off)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="the same answer for the same number")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="longest answer (default: 1024)")
    parser.add_argument("--stop", action="append", metavar="T", help="end the answer here (may be repeated)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each answer")


def chat_options(arguments: argparse.Namespace) -> ChatOptions:
    """The options that the arguments ask for; raises EngineError for values out of range."""
    chosen = {
        "max_new_tokens": arguments.max_tokens,
        "temperature": arguments.temperature,
        "top_k": arguments.top_k,
        "top_p": arguments.top_p,
        "min_p": arguments.min_p,
        "repetition_penalty": arguments.repetition_penalty,
        "seed": arguments.seed,
        "stop": tuple(arguments.stop) if arguments.stop else None,
    }
    start = GREEDY if arguments.greedy else ChatOptions()
    return replace(start, **{key: value for key, value in chosen.items() if value is not None})


def choose_pack(store: Store, name: str | None) -> Pack:
    """The pack called ``name``, or the best one for chat; raises EngineError."""
    return store.choose(name)


def open_model(arguments: argparse.Namespace, console: Console, store: Store) -> LanguageModel:
    """Load the model that the arguments name, and say what is to be said about it."""
    from engine.runtime.language_model import LanguageModel  # imports ONNX Runtime: not for "models list"

    pack = choose_pack(store, arguments.model)
    if console.err_is_terminal:
        console.progress(Progress("load", 0, None, "steps"))
    model = LanguageModel.open(pack, device=arguments.device, threads=arguments.threads)
    console.clear()
    for notice in model.notices:
        console.notice(notice)
    return model


def run_chat(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command."""
    options = chat_options(arguments)
    prompt = arguments.prompt
    if prompt is None and not _is_terminal(sys.stdin):
        prompt = read_input()
    if prompt is not None and not prompt.strip():
        raise EngineError("Nothing was asked.", "Give a question with --prompt, or on standard input.")
    start = [Turn("system", arguments.system)] if arguments.system else []
    with closing(open_model(arguments, console, store)) as model:
        if prompt is None:
            return _converse(model, start, options, console)
        return (
            130
            if answer(model, [*start, Turn("user", prompt)], options, console).reason == "cancelled"
            else 0
        )


def answer(model: LanguageModel, turns: Sequence[Turn], options: ChatOptions, console: Console) -> Finished:
    """Answer the last turn, on standard output; Ctrl-C stops it, and what was said is kept."""
    notices: list[Notice] = []
    finished: Finished | None = None
    with cancelled_by_ctrl_c() as cancel, closing(chat(model, turns, options, cancel)) as items:  # type: ignore[type-var]
        for item in items:
            if isinstance(item, TextChunk) and not console.as_json:
                console.text(item.text, end="")
            elif isinstance(item, Progress):
                console.progress(item)
            elif isinstance(item, Notice):
                notices.append(item)
                console.notice(item)
            elif isinstance(item, Finished):
                finished = item
    if finished is None:
        raise RuntimeError("the model ended without a closing item")
    if console.as_json:
        console.record(finished_record(finished, notices))
    else:
        console.text("")
    return finished


def finished_record(finished: Finished, notices: Sequence[Notice] = ()) -> dict[str, object]:
    """An answer as JSON; the keys are stable."""
    return {
        "text": finished.text,
        "model": finished.model,
        "provider": finished.provider,
        "finish_reason": finished.reason,
        "prompt_tokens": finished.prompt_tokens,
        "cached_tokens": finished.cached_tokens,
        "new_tokens": finished.new_tokens,
        "context_tokens": finished.context_tokens,
        "context_limit_tokens": finished.context_limit_tokens,
        "first_token_s": round(finished.first_token_s, 6),
        "prefill_s": round(finished.prefill_s, 6),
        "decode_s": round(finished.decode_s, 6),
        "decode_tokens_per_s": round(finished.decode_tokens_per_s, 3),
        "notices": [{"code": notice.code, "text": notice.text} for notice in notices],
    }


def read_input() -> str:
    """All of standard input as text; raises EngineError if it is none."""
    stream = getattr(sys.stdin, "buffer", None)
    content = stream.read(MAX_INPUT_BYTES + 1) if stream is not None else b""
    if len(content) > MAX_INPUT_BYTES:
        raise EngineError(
            "The input is larger than {limit} MB.", "Shorten it.", limit=MAX_INPUT_BYTES // 10**6
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EngineError(
            "The input is not valid UTF-8 text (byte {at}).",
            "Convert it to UTF-8 first, for example with iconv.",
            at=error.start,
        ) from error


def _converse(model: LanguageModel, start: list[Turn], options: ChatOptions, console: Console) -> int:
    """Questions and answers until somebody leaves."""
    console.note(f"{model.pack.display_name} on {model.provider}. {HELP}")
    turns = list(start)
    warned = False
    while True:
        try:
            line = _ask().strip()
        except EOFError:
            console.note("")
            return 0
        except KeyboardInterrupt:
            if warned:
                raise
            warned = True
            console.note("\nCtrl-C once more, or /quit, leaves.")
            continue
        warned = False
        if line in ("/quit", "/exit"):
            return 0
        if line == "/reset":
            turns = list(start)
            console.note("Forgotten.")
        elif line.startswith("/") and line[1:].isalpha():
            console.note(HELP)
        elif line:
            turns = _exchange(model, [*turns, Turn("user", line)], options, console)


def _exchange(model: LanguageModel, turns: list[Turn], options: ChatOptions, console: Console) -> list[Turn]:
    """One question and its answer; the conversation afterwards."""
    try:
        finished = answer(model, turns, options, console)
    except EngineError as error:  # the question is forgotten, the conversation goes on
        console.note(f"pollux: {error}")
        return turns[:-1]
    console.note(
        f"({finished.new_tokens} tokens, {finished.decode_tokens_per_s:.0f} a second, {finished.provider}"
        f"{', stopped' if finished.reason == 'cancelled' else ''})"
    )
    return [*turns, Turn("assistant", finished.text)] if finished.text.strip() else turns[:-1]


def _ask() -> str:
    """One line from the terminal, with editing where the system has it."""
    with suppress(ImportError):
        import readline  # noqa: F401 - importing it is what turns editing on
    return input("> ")


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", lambda: False)())
