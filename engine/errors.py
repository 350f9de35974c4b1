"""The one exception that carries a problem which the user can mend.

In: a message template and a hint template with the values that fill them. Out: text that is ready to
show. The templates stay reachable so that the app can translate them before it fills them in; engine
code knows nothing of Qt.
"""

from __future__ import annotations


class EngineError(Exception):
    """A problem that the user can mend: missing, corrupt, unreadable, too long, no memory, no device.

    ``message`` says what is wrong, ``hint`` says how to mend it. Both are ``str.format`` templates
    over ``values``; write them as literals at the place where the error is raised, so that they can
    be collected for translation. Anything that is not an ``EngineError`` is a bug of ours.
    """

    def __init__(self, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.message_template = message
        self.hint_template = hint
        self.values = values

    @property
    def message(self) -> str:
        """What is wrong, filled in."""
        return self.message_template.format(**self.values)

    @property
    def hint(self) -> str:
        """What the user can do about it, filled in; may be empty."""
        return self.hint_template.format(**self.values)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
