"""Pictures of the app, made from the app itself with an engine that answers what it is told.

In: a folder for the pictures. Out: one PNG for each pane, theme and language.
Run: ``python -m tests.screenshots FOLDER [--real]`` (``--real`` uses the installed model).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

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


def main(folder: Path) -> int:
    """Make all pictures."""
    home = tempfile.mkdtemp()
    os.environ["POLLUX_HOME"] = home
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from app.gui import Desktop, make_application
    from engine.catalogue import read_catalogue
    from tests.fakes import FakeDoor, FakeStore, fake_pack, qwen_pack

    folder.mkdir(parents=True, exist_ok=True)
    app = make_application([])
    assert isinstance(app, QApplication)

    def settle(ms: int = 250) -> None:
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()
        focus = QApplication.focusWidget()
        if focus is not None:
            focus.clearFocus()

    door = FakeDoor(the_store=FakeStore([fake_pack()]), entries=read_catalogue().entries)
    desktop = Desktop(app, door)
    window = desktop.window
    window.resize(1180, 800)
    window.show()
    desktop.begin()
    settle()

    def ask(question: str, answer: str) -> None:
        door.answer = answer
        desktop.session.send(question)
        settle(700)

    for language, theme in (("en", "light"), ("en", "dark"), ("zh_CN", "light"), ("zh_CN", "dark")):
        desktop.settings.change(theme=theme, language=language)
        settle()
        window.show_home()
        settle()
        window.grab().save(str(folder / f"home-{language}-{theme}.png"))
        window.show_models()
        settle()
        window.grab().save(str(folder / f"models-{language}-{theme}.png"))
        window.show_preferences()
        settle()
        window.grab().save(str(folder / f"preferences-{language}-{theme}.png"))
        window.new_chat()
        settle()
        window.grab().save(str(folder / f"empty-{language}-{theme}.png"))
        if language == "en":
            ask("How do I make good filter coffee?", LONG)
        else:
            ask("怎样写好一篇短文？能不能顺便给一个 Python 的例子？", CHINESE)
        window.grab().save(str(folder / f"chat-{language}-{theme}.png"))
        if language == "en":
            ask("And with milk?", "Use a little less water, about **1 : 14**, and warm the milk to 60 °C.")
            window.grab().save(str(folder / f"chat2-{language}-{theme}.png"))
    door.the_store.packs.append(qwen_pack())
    desktop.host.refresh()
    window.show_models()
    settle()
    window.grab().save(str(folder / "models-two.png"))
    window.resize(760, 560)
    window.show_chat()
    settle()
    window.grab().save(str(folder / "small-chat.png"))
    window.show_home()
    settle()
    window.grab().save(str(folder / "small-home.png"))
    window.show_shortcuts()
    settle()
    for widget in app.topLevelWidgets():
        if widget.isVisible() and widget is not window:
            widget.grab().save(str(folder / "shortcuts.png"))
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
