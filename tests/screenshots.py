"""Pictures of the app, made from the app itself.

In: a folder for pictures of every pane, theme and language, with an engine that answers what it is told; or
``--readme FILE``, the pictures of the README: a conversation with an installed model, greedy, in the light theme, and beside
it ``speech.png``, two recordings transcribed by an installed speech model, and ``images.png``, photos described by an
installed image model.
Out: PNG files. The user's conversations and settings are neither read nor changed.
Run: ``python -m tests.screenshots [--speech | --images] FOLDER``, and
``python -m tests.screenshots --readme resources/screenshots/chat.png [--model NAME]`` (the model comes from the data
folder, as everywhere: ``POLLUX_HOME``, or the usual place; without one the picture has the engine that is told).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.gui import Desktop
    from engine.store import Store
    from tests.image_pictures import ImagePictures
    from tests.speech_pictures import SpeechPictures

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

README_QUESTIONS = (
    "What is the capital of France?",
    "Write a short Python function that says whether a year is a leap year.",
)
README_ANSWERS = (
    "The capital of France is **Paris**.",
    "```python\ndef is_leap(year: int) -> bool:\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n```",
)
README_SPEECH = ("english.mp4", "chinese.flac")
README_PHOTOS = ("rocket.jpg", "coffee.jpg", "cat.jpg")
README_WORD = "cat"  # which shows where the model looked
SIZE = (1180, 800)
LONG = """Here is a short plan.

1. **Boil** the water and weigh 18 g of coffee.
2. Grind it *medium-fine*; it should feel like table salt.
3. Pour slowly, in circles, over two minutes.

| Step | Time | Water |
|------|------|-------|
| Bloom | 0:00 | 40 g |
| First pour | 0:30 | 120 g |
| Second pour | 1:15 | 300 g |

```python
def ratio(coffee_g: float, water_g: float = 300) -> float:
    \"\"\"Water for each gram of coffee.\"\"\"
    return water_g / coffee_g   # 16 is a good start


print(f"1 : {ratio(18):.1f}")
```

> Taste it before you change two things at once.

See [the guide](https://example.org/coffee) or run `ratio(18)`. <script>alert(1)</script> ![a picture](http://example.org/x.png)
"""
CHINESE = """当然可以。以下是三点建议：

1. **先列提纲**：写下你想说的三件事，每件一句话。
2. **一次只改一处**：改完读一遍，再改下一处。
3. 用 `git diff` 看清每次改动。

```python
def 问候(名字: str) -> str:
    return f"你好，{名字}！"   # 全角标点也能正确显示
```

写作最难的部分是开始，一旦开始，后面就会顺利很多。"""


def settle(ms: int = 250) -> None:
    """Let the app do what it has begun; the cursor does not blink into a picture."""
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()
    focus = QApplication.focusWidget()
    if focus is not None:
        focus.clearFocus()


def until_idle(desktop: Desktop) -> None:
    """Wait for the model and the answer."""
    while desktop.host.model.status == "loading" or desktop.session.busy or desktop.host.jobs.busy:
        settle(50)
    settle()


def make_readme(target: Path, model: str) -> int:
    """The picture of the README."""
    from engine.store import Store

    store = Store.default()  # the user's, before the data folder is another
    os.environ["POLLUX_HOME"] = tempfile.mkdtemp()
    from app.gui import Desktop, make_application
    from app.host import EngineDoor
    from tests.fakes import FakeDoor

    class RealDoor(EngineDoor):
        """The user's models without the user's conversations."""

        def store(self) -> Store:
            return store

    app = make_application([])
    packs = store.list()
    told = FakeDoor()
    desktop = Desktop(app, RealDoor() if packs else told)
    desktop.settings.change(theme="light", language="en", greedy=True, model=model or "smollm2-135m")
    settle()
    desktop.window.resize(*SIZE)
    desktop.window.show()
    desktop.begin()
    until_idle(desktop)
    if desktop.host.model.status != "ready":
        print("no model could be loaded", file=sys.stderr)
        return 1
    desktop.window.new_chat()
    for question, answer in zip(README_QUESTIONS, README_ANSWERS, strict=True):
        told.answer = answer
        desktop.session.send(question)
        until_idle(desktop)
    target.parent.mkdir(parents=True, exist_ok=True)
    desktop.window.grab().save(str(target), "PNG", 0)  # 0: the smallest file
    for message in desktop.session.messages:
        print(f"{message.role}: {message.text}")
    if store.best(kind="speech") is not None:
        desktop.window.take_files(
            [Path(__file__).parent / "data" / "speech" / name for name in README_SPEECH]
        )
        until_idle(desktop)
        desktop.speech.select(desktop.speech.items[0])
        until_idle(desktop)
        desktop.window.grab().save(str(target.with_name("speech.png")), "PNG", 0)
    if store.best(kind="image") is not None:
        for name in README_PHOTOS:
            desktop.window.take_files([Path(__file__).parent / "data" / "photos" / name])
            until_idle(desktop)
        print(*(made.text for item in desktop.images.items for made in item.results.values()), sep="\n")
        desktop.window.images.result.caption.point_at_word(README_WORD)
        settle(400)
        desktop.window.grab().save(str(target.with_name("images.png")), "PNG", 0)
    print(f"{target}: {target.stat().st_size} bytes")
    desktop.window.close()
    return 0


def make_speech(desktop: Desktop, pictures: SpeechPictures, folder: Path, grab: Callable[[str], None]) -> int:
    """The speech pane: every state, theme, language, size of window and of text."""
    change, window = desktop.settings.change, desktop.window
    for language, theme in (("en", "light"), ("zh_CN", "dark"), ("zh_CN", "light"), ("en", "dark")):
        change(theme=theme, language=language)
        settle()
        pictures.all(folder, f"{language}-{theme}", grab)
    change(theme="light", language="en")
    window.resize(900, 600)
    settle()
    pictures.all(folder, "900x600", grab)
    change(text_size=150)
    settle()
    pictures.all(folder, "900x600-150", grab)
    change(language="zh_CN")
    settle()
    pictures.all(folder, "zh-900x600-150", grab)
    window.resize(*SIZE)
    settle()
    pictures.all(folder, "zh-150", grab)
    window.close()
    return 0


def make_images(
    desktop: Desktop, pictures: ImagePictures, folder: Path, grab: Callable[[str], None], only: str
) -> int:
    """The image pane: every state, in the looks whose names hold ``only``."""
    looks = (
        ("en-light", {"theme": "light", "language": "en"}, SIZE),
        ("zh-dark", {"theme": "dark", "language": "zh_CN"}, SIZE),
        ("zh-light", {"theme": "light", "language": "zh_CN"}, SIZE),
        ("en-dark", {"theme": "dark", "language": "en"}, SIZE),
        ("900x600", {"theme": "light", "language": "en"}, (900, 600)),
        ("zh-900x600-150", {"theme": "light", "language": "zh_CN", "text_size": 150}, (900, 600)),
    )
    for end, changes, size in looks:
        if only not in end:
            continue
        desktop.settings.change(**({"text_size": 100} | changes))
        desktop.window.resize(*size)
        settle()
        pictures.all(folder, end, grab)
    desktop.window.close()
    return 0


def make_all(folder: Path, only: str = "", look: str = "", photos: Path | None = None) -> int:
    """Every pane, theme and language."""
    os.environ["POLLUX_HOME"] = tempfile.mkdtemp()
    from PySide6.QtWidgets import QApplication

    from app.gui import Desktop, make_application
    from app.host import ModelState
    from engine.catalogue import read_catalogue
    from engine.errors import EngineError
    from tests.fake_speech import FakeSound
    from tests.fakes import FakeDoor, FakeStore, fake_pack, qwen_pack
    from tests.image_pictures import ImagePictures
    from tests.speech_pictures import SpeechPictures

    folder.mkdir(parents=True, exist_ok=True)
    app = make_application([])
    assert isinstance(app, QApplication)
    door = FakeDoor(the_store=FakeStore([fake_pack()]), entries=read_catalogue().entries)
    sound = FakeSound()
    desktop = Desktop(app, door, sound)
    window = desktop.window
    window.resize(*SIZE)
    window.show()
    desktop.begin()
    settle()
    speech = SpeechPictures(desktop, door, sound, settle)

    def grab_now(name: str) -> None:
        settle()
        window.grab().save(str(folder / f"{name}.png"))

    if only == "speech":
        return make_speech(desktop, speech, folder, grab_now)
    if only == "images":
        return make_images(desktop, ImagePictures(desktop, door, settle, photos), folder, grab_now, look)

    def grab(name: str) -> None:
        until_idle(desktop)
        window.grab().save(str(folder / f"{name}.png"))

    def ask(question: str, answer: str) -> None:
        door.answer = answer
        desktop.session.send(question)
        until_idle(desktop)

    def panes(end: str) -> None:
        window.show_home()
        grab(f"home-{end}")
        window.show_models()
        grab(f"models-{end}")
        window.show_preferences()
        grab(f"preferences-{end}")

    for language, theme in (("en", "light"), ("en", "dark"), ("zh_CN", "light"), ("zh_CN", "dark")):
        desktop.settings.change(theme=theme, language=language)
        settle()
        panes(f"{language}-{theme}")
        window.new_chat()
        grab(f"empty-{language}-{theme}")
        if language == "en":
            ask("How do I make good filter coffee?", LONG)
        else:
            ask("怎样写好一篇短文？能不能顺便给一个 Python 的例子？", CHINESE)
        grab(f"chat-{language}-{theme}")
    # Two models, one with a long name; a packaged app, which cannot build; large text; a narrow window.
    door.the_store.packs.append(
        qwen_pack(display_name="Qwen2.5 Coder 1.5B Instruct, 调整过的 Q4_K_M variant no. 17")
    )
    door.builder_error = EngineError(
        "This installation of Pollux cannot build models: it comes without the exporter.",
        "Build the model with a checkout of Pollux (python3 dev.py export build NAME) and import its folder.",
    )
    desktop.host._builder_job = None
    desktop.settings.change(theme="light", language="en")
    settle()
    desktop.host.refresh()
    desktop.host.load("qwen2.5-coder-1.5b")
    until_idle(desktop)
    panes("long-name")
    door.the_store.packs.pop()
    desktop.host.refresh()
    desktop.host.load("smollm2-135m")
    until_idle(desktop)
    for language in ("en", "zh_CN"):
        desktop.settings.change(language=language)
        settle()
        panes(f"packaged-{language}")
        window.new_chat()
        ask("你好，你能说中文吗？", "Hello! How can I help?")
        grab(f"chat-packaged-{language}")
    desktop.settings.change(language="en")
    settle()
    window.resize(900, 600)
    panes("900x600")
    desktop.host.packs = (
        fake_pack(display_name="SmolLM2 135M Instruct, fine-tuned on my own letters, version 12"),
    )
    desktop.host.model = ModelState("ready", desktop.host.packs[0], "CPU")
    desktop.host.model_changed.emit(desktop.host.model)
    window.show_models()
    grab("models-900x600-long-name")
    desktop.host.refresh()
    desktop.host.load("smollm2-135m")
    window.new_chat()
    ask("How do I make good filter coffee?", LONG)
    grab("chat-900x600")
    window.resize(*SIZE)
    desktop.settings.change(text_size=150)
    settle()
    panes("150")
    window.show_chat()
    grab("chat-150")
    window.resize(900, 600)
    panes("900x600-150")
    window.show_chat()
    grab("chat-900x600-150")
    desktop.settings.change(text_size=100)
    settle()
    window.show_shortcuts()
    settle()
    for widget in app.topLevelWidgets():
        if widget.isVisible() and widget is not window:
            widget.grab().save(str(folder / "shortcuts.png"))
    window.close()
    return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="for the pictures of every pane")
    parser.add_argument("--speech", action="store_true", help="the pictures of the speech pane")
    parser.add_argument("--images", action="store_true", help="the pictures of the image pane")
    parser.add_argument(
        "--look", default="", help="with --images: only looks with this in their name, as en-light"
    )
    parser.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="with --images: photos in place of drawings"
    )
    parser.add_argument("--readme", type=Path, metavar="FILE", help="make the picture of the README")
    parser.add_argument("--model", default="", help="the model in the README's picture")
    arguments = parser.parse_args()
    if arguments.readme is not None:
        return make_readme(arguments.readme, arguments.model)
    if arguments.folder is None:
        parser.error("a folder or --readme FILE is needed")
    only = "speech" if arguments.speech else "images" if arguments.images else ""
    return make_all(arguments.folder, only, arguments.look, arguments.photos)


if __name__ == "__main__":
    sys.exit(main())
