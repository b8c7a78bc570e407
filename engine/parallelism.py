"""How many trials of a comparison run in parallel, and why."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.errors import UserError
from clr_tui.engine.words import many

PER_ACCELERATOR = 4
"""Trials per accelerator by default: more would only wait for one another."""
PER_CORE = 4
"""Maximum number of processes per core."""


@dataclass(frozen=True)
class Memory:
    """Memory that trials share: the machine's, or that of the accelerators. In bytes."""

    need: int
    """Of one trial."""
    free: int
    places: int = 1
    """Accelerators, each with this much free; trials are spread over them evenly."""

    @property
    def fitting(self) -> int:
        """Number of trials that fit."""
        return self.places * (self.free // self.need)


@dataclass(frozen=True)
class Capacity:
    """What the machine offers to trials."""

    cores: int
    accelerators: int = 0
    """0: trials compute on the CPU."""
    memory_pools: tuple[Memory, ...] = ()
    """Empty if not known."""


def choose_jobs(
    requested: int | None, trials: int, threads: int, capacity: Capacity
) -> tuple[int, str]:
    """Chooses how many trials to run at once, and says why in a few words.

    Args:
        asked: the user's choice; None: as many as fit.
        threads: of each trial on the CPU.

    Raises:
        UserError: memory is too small for one trial (field "batch_size"), or the user's choice is
            too large (field "jobs").
    """
    scarce = min(capacity.memory_pools, key=lambda memory: memory.fitting, default=None)
    if scarce and not scarce.fitting:
        raise UserError(
            f"a trial needs about {_bytes(scarce.need)} of memory, but only {_bytes(scarce.free)} "
            "are free: choose a smaller batch or image size",
            "batch_size",
        )
    if requested is not None:
        return _as_requested(requested, trials, capacity.cores, scarce)
    bounds = {many(trials, "trial"): trials}
    if capacity.accelerators:
        bounds[f"{PER_ACCELERATOR} trials on each device"] = PER_ACCELERATOR * capacity.accelerators
        bounds[many(capacity.cores, "core")] = capacity.cores
    else:
        of_each = f", {threads} threads each" if threads > 1 else ""
        bounds[many(capacity.cores, "core") + of_each] = max(1, capacity.cores // threads)
    if scarce:
        bounds[f"memory for {many(scarce.fitting, 'trial')}"] = scarce.fitting
    reason = min(bounds, key=bounds.__getitem__)
    return bounds[reason], reason


def _as_requested(
    requested: int, trials: int, cores: int, scarce: Memory | None
) -> tuple[int, str]:
    if requested > PER_CORE * cores:
        raise UserError(
            f"jobs {requested} are more than {PER_CORE} for each of {many(cores, 'core')}: "
            f"give at most {PER_CORE * cores}",
            "jobs",
        )
    jobs, reason = requested, "asked for"
    if requested > trials:
        jobs, reason = trials, f"{requested} asked for, {many(trials, 'trial')}"
    if scarce and jobs > scarce.fitting:
        raise UserError(
            f"jobs {jobs} need about {_bytes(jobs * scarce.need)} of memory, but only "
            f"{_bytes(scarce.places * scarce.free)} are free: give at most {scarce.fitting}",
            "jobs",
        )
    return jobs, reason


def _bytes(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB"
