"""One line that says how far a download, an import or a check is.

In: a task of the host. Out: text in the user's language.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.host import Task
from app.i18n import error_hint, error_message
from app.language_names import size_text
from engine.errors import EngineError


def task_line(task: Task) -> str:
    """What goes on, how much of it is done, how fast."""
    if task.state == "running":
        return _running(task)
    if task.state == "failed" and task.error is not None:
        return f"{error_message(task.error)} {error_hint(task.error)}".strip()
    if task.state == "done" and task.kind == "verify":
        return QCoreApplication.translate("tasks", "Everything is as it should be.")
    return {
        "failed": QCoreApplication.translate("tasks", "Something broke; see the log."),
        "cancelled": QCoreApplication.translate("tasks", "Cancelled. What was downloaded is kept."),
        "cancelling": QCoreApplication.translate("tasks", "Cancelling…"),
        "done": QCoreApplication.translate("tasks", "Ready."),
    }[task.state]


def cannot_build_reason(error: EngineError) -> str:
    """Why a model cannot be got here, for a tool tip."""
    return f"{error_message(error)} {error_hint(error)}".strip()


def import_instead() -> str:
    """What to do where models cannot be built."""
    return QCoreApplication.translate("tasks", "Models cannot be built here: use Models › Import folder.")


def _running(task: Task) -> str:
    progress = task.progress
    if progress is None:
        return QCoreApplication.translate("tasks", "Starting…")
    stages = {
        "load": QCoreApplication.translate("tasks", "Loading"),
        "prefill": QCoreApplication.translate("tasks", "Reading"),
        "fetch": QCoreApplication.translate("tasks", "Downloading"),
        "unpack": QCoreApplication.translate("tasks", "Unpacking"),
        "export": QCoreApplication.translate("tasks", "Building the model"),
        "quantize": QCoreApplication.translate("tasks", "Making it small"),
        "check": QCoreApplication.translate("tasks", "Measuring quality"),
        "copy": QCoreApplication.translate("tasks", "Copying"),
        "verify": QCoreApplication.translate("tasks", "Verifying"),
    }
    parts = [stages.get(progress.stage, progress.stage)]
    if progress.unit == "bytes":
        if progress.total:
            parts.append(
                QCoreApplication.translate("tasks", "{done} of {total}").format(
                    done=size_text(progress.done), total=size_text(progress.total)
                )
            )
        else:
            parts.append(size_text(progress.done))
        if task.per_s > 0:
            parts.append(QCoreApplication.translate("tasks", "{speed}/s").format(speed=size_text(task.per_s)))
    elif progress.total:
        parts.append(f"{round(100 * progress.done / progress.total)} %")
    return "  ·  ".join(parts)
