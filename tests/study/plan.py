"""Which rates a setting is trained at next, until its best rate is enclosed on a dense grid.

Rates are steps of a ladder, four a decade. First every second step is tried with one seed, until
the best of them has worse ones on both sides. Then every step around it is trained with all seeds,
and if another turns out best, the steps around that one are, too. Where the mean of the best rate
is still uncertain, more seeds follow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, variance

from pieces import AtRate, Piece, Sweep, key_of
from points import Line, points
from suite import Setting, rate, step_of

COARSE = 2
"""Steps of the ladder between the rates that are tried first."""
BELOW, ABOVE = 8, 4
"""Steps that the grid reaches at least below the best rate, two decades, and above it, one. Fewer
above if trainings fail there."""
DENSE = 3
"""Steps on each side of the best one that are trained with all seeds."""
LOWEST, HIGHEST = -28, 8
"""Ends of the ladder, 1e-7 and 100."""
FIRST = (100, 300)
"""Lengths of the sweeps that come before the trainings; longer ones come after them."""
ACCURACY = 300
"""Steps of the sweeps that also measure accuracy, with three seeds each."""
EARLY_ACCURACY = ("digits", "frozen")
"""Where that costs little, so that these sweeps need not wait for other settings."""
EARLY_SEEDS = 3
"""Seeds of the trainings until all settings have them; more for cheap settings come last."""
FIRM = 0.5
"""Points that the standard error of the best rate's mean may be, so that its setting counts: what
advice may lose cannot be told where the best itself is known less well."""
ALIKE = 2.0
"""Points below the best mean within which seeds are taken to differ as they do at the best rate."""
MOST_SEEDS = 10
"""Of the trainings at each rate near the best, where fewer leave it uncertain."""


def stored_lines(path: Path, setting: Setting) -> list[Line]:
    """The whole lines of a file of results; a torn last one is left out.

    Raises:
        SystemExit: they are of a setting defined otherwise, and must not be mixed with new ones.
    """
    if not path.exists():
        return []
    with path.open() as file:
        lines: list[Line] = [json.loads(line) for line in file if line.endswith("\n")]
    if lines and lines[0]["setting"] != setting.described():
        raise SystemExit(
            f"{path} is of other settings than {setting}: "
            "remove it, and what libraries.jsonl beside it says of its sweeps"
        )
    return lines


class Results:
    """What is known about one setting."""

    def __init__(self, setting: Setting, lines: list[Line]) -> None:
        self.setting = setting
        self.done = {key_of(line) for line in lines}
        self.values: dict[int, dict[int, float]] = {}
        """The final metric in points by step of the ladder and seed; -inf: it failed."""
        for line in lines:
            if line["type"] == "training":
                value = line["value"]
                score = -math.inf if value is None else points(lines[0], value)
                self.values.setdefault(round(step_of(line["lr"])), {})[line["seed"]] = score

    def best(self) -> int | None:
        """The best step by the mean over seeds; among rates with few seeds, by those they have."""
        means = {step: fmean(values.values()) for step, values in self.values.items()}
        return max(means, key=lambda step: means[step]) if means else None

    def standard_error(self) -> float:
        """Of the best rate's mean over seeds, in points; infinite with fewer than two seeds.

        The spread of seeds is that at all rates within `ALIKE` points of the best: three seeds of
        one rate, which is best because they are, can agree by chance.
        """
        best = self.best()
        if best is None or len(self.values[best]) < 2:
            return math.inf
        mean = fmean(self.values[best].values())
        if mean == -math.inf:
            return math.inf
        alike = [[*v.values()] for v in self.values.values() if fmean(v.values()) >= mean - ALIKE]
        freedom = sum(len(values) - 1 for values in alike)
        squares = sum((len(values) - 1) * variance(values) for values in alike if len(values) > 1)
        return math.sqrt(squares / freedom / len(self.values[best]))

    def missing(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Those that are not done."""
        return [piece for piece in pieces if piece.key not in self.done]

    def fails_from(self) -> int:
        """The lowest step from which on all trainings failed."""
        steps = sorted(self.values)
        while steps and max(self.values[steps[-1]].values()) == -math.inf:
            steps.pop()
        return steps[-1] + 1 if steps else LOWEST


def next_pieces(known: Results, *, long: bool) -> list[Piece]:
    """What can be done now; empty if nothing is left, or nothing until running pieces end.

    Args:
        long: whether what comes last, after that of all settings, is due: long sweeps, more seeds.
    """
    setting = known.setting
    sweeps = [Sweep(steps, seed) for steps, seeds in setting.sweeps for seed in range(seeds)]
    accuracy = [Sweep(ACCURACY, seed, accuracy=True) for seed in range(3 * setting.is_accuracy)]
    short = [sweep for sweep in sweeps if sweep.steps in FIRST]
    early = min(setting.seeds, EARLY_SEEDS)
    stages: list[Callable[[], list[Piece]]] = [
        lambda: short,
        lambda: _coarse(known),
        lambda: _dense(known, early),
    ]
    if long or setting.is_cheap:
        stages += [lambda: _firm(known)]
    if long or setting.kind in EARLY_ACCURACY:
        stages += [lambda: accuracy]
    if long or setting.all_early:
        stages += [lambda: sweeps]
    if long:
        stages += [lambda: _dense(known, setting.seeds)]
    return next(filter(None, (known.missing(stage()) for stage in stages)), [])


def is_enclosed(known: Results) -> bool:
    """Whether all trainings are done that the best rate needs, with the first seeds."""
    if known.best() is None:
        return False
    early = min(known.setting.seeds, EARLY_SEEDS)
    return not known.missing([*_coarse(known), *_dense(known, early)])


def is_firm(known: Results) -> bool:
    """Whether the mean of the best rate is known well enough to count what others lose to it."""
    return known.standard_error() <= FIRM


def _coarse(known: Results) -> list[Piece]:
    """Every second step, with one seed."""
    best = known.best()
    centre = known.setting.centre if best is None else best
    first = LOWEST + (known.setting.centre - LOWEST) % COARSE
    return [
        AtRate(rate(step), 0)
        for step in range(first, HIGHEST + 1, COARSE)
        if centre - BELOW <= step <= centre + ABOVE
        and (best is None or step < known.fails_from() + COARSE)
    ]


def _dense(known: Results, seeds: int) -> list[Piece]:
    """Every step near the best, with all seeds."""
    best = known.best()
    assert best is not None  # trainings at coarse steps come first
    return [
        AtRate(rate(step), seed)
        for step in range(max(best - DENSE, LOWEST), min(best + DENSE, HIGHEST) + 1)
        if step <= known.fails_from()
        for seed in range(seeds)
    ]


def _firm(known: Results) -> list[Piece]:
    """What is missing of the last seed that was begun; one more where the best is not firm yet."""
    seeds = 1 + max(seed for values in known.values.values() for seed in values)
    begun = _dense(known, seeds)
    if known.missing(begun) or is_firm(known) or seeds >= MOST_SEEDS:
        return begun
    return _dense(known, seeds + 1)
