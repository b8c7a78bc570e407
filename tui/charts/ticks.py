"""The limits and ticks of axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from clr_tui.tui.charts.scale import MAX_VALUE, Limits

_TINY = 1e-290
"""A smaller span cannot be divided into steps."""
_AHEAD = 0.15
"""Extra room when limits widen, as a share of their span."""


@dataclass(frozen=True)
class Tick:
    """A labelled value on an axis."""

    value: float
    label: str


def ticks(lo: float, hi: float, *, log: bool, most: int) -> list[Tick]:
    """Returns at most about `most` ticks in [lo, hi]: round numbers, or decades on a log axis.

    A log axis of one or two decades also has ticks at 2 and 5 of each; one within a decade has
    round numbers, like a linear axis.
    """
    if most < 1 or not lo < hi:
        return []
    return _log_ticks(lo, hi, most) if log else _linear_ticks(lo, hi, most)


def _log_ticks(lo: float, hi: float, most: int) -> list[Tick]:
    first = math.ceil(math.log10(lo) - 1e-9)
    last = math.floor(math.log10(hi) + 1e-9)
    decades = last - first + 1
    if math.log10(hi) - math.log10(lo) > 2 + 1e-9 and decades > 1:
        stride = next(s for s in (1, 2, 3, 4, 5, 10, 20, 50, 100, 700) if decades <= most * s)
        chosen = [d for d in range(first, last + 1) if d % stride == 0]
        return _named([(1, d) for d in chosen])
    within = [
        (m, d)
        for d in range(first - 1, last + 1)
        for m in (1, 2, 5)
        if lo * (1 - 1e-9) <= m * 10.0**d <= hi * (1 + 1e-9)
    ]
    if len(within) > most:
        within = [(m, d) for m, d in within if m == 1]
    return _named(within) if len(within) > 1 else _linear_ticks(lo, hi, most)


def _named(values: list[tuple[int, int]]) -> list[Tick]:
    """Labels `m * 10^d`; plain numbers if all of them are readable, else such as 2e-4."""
    plain = all(-2 <= d <= 3 for _, d in values)
    return [Tick(m * 10.0**d, f"{m * 10.0**d:g}" if plain else f"{m}e{d}") for m, d in values]


def _linear_ticks(lo: float, hi: float, most: int) -> list[Tick]:
    if hi - lo < max(_TINY, 1e-12 * max(abs(lo), abs(hi))):
        return []
    step = nice_step((hi - lo) / max(most, 1))
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    return [Tick(value, label) for value, label in zip(values, _labels(values, step), strict=True)]


def nice_step(least: float) -> float:
    """Returns the smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = float(10.0 ** math.floor(math.log10(least)))
    for factor in (1, 2, 5):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    return 10 * power


def _labels(values: list[float], step: float) -> list[str]:
    """Formats with the fewest equal decimals that tell values apart; small ones such as 2e-3."""
    greatest = max((abs(v) for v in values), default=0.0)
    digits = -math.floor(math.log10(step) + 1e-9)
    if not greatest:
        return ["0"] * len(values)
    if greatest >= 1e15 or greatest < 1e-2 * (1 + 1e-9) or digits > 6:
        sizes = [math.floor(math.log10(abs(v)) + 1e-9) if v else 0 for v in values]
        figures = [size + digits for size in sizes]
        return [_scientific(v, min(max(n, 0), 15)) for v, n in zip(values, figures, strict=True)]
    if greatest >= 1e6 and digits <= -5:
        return [f"{v / 1e6:.{max(0, 6 + digits)}f}M" for v in values]
    if greatest >= 1e4 and digits <= -3:
        return [f"{v / 1e3:.{max(0, 3 + digits)}f}k" if v else "0" for v in values]
    return [f"{v:.{max(0, digits)}f}" for v in values]


def _scientific(value: float, figures: int) -> str:
    if not value:
        return "0"
    mantissa, exponent = f"{value:.{figures}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def rounded_limits(lo: float, hi: float, *, log: bool) -> Limits:
    """Rounds [lo, hi] outwards to steps, so that new data rarely move the limits."""
    lo, hi = _widened_limits(lo, hi, log)
    if log:
        lo10, hi10 = math.log10(lo), math.log10(hi)
        step = 1.0 if hi10 - lo10 > 4 else 0.1
        first, last = math.floor(lo10 / step + 1e-9), math.ceil(hi10 / step - 1e-9)
        return _decades(first * step), _decades(last * step)
    step = nice_step((hi - lo) / 12)
    return math.floor(lo / step + 1e-9) * step, math.ceil(hi / step - 1e-9) * step


def _decades(exponent: float) -> float:
    return math.pow(10.0, min(max(exponent, -299.0), 299.0))


def _widened_limits(lo: float, hi: float, log: bool) -> Limits:
    """Widens [lo, hi] around its centre if it is too narrow for an axis."""
    lo, hi = min(lo, hi), max(lo, hi)
    lo, hi = max(lo, -MAX_VALUE), min(hi, MAX_VALUE)
    if log:
        lo, hi = max(lo, 1e-299), max(hi, 1e-299)
        return (lo, hi) if hi / lo > 1 + 1e-9 else (lo / 1.5, lo * 1.5)
    if hi - lo > max(_TINY, 1e-9 * max(abs(lo), abs(hi))):
        return lo, hi
    pad = 0.1 * abs(lo) if abs(lo) > 1e-200 else 1.0
    return lo - pad, lo + pad


@dataclass
class StickyLimits:
    """Limits of one axis that stay the same between frames, and widen in steps.

    They start over when the data fill less than `slack` of them: the chart shows something else.
    """

    slack: float = 0.3
    _limits: Limits | None = field(default=None, init=False)
    _log: bool = field(default=False, init=False)

    def reset(self) -> None:
        """Forgets the limits."""
        self._limits = None

    def fit(self, lo: float, hi: float, *, log: bool) -> Limits:
        """Returns the limits for data in [lo, hi], real units."""
        fresh = rounded_limits(lo, hi, log=log)
        held = self._limits
        if (
            held is None
            or log != self._log
            or self._span(*fresh, log) < self.slack * self._span(*held, log)
        ):
            held = fresh
        elif fresh[0] < held[0] or fresh[1] > held[1]:
            held = self._widened(held, fresh, log)
        self._limits, self._log = held, log
        return held

    def _widened(self, held: Limits, fresh: Limits, log: bool) -> Limits:
        """Returns limits that contain both, with extra room where the data crossed a limit.

        Data that cross a limit usually continue in that direction; without extra room a falling
        loss would move the axis, and redraw the chart, every few steps.
        """
        lo, hi = min(held[0], fresh[0]), max(held[1], fresh[1])
        room = _AHEAD * self._span(lo, hi, log)
        if fresh[0] < held[0]:
            lo = lo / 10**room if log else lo - room
        if fresh[1] > held[1]:
            hi = hi * 10**room if log else hi + room
        return rounded_limits(lo, hi, log=log)

    @staticmethod
    def _span(lo: float, hi: float, log: bool) -> float:
        return math.log10(hi) - math.log10(lo) if log else hi - lo
