"""The cores that this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def use_all_cores() -> None:
    """Lets torch use every core that this process may use, unless OMP_NUM_THREADS says otherwise.

    Those are fewer than the machine has under `taskset`, and in a container with a quota, where
    more threads than the quota stand in each other's way.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(usable_cores())


def usable_cores(quota: Path = CGROUP_QUOTA) -> int:
    """Cores that this process may use; `quota` holds "<microseconds> <period>" or "max ..."."""
    has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        return max(1, min(cores, math.ceil(int(allowed) / int(period))))
    except (OSError, ValueError):  # no cgroups here, or no quota
        return cores
