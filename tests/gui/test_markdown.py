"""Markdown from models: harmless, and the same whether it comes at once or bit by bit."""

from __future__ import annotations

import pytest

from app.highlight import spans_of
from app.markdown import BLOCK_CHARS, CUT_WITHIN_CHARS, Segment, StreamSplitter, segments, to_html

DOCUMENT = """# Title

A paragraph with **bold** and `code`
on two lines.

```python
def f():
    return "```"

```
1. one
2. two

   more of two
3. three

~~~
tilde ``` inside
~~~

| a | b |
|---|---|
| 1 | 2 |

> quote
> more

````text
```
nested
```
````
最后一段。
"""


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
def test_streaming_gives_the_same_segments(step: int) -> None:
    splitter = StreamSplitter()
    parts: list[Segment] = []
    final_before: list[Segment] = []
    for end in [*range(step, len(DOCUMENT), step), len(DOCUMENT)]:
        parts, final = splitter.feed(DOCUMENT[:end])
        assert parts[: len(final_before)] == final_before  # what was final stays
        final_before = list(parts[:final])
    assert parts == segments(DOCUMENT)
    assert [part.source for part in parts if part.kind == "code"] == [
        'def f():\n    return "```"\n',
        "tilde ``` inside",
        "```\nnested\n```",
    ]


@pytest.mark.parametrize(
    "text", ["```py\nx = 1", "```py\nx = 1\n", "```py\nx\n```", "```py\nx\n``", "```", "a\n```\nb\n\n\n"]
)
def test_unfinished_code(text: str) -> None:
    splitter = StreamSplitter()
    parts: list[Segment] = []
    for end in range(1, len(text) + 1):
        parts, _ = splitter.feed(text[:end])
    assert parts == segments(text)


def test_another_text_begins_again() -> None:
    splitter = StreamSplitter()
    splitter.feed("```py\nx")
    assert splitter.feed("hello")[0] == segments("hello")


@pytest.mark.parametrize(
    "text", ["word " * 4000, "写作最难的是开始，" * 1500, "> quote\n" * 2000, "x" * 20_000]
)
def test_endless_blocks_are_cut(text: str) -> None:
    parts = segments(text)
    assert len(parts) > 3
    assert all(len(part.source) <= BLOCK_CHARS + CUT_WITHIN_CHARS for part in parts)
    assert "".join(part.source for part in parts).strip() == text.strip()


def test_html_is_harmless() -> None:
    made = to_html(
        '<script>alert(1)</script> <img src="http://x/y.png"> ![picture](http://x/y.png) '
        "[js](javascript:alert(1)) [file](file:///etc/passwd) [data](data:text/html,x) [ok](https://a.example)"
    )
    assert "<script" not in made and "<img" not in made
    assert made.count("<a ") == 1 and 'href="https://a.example"' in made
    assert "[picture]" in made


def test_long_lists_keep_their_numbers() -> None:
    text = "".join(f"{number}. some words in item {number} of the list\n" for number in range(1, 101))
    parts = segments(text)
    assert len(parts) > 1
    assert '<ol start="' in to_html(parts[1].source)


def test_code_is_coloured_in_utf16_units() -> None:
    spans = spans_of('x = "😀"  # 注释', "python")
    assert (4, 4, "string") in spans[0] or (4, 1, "string") in spans[0]
    assert spans[0][-1] == (10, 4, "comment")
    assert spans_of("x", "no such language") == []
