"""What this machine has: cores that are worth a thread, and memory.

In: psutil, and on Linux the limits of the container that we may be in. Out: plain integers.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
USABLE_SHARE = 0.7  # the rest is for the system, the window and the user's other programs


def physical_cores() -> int:
    """Cores that this process may use, without hyper-threads: the default number of threads."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, min(cores, _cpu_quota() or cores))


def total_memory_bytes() -> int:
    """Memory of the machine, or of the container where that is less."""
    total = int(psutil.virtual_memory().total)
    limit = _read_limit("memory.max")
    return min(total, limit) if limit else total


def available_memory_bytes() -> int:
    """Memory that can be had now without swapping."""
    available = int(psutil.virtual_memory().available)
    limit, used = _read_limit("memory.max"), _read_limit("memory.current")
    return max(0, min(available, limit - used)) if limit and used is not None else available


def usable_memory_bytes() -> int:
    """Memory that a model may take without making the machine unpleasant; compare ``memory_bytes`` with it."""
    return int(total_memory_bytes() * USABLE_SHARE)


def _read_limit(name: str) -> int | None:
    """A number from the control group (version 2); None outside one or without a limit ("max")."""
    try:
        text = (CGROUP / name).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _cpu_quota() -> int | None:
    """Whole cores that the container may use, at least one; None without a quota."""
    try:
        quota, period = (CGROUP / "cpu.max").read_text("ascii").split()
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return max(1, int(quota) // int(period))
