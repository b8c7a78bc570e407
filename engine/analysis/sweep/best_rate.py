"""The best max_lr that a range test points to, and how far off it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats
from clr_tui.engine.analysis.sweep.trend import gathered, local_weights

BANDWIDTH = 1.2
"""Of the regression that smooths the losses, in decades."""
BOTTOM = 0.9
"""The share of its whole fall that the trend has fallen by at the bottom of the curve."""
ACROSS = 2 / 3
"""How far across the bottom the recommended rate lies, in log LR."""
SPREAD = 0.29
"""Standard deviation of the best rate about the rule's, in decades, besides the noise of the
curve: as if tasks differed so much that the interval of a curve without noise spans a decade. On
the half of the study that chose it, such intervals held the best rate in 7 of 10 sweeps; the
others missed it on a plateau, where it costs little."""
NORMAL_90 = 1.645
"""Standard deviations on each side of the mean that hold 90 % of a normal distribution."""
WIDEST = 1.5
"""Decades: an interval that is wider tells nothing."""

_PER_DECADE = 50
"""Places at which the trend is evaluated."""
_FIRST = 5
"""Steps that the level before the fall is the median of, at least; else the first fifth."""
_MOST_SWEEPS = 300
"""More sweeps say nothing new, and take time; only an absurd log has them."""
_DRAWS = 100
"""Curves with other noise that an interval is estimated from."""


@dataclass(frozen=True)
class BestRate:
    """What the sweeps say about the best max_lr."""

    lr: float
    low: float
    """The lower end of the interval in which the best rate is likely."""
    high: float

    @property
    def decades(self) -> float:
        """The width of the interval."""
        return float(np.log10(self.high / self.low))


def best_rate(lr: Floats, sweeps: Sequence[Floats]) -> BestRate | None:
    """Two thirds across the bottom of a curve, in log LR: the median over sweeps, with an interval.

    The bottom is where the trend has fallen by nine tenths of its whole fall, from where it first
    has to where it last has. Its lower end moves down as a sweep gets longer, since there is more
    time to learn at low rates. Its upper end, where training becomes unstable, hardly moves, but a
    rate too high costs more than one too low. The trend is a local regression over log LR:
    neither the number of steps nor the smoothing of the chart plays a part.

    The interval is for the best rate of a training. Its variance is the sum of two. One is that of
    the rule's rate: by the noise of each curve (a wild bootstrap of the residuals: C. F. J. Wu,
    Annals of Statistics 14 (1986)) or between sweeps, whichever is larger. The other is that of the
    best rate about the rule's over tasks; docs/advice.md says how often the interval holds it.

    Args:
        lr: the rates of a sweep, increasing, shape (n,).
        sweeps: the raw losses of each, shape (n,), not finite where it has none.

    Returns:
        None without finite losses.
    """
    log_lr, finite = np.log10(lr), [np.isfinite(loss) for loss in sweeps]
    drawn = [
        _drawn(log_lr[known], loss[known])
        for loss, known in zip(sweeps[:_MOST_SWEEPS], finite[:_MOST_SWEEPS], strict=True)
        if known.any()
    ]
    if not drawn:
        return None
    rates = np.array([draws[0] for draws in drawn])
    within = float(np.mean([np.var(draws[1:]) for draws in drawn]))
    between = float(np.var(rates, ddof=1)) if len(rates) > 1 else 0.0
    half = NORMAL_90 * float(np.sqrt(SPREAD**2 + max(within, between) / len(rates)))
    middle = float(np.median(rates))
    return BestRate(10**middle, 10 ** (middle - half), 10 ** (middle + half))


def _drawn(x: Floats, loss: Floats) -> Floats:
    """The rule's log rate for a sweep, and for its trend with other noise; shape (1 + draws,)."""
    level = float(np.median(loss[: max(_FIRST, len(loss) // 5)]))
    cells = gathered(x, _bounded(loss, level), BANDWIDTH)
    at = np.linspace(x[0], x[-1], max(2, round((x[-1] - x[0]) * _PER_DECADE)))
    weights = local_weights(cells, at, BANDWIDTH)
    trend = weights @ cells.y
    residual = cells.y - np.interp(cells.x, at, trend)
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (len(residual), _DRAWS))
    noise = weights @ (residual[:, np.newaxis] * signs)
    trends = np.concatenate([trend[:, np.newaxis], trend[:, np.newaxis] + noise], axis=1)
    lowest = trends.min(axis=0)
    reached: Bools = trends <= lowest + (1 - BOTTOM) * np.maximum(level - lowest, 0)
    first = np.argmax(reached, axis=0)
    last = len(at) - 1 - np.argmax(reached[::-1], axis=0)
    return np.asarray((1 - ACROSS) * at[first] + ACROSS * at[last])


def _bounded(loss: Floats, level: float) -> Floats:
    """Losses that are at most as far above the level as the lowest are below it.

    How far a loss explodes says nothing about the rates before.
    """
    lowest = float(np.quantile(loss, 0.01))
    return np.minimum(loss, level + max(level - lowest, 0.0))
