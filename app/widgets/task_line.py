"""One line that says how far a download, an import or a check is.

In: a task of the host. Out: text in the user's language.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.host import Task
from app.i18n import error_hint, error_message
from app.language_names import size_text


def task_line(task: Task) -> str:
    """What goes on, how much of it is done, how fast."""
    tr = QCoreApplication.translate
    if task.state == "failed":
        if task.error is None:
            return tr("tasks", "Something broke; see the log.")
        return f"{error_message(task.error)} {error_hint(task.error)}".strip()
    if task.state == "cancelled":
        return tr("tasks", "Cancelled. What was downloaded is kept.")
    if task.state == "cancelling":
        return tr("tasks", "Cancelling…")
    if task.state == "done":
        return tr("tasks", "Everything is as it should be.") if task.kind == "verify" else tr("tasks", "Ready.")
    progress = task.progress
    if progress is None:
        return tr("tasks", "Starting…")
    stages = {
        "load": tr("tasks", "Loading"),
        "prefill": tr("tasks", "Reading"),
        "fetch": tr("tasks", "Downloading"),
        "unpack": tr("tasks", "Unpacking"),
        "export": tr("tasks", "Building the model"),
        "quantize": tr("tasks", "Making it small"),
        "check": tr("tasks", "Measuring quality"),
        "copy": tr("tasks", "Copying"),
        "verify": tr("tasks", "Verifying"),
    }
    parts = [stages.get(progress.stage, progress.stage)]
    if progress.unit == "bytes":
        if progress.total:
            parts.append(
                tr("tasks", "{done} of {total}").format(done=size_text(progress.done), total=size_text(progress.total))
            )
        else:
            parts.append(size_text(progress.done))
        if task.per_s > 0:
            parts.append(tr("tasks", "{speed}/s").format(speed=size_text(task.per_s)))
    elif progress.total:
        parts.append(f"{round(100 * progress.done / progress.total)} %")
    return "  ·  ".join(parts)
