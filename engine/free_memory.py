"""The free memory of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from clr_tui.engine.cgroups import PROC, memory_groups

MEMINFO = Path("/proc/meminfo")


def available_memory(meminfo: Path = MEMINFO, proc: Path = PROC) -> int | None:
    """Bytes that new processes can take in this machine and any container; None if unreported."""
    known = [_machine_memory(meminfo), *(group.free() for group in memory_groups(proc))]
    return min((free for free in known if free is not None), default=None)


def _machine_memory(meminfo: Path) -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
