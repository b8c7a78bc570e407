"""How many trials of a comparison run in parallel, and why."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.errors import UserError
from clr_tui.engine.words import gib, many

PER_ACCELERATOR = 4
"""Trials per CUDA device by default: more would only wait for one another."""
PER_MPS = 1
"""Trials by default on Apple's GPU, which shares the machine's memory: more was not measured."""
PER_CORE = 4
"""Maximum number of processes per core."""


def trials_on_each(device: str) -> int:
    """Trials at a time by default on an accelerator, by the name of one in torch."""
    return PER_MPS if device.startswith("mps") else PER_ACCELERATOR


@dataclass(frozen=True)
class Memory:
    """Memory that trials share: the machine's, or that of the accelerators. In bytes."""

    need: int
    """Of one trial."""
    free: tuple[int, ...]
    """Of the machine, or of each accelerator."""

    @property
    def fitting(self) -> int:
        """Number of trials that fit."""
        return sum(free // self.need for free in self.free)


@dataclass(frozen=True)
class Capacity:
    """What the machine offers to trials."""

    cores: int
    accelerators: int = 0
    """0: trials compute on the CPU."""
    memory_pools: tuple[Memory, ...] = ()
    """Empty if not known."""
    each: int = PER_ACCELERATOR
    """Trials on each accelerator by default."""
    exclusive: bool = False
    """Whether an accelerator takes one process at a time."""


def choose_jobs(
    requested: int | None, trials: int, threads: int, capacity: Capacity
) -> tuple[int, str]:
    """Chooses how many trials to run at once, and says why in a few words.

    Args:
        requested: the user's choice; None: as many as fit.
        threads: of each trial on the CPU.

    Raises:
        UserError: memory is too small for one trial (field "batch_size"), or the user's choice is
            too large (field "jobs").
    """
    scarce = min(capacity.memory_pools, key=lambda memory: memory.fitting, default=None)
    if scarce and not scarce.fitting:
        raise UserError(
            f"a trial needs about {gib(scarce.need)} of memory, but only {gib(max(scarce.free))} "
            "are free: choose a smaller batch or image size",
            "batch_size",
        )
    if requested is not None:
        return _as_requested(requested, trials, capacity, scarce)
    bounds = {many(trials, "trial"): trials}
    if capacity.accelerators:
        each = 1 if capacity.exclusive else capacity.each
        bounds[f"{many(each, 'trial')} on each device"] = each * capacity.accelerators
        bounds[many(capacity.cores, "core")] = capacity.cores
    else:
        of_each = f", {threads} threads each" if threads > 1 else ""
        bounds[many(capacity.cores, "core") + of_each] = max(1, capacity.cores // threads)
    if scarce:
        bounds[f"memory for {many(scarce.fitting, 'trial')}"] = scarce.fitting
    reason = min(bounds, key=bounds.__getitem__)
    return bounds[reason], reason


def _as_requested(
    requested: int, trials: int, capacity: Capacity, scarce: Memory | None
) -> tuple[int, str]:
    cores = capacity.cores
    if requested > PER_CORE * cores:
        raise UserError(
            f"jobs {requested} are more than {PER_CORE} for each of {many(cores, 'core')}: "
            f"give at most {PER_CORE * cores}",
            "jobs",
        )
    jobs, reason = requested, "asked for"
    if requested > trials:
        jobs, reason = trials, f"{requested} asked for, {many(trials, 'trial')}"
    if capacity.exclusive and jobs > capacity.accelerators:
        raise UserError(
            f"jobs {jobs} need as many processes, but a device in compute mode 'exclusive process' "
            f"takes one at a time: give at most {capacity.accelerators}",
            "jobs",
        )
    if scarce and jobs > scarce.fitting:
        raise UserError(
            f"jobs {jobs} need about {gib(jobs * scarce.need)} of memory, but only "
            f"{gib(sum(scarce.free))} are free: give at most {scarce.fitting}",
            "jobs",
        )
    return jobs, reason
