"""The free memory of this machine."""

from __future__ import annotations

import re
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that new processes can take in this machine and any container; None if unreported."""
    known = [n for n in (_machine_memory(meminfo), _container_memory(cgroup)) if n is not None]
    return min(known, default=None)


def _machine_memory(meminfo: Path) -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _container_memory(cgroup: Path) -> int | None:
    """Free memory within the limit; droppable file cache counts as free."""
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        cache = re.search(r"^inactive_file (\d+)$", (cgroup / "memory.stat").read_text(), re.M)
    except (OSError, ValueError):  # no cgroups, or no limit ("max")
        return None
    return max(0, limit - used + (int(cache[1]) if cache else 0))
