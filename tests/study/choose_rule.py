"""What variants of the recommended rule cost on the half of the study that may choose.

python tests/study/choose_rule.py [--results DIR]

Each variant smooths with a bandwidth, takes the rates at which the trend has made a share of its
fall, goes a part of the way across them in log LR, and then down by some decades. The one in use is
in engine/analysis/sweep/best_rate.py. Settings that are held out are not read.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from judge import Judged, judged
from points import Line
from suite import is_held_out

from clr_tui.engine.analysis.sweep.best_rate import ACROSS as ACROSS_IN_USE
from clr_tui.engine.analysis.sweep.best_rate import BANDWIDTH, BOTTOM
from clr_tui.engine.analysis.sweep.trend import local_fit

BANDWIDTHS = (0.8, 1.2, 1.6)
SHARES = (0.75, 0.9, 0.95)
ACROSS = (0.5, 2 / 3, 0.75, 1.0)
LOWER = (0.0, 0.1, 0.2, 0.3)
"""Decades below."""


@dataclass(frozen=True)
class Variant:
    """A rule, and how it does on some settings."""

    mean: float
    """Points lost, over settings; of each, over the lengths of its sweeps."""
    worst: float
    """The most that a setting loses in the mean."""
    moves: float
    """Decades between its lowest and its highest answer to a setting, by length; the median."""
    bandwidth: float
    share: float
    across: float
    lower: float


def variants(settings: Sequence[Judged]) -> list[Variant]:
    """Every variant, the one that loses least in the mean first."""
    found = []
    for bandwidth in BANDWIDTHS:
        read = [(s, [bottoms(x, bandwidth) for x in lines]) for s, lines in _groups(settings)]
        for share, across, lower in product(SHARES, ACROSS, LOWER):
            lost: dict[str, list[float]] = {}
            logs: dict[str, list[float]] = {}
            for setting, ends in read:
                low, high = np.median([one[share] for one in ends], axis=0)
                log_lr = (1 - across) * low + across * high - lower
                lost.setdefault(setting.setting.name, []).append(setting.truth.lost(10**log_lr))
                logs.setdefault(setting.setting.name, []).append(log_lr)
            means = [float(np.mean(values)) for values in lost.values()]
            moves = float(np.median([np.ptp(values) for values in logs.values()]))
            mean = float(np.mean(means))
            found.append(Variant(mean, max(means), moves, bandwidth, share, across, lower))
    return sorted(found, key=lambda v: v.mean)


def in_use(found: Sequence[Variant]) -> Variant:
    """The one that the program recommends by."""
    wanted = (BANDWIDTH, BOTTOM, ACROSS_IN_USE, 0.0)
    return next(v for v in found if (v.bandwidth, v.share, v.across, v.lower) == wanted)


def bottoms(sweep: Line, bandwidth: float) -> dict[float, tuple[float, float]]:
    """The ends of the bottom of a sweep as log rates, by share of the fall."""
    at, trend, level = trend_of(sweep, bandwidth)
    fall = level - trend.min()
    ends = {}
    for share in SHARES:
        inside = at[trend <= level - share * fall]
        ends[share] = (float(inside[0]), float(inside[-1]))
    return ends


def trend_of(sweep: Line, bandwidth: float) -> tuple[np.ndarray, np.ndarray, float]:
    """The log rates and the losses of a sweep's trend, and the level before its fall."""
    loss = np.array([np.nan if x is None else x for x in sweep["loss"]])
    start, end = np.log10([sweep["start_lr"], sweep["end_lr"]])
    x = start + (end - start) * np.arange(len(loss)) / sweep["steps"]
    x, loss = x[np.isfinite(loss)], loss[np.isfinite(loss)]
    level = float(np.median(loss[: max(5, len(loss) // 5)]))
    highest = level + max(level - float(np.quantile(loss, 0.01)), 0.0)
    at = np.linspace(x[0], x[-1], round(50 * (x[-1] - x[0])))
    return at, local_fit(x, np.minimum(loss, highest), at, bandwidth), level


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    settings = [s for s in judged(parser.parse_args().results) if not is_held_out(s.setting)]
    print(f"{len(settings)} settings\n mean  worst  moves  bandwidth  share  across  lower")
    for v in variants(settings)[:40]:
        print(
            f"{v.mean:5.2f}  {v.worst:5.2f}  {v.moves:5.2f}  {v.bandwidth:9.1f}  {v.share:5.2f}"
            f"  {v.across:6.2f}  {v.lower:5.1f}"
        )


def _groups(settings: Sequence[Judged]) -> list[tuple[Judged, list[Line]]]:
    """Each setting with the sweeps of one length, as the seeds of a range test."""
    return [(s, lines) for s in settings for _, lines in sorted(s.sweeps.items())]


if __name__ == "__main__":
    main()
