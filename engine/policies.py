"""Learning-rate policies as pure functions of the step, without torch.

Sources: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3, for
the triangular family; L. N. Smith and N. Topin, "Super-Convergence" (2018), for one-cycle. If torch
has the same policy (`CyclicLR`, `OneCycleLR`), operations are done in torch's order, so that both
agree to the last bits for any step size and length. Cosine is that of I. Loshchilov and F. Hutter,
"SGDR" (2017), without restarts; warmup-stable-decay that of S. Hu et al., "MiniCPM" (2024), section
4, with a linear decay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypedDict

from clr_tui.engine.settings.config import DECAY, GAMMA, WARMUP, Compare, Policy, Train
from clr_tui.engine.words import be, lr_str, many

ONE_CYCLE_RISE = 0.3
"""Share of one-cycle spent rising, and again falling; the rest anneals (torch's default)."""
ONE_CYCLE_FINAL = 1e4
"""One-cycle ends at base_lr divided by this (torch's `final_div_factor`)."""

WITHOUT_CYCLES: tuple[Policy, ...] = ("constant", "one-cycle", "cosine", "warmup-stable-decay")
"""Policies that fit any length."""
Direction = Literal["rising", "falling", "annealing", "warming up", "stable", "constant"]


class Shape(TypedDict):
    """The settings of a job that shape its policy, as keyword arguments."""

    gamma: float
    warmup: float
    decay: float


_LOWER_BY_DESIGN: tuple[Policy, ...] = ("exp-range", "exp-range-amplitude", "linear-decay")
"""Policies that decay from the first step on."""
_REACHED = 0.95
_SAMPLED_STEPS = 10_000


def shape_of(job: Train | Compare) -> Shape:
    """The shape that a job's settings ask for."""
    return Shape(gamma=job.gamma, warmup=job.warmup, decay=job.decay)


def lr_at(
    policy: Policy,
    step: int,
    *,
    base_lr: float,
    max_lr: float,
    step_size: float,
    total_steps: int,
    gamma: float = GAMMA,
    warmup: float = WARMUP,
    decay: float = DECAY,
) -> float:
    """The learning rate at step `step`, counted from 0.

    - `triangular`: up from `base_lr` to `max_lr` in `step_size` steps and down again, repeatedly.
    - `triangular2`: the same, with its height halved after each cycle.
    - `exp-range`: triangular, both bounds multiplied by gamma^step (Smith 2017, section 3.2).
    - `exp-range-amplitude`: triangular, its height multiplied by gamma^step (torch's exp_range).
    - `linear-decay`: triangular, its height falling linearly to nothing at `total_steps`.
    - `one-cycle`: to `max_lr`, back to `base_lr`, then down to `base_lr` / 10,000 at the last step.
    - `cosine`: up from `base_lr` to `max_lr`, then half a cosine down to 0 at `total_steps`.
    - `warmup-stable-decay`: up to `max_lr` too, stays there, then linearly to 0 at `total_steps`.
    - `constant`: `max_lr`.

    Args:
        step_size: steps in half a cycle; at least 1, not always a whole number.
        total_steps: length of the training in steps; at least 1. Policies that end there keep
            their last rate beyond it.
        gamma: decay per step of the exp-range policies.
        warmup: share of the steps spent rising in `cosine` and `warmup-stable-decay`.
        decay: share of the steps spent falling in `warmup-stable-decay`.

    Raises:
        ValueError: the policy does not exist.
    """
    if policy == "constant":
        return max_lr
    if policy == "one-cycle":
        last = base_lr / ONE_CYCLE_FINAL
        return _one_cycle(min(step, total_steps - 1), total_steps, base_lr, max_lr, last)
    if policy in _WARMED_UP:
        at = min(step, total_steps - 1)
        return _warmed_up(
            policy, at, total_steps, warmup, decay, low=base_lr, high=max_lr, last=0.0
        )
    cycle, height = _triangle(step, step_size)
    swing = (max_lr - base_lr) * height
    if policy == "triangular":
        return base_lr + swing
    if policy == "triangular2":
        return base_lr + swing * 0.5 ** (cycle - 1)
    if policy == "exp-range":
        return (base_lr + swing) * gamma**step
    if policy == "exp-range-amplitude":
        return base_lr + swing * gamma**step
    if policy == "linear-decay":
        return base_lr + swing * max(0.0, 1.0 - step / total_steps)
    raise ValueError(f"unknown policy {policy!r}")


def shortfall(
    policy: Policy,
    *,
    base_lr: float,
    max_lr: float,
    step_size: float,
    total_steps: int,
    warmup: float = WARMUP,
    decay: float = DECAY,
    **_: float,
) -> str:
    """A sentence if the highest rate of a training is below 0.95 `max_lr` for lack of steps.

    Empty otherwise, and for policies that are lower by design. Arguments as for `lr_at`.
    """
    if policy in _LOWER_BY_DESIGN:
        return ""
    # A peak that this misses is one of thousands of steps, or of thousands of cycles.
    steps = range(0, total_steps, max(1, total_steps // _SAMPLED_STEPS))
    highest = max(
        lr_at(
            policy,
            step,
            base_lr=base_lr,
            max_lr=max_lr,
            step_size=step_size,
            total_steps=total_steps,
            warmup=warmup,
            decay=decay,
        )
        for step in steps
    )
    if highest >= _REACHED * max_lr:
        return ""
    return (
        f"{many(total_steps, 'step')} {be(total_steps)} too few for {policy} to reach its max_lr "
        f"of {lr_str(max_lr)}: its highest rate is {lr_str(highest)}"
    )


def momentum_at(
    policy: Policy,
    step: int,
    *,
    low: float,
    high: float,
    step_size: float,
    total_steps: int,
    gamma: float = GAMMA,
    warmup: float = WARMUP,
    decay: float = DECAY,
) -> float:
    """The momentum at step `step`: `low` at the top of a cycle, `high` at the bottom.

    It moves against the rate (Smith 2018, "A disciplined approach", section 4.3), as in torch's
    `CyclicLR` and `OneCycleLR`; while one-cycle anneals it stays `high`. Arguments as for `lr_at`.
    """
    at = min(step, total_steps - 1)
    if policy == "constant":
        return high
    if policy == "one-cycle":
        return _one_cycle(at, total_steps, high, low, high)
    if policy in _WARMED_UP:
        return _warmed_up(policy, at, total_steps, warmup, decay, low=high, high=low, last=high)
    return lr_at(
        "exp-range-amplitude" if policy == "exp-range" else policy,
        step,
        base_lr=high,
        max_lr=low,
        step_size=step_size,
        total_steps=total_steps,
        gamma=gamma,
    )


def _triangle(step: int, step_size: float) -> tuple[int, float]:
    """The cycle, from 1, and the height in it, 0 to 1."""
    passed = 1 + step / (2.0 * step_size)
    cycle = math.floor(passed)
    x = passed - cycle
    return cycle, x / 0.5 if x <= 0.5 else (x - 1.0) / (0.5 - 1.0)


def _one_cycle_ends(total_steps: int) -> tuple[float, float, float]:
    """The steps at which rising, falling and annealing end (not always whole numbers)."""
    rise = float(ONE_CYCLE_RISE * total_steps) - 1
    fall = float(2 * ONE_CYCLE_RISE * total_steps) - 2
    return rise, fall, total_steps - 1


def _one_cycle(step: int, total_steps: int, low: float, high: float, last: float) -> float:
    """From `low` to `high` at the top, back to `low`, and to `last` at the end."""
    rise, fall, end = _one_cycle_ends(total_steps)
    if step <= rise:
        start, stop, first, second = 0.0, rise, low, high
    elif step <= fall:
        start, stop, first, second = rise, fall, high, low
    else:
        start, stop, first, second = fall, end, low, last
    return (second - first) * ((step - start) / (stop - start)) + first


_WARMED_UP: tuple[Policy, ...] = ("cosine", "warmup-stable-decay")


def _warmup_ends(policy: Policy, total_steps: int, warmup: float, decay: float) -> tuple[int, int]:
    """The steps at which the warm-up ends and at which the rate begins to fall."""
    rise = round(warmup * total_steps)
    if policy == "cosine":
        return rise, rise
    return rise, max(rise, total_steps - round(decay * total_steps))


def _warmed_up(
    policy: Policy,
    step: int,
    total_steps: int,
    warmup: float,
    decay: float,
    *,
    low: float,
    high: float,
    last: float,
) -> float:
    """From `low` to `high`, and along the policy's fall to `last`."""
    rise, fall = _warmup_ends(policy, total_steps, warmup, decay)
    if step < rise:
        return low + (high - low) * (step / rise)
    if step < fall:
        return high
    passed = (step - fall) / (total_steps - fall)
    left = (1 + math.cos(math.pi * passed)) / 2 if policy == "cosine" else 1 - passed
    return last + (high - last) * left


@dataclass(frozen=True)
class Phase:
    """The position of a training in its schedule."""

    cycle: int
    """From 1."""
    cycles: int
    """In the whole training, including a last one that is cut short; 0 if the policy has none."""
    fraction: float
    """Of the current cycle, 0 to 1."""
    whole: bool
    """Whether the end of the training is the end of a cycle."""
    direction: Direction
    finished: bool

    @property
    def complete(self) -> bool:
        """Whether no cycle is under way, so that a metric measured now is that of whole cycles."""
        between = self.fraction == 0.0 and self.cycle > 1
        return between or self.fraction == 1.0 or self.direction == "constant"

    @property
    def words(self) -> str:
        """Such as "cycle 2 of 4, falling"."""
        if self.direction == "constant":
            return "constant rate"
        if not self.cycles:
            return "at the end of the schedule" if self.finished else self.direction
        if self.finished:
            place = "at the end of" if self.whole else "in the middle of"
            return f"{place} cycle {self.cycle} of {self.cycles}"
        return f"cycle {self.cycle} of {self.cycles}, {self.direction}"


def phase(
    policy: Policy,
    step: int,
    *,
    step_size: float,
    total_steps: int,
    gamma: float = GAMMA,
    warmup: float = WARMUP,
    decay: float = DECAY,
) -> Phase:
    """The position in the schedule after `step` steps (0 to `total_steps`); see `lr_at`."""
    finished = step >= total_steps
    direction: Direction
    if policy in _WARMED_UP:
        warm, stable = _warmup_ends(policy, total_steps, warmup, decay)
        direction = "warming up" if step < warm else "stable" if step < stable else "falling"
        return Phase(1, 0, min(1.0, step / total_steps), True, direction, finished)
    if policy in WITHOUT_CYCLES:
        rise, fall, _ = _one_cycle_ends(total_steps)
        direction = "rising" if step < rise else "falling" if step < fall else "annealing"
        if policy == "constant":
            direction = "constant"
        fraction = min(1.0, step / total_steps)
        return Phase(1, 1, fraction, True, direction, finished)
    planned = _cycles(total_steps, step_size)
    cycles = max(1, math.ceil(planned))
    whole = planned.is_integer()
    if finished and whole:
        return Phase(cycles, cycles, 1.0, True, "falling", True)
    passed = _cycles(min(step, total_steps), step_size)
    done = math.floor(passed)
    direction = "rising" if passed - done < 0.5 else "falling"
    return Phase(done + 1, cycles, passed - done, whole, direction, finished)


def _cycles(steps: int, step_size: float) -> float:
    """`steps` in cycles; a whole number if it differs from one only by rounding errors."""
    cycles = steps / (2.0 * step_size)
    return float(round(cycles)) if math.isclose(cycles, round(cycles), rel_tol=1e-9) else cycles


def is_planned_to_its_end(policy: Policy) -> bool:
    """Whether the rate at a step depends on the length of the whole training."""
    return policy in ("linear-decay", "one-cycle", "cosine", "warmup-stable-decay")


def whole_cycle_epochs(policy: Policy, epochs: int, step_size_epochs: float) -> int:
    """`epochs` rounded up to a whole number of cycles.

    If that is not a whole number of epochs, the next few cycle counts are tried for one that is;
    failing that, the last epoch outlasts its cycle. One-cycle and constant fit any length and
    leave it unchanged.
    """
    if policy in WITHOUT_CYCLES:
        return epochs
    cycle = 2.0 * step_size_epochs
    cycles = max(1, math.ceil(epochs / cycle - 1e-9))
    for n in range(cycles, cycles + 4):
        length = n * cycle
        if math.isclose(length, round(length), rel_tol=1e-9):
            return round(length)
    return math.ceil(cycles * cycle)


def step_size_steps(step_size_epochs: float, steps_per_epoch: int) -> float:
    """Half a cycle in steps, at least 1.

    Not rounded: half an epoch of 53 steps is 26.5, so that each cycle ends with its epoch. A whole
    number would drift from the epochs, and end a training of whole cycles in the middle of one.
    """
    return max(1.0, step_size_epochs * steps_per_epoch)
