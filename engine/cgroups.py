"""The memory limits of the control groups (cgroups, versions 1 and 2) that this process is in.

A limit may be set at any level: by a container, a batch system such as Slurm, or systemd. Each
group is a folder; where the hierarchy is mounted is in /proc/self/mountinfo (proc(5), cgroups(7)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")
_UNLIMITED = 1 << 60
"""Version 1 writes 2^63 less a page if there is no limit."""


@dataclass(frozen=True)
class MemoryGroup:
    """A group that may have a limit."""

    folder: Path
    version: int

    def free(self) -> int | None:
        """Bytes below the limit; file cache that can be dropped counts as free. None: no limit."""
        names = ("memory.max", "memory.current", "inactive_file")
        if self.version == 1:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        limit, used = (_number(self.folder / name) for name in names[:2])
        if limit is None or used is None or limit >= _UNLIMITED:
            return None
        cache = _entry(self.folder / "memory.stat", names[2]) or 0
        return max(0, limit - used + cache)


def memory_groups(proc: Path = PROC) -> list[MemoryGroup]:
    """The groups that this process is in, from its own to the outermost that is visible."""
    groups = []
    for mount, root, version in _mounts(proc):
        inside = _path_of(proc, version)
        if inside is None:
            continue
        try:
            below = PurePosixPath(inside).relative_to(root)
        except ValueError:  # what is mounted is another group: that of the container, in most cases
            below = PurePosixPath()
        if ".." in below.parts:
            below = PurePosixPath()
        own = mount / below
        chain = [own, *own.parents][: len(below.parts) + 1]
        groups += [MemoryGroup(folder, version) for folder in chain]
    return groups


def _mounts(proc: Path) -> Iterator[tuple[Path, str, int]]:
    """Each mounted hierarchy that may limit memory: where it is, which group is its root, version.

    A line is `ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [MORE...] - TYPE SOURCE SUPER-OPTIONS`.
    """
    for line in _lines(proc / "mountinfo"):
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        root, mount = (_unescaped(text) for text in fields[3:5])
        if kind[0] == "cgroup2":
            yield Path(mount), root, 2
        elif kind[0] == "cgroup" and "memory" in kind[2].split(","):
            yield Path(mount), root, 1


def _path_of(proc: Path, version: int) -> str | None:
    """The path of this process's group: `4:cpu,memory:/path` in version 1, `0::/path` in 2."""
    for line in _lines(proc / "cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (not controllers) if version == 2 else "memory" in controllers.split(","):
            return path or None
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return []


def _unescaped(text: str) -> str:
    """A path in mountinfo has octal numbers for spaces and the like."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not there, or "max"
        return None


def _entry(path: Path, name: str) -> int | None:
    found = re.search(rf"^{name} (\d+)$", "\n".join(_lines(path)), re.MULTILINE)
    return int(found[1]) if found else None
