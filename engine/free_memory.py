"""The free memory of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
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
        return _macs_memory() if sys.platform == "darwin" else None
    return int(found[1]) * 1024 if found else None


def _macs_memory() -> int | None:
    try:
        told = subprocess.run(["vm_stat"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return free_on_mac(told.stdout)


def free_on_mac(vm_stat: str) -> int | None:
    """Bytes that new processes can take, by what macOS's `vm_stat` prints; None if unreadable.

    Pages that are free, read ahead, or were not used for a while, as psutil counts them.
    """
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = re.findall(r"^Pages (?:free|speculative|inactive): +(\d+)\.$", vm_stat, re.MULTILINE)
    return int(size[1]) * sum(map(int, pages)) if size and len(pages) == 3 else None
