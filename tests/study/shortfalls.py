"""The section of docs/advice.md on what was tried, and on figures that are not reached."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from choose_rule import ACROSS, BANDWIDTHS, LOWER, SHARES, in_use, trend_of, variants
from goals import Goal, ends_of_lengths
from judge import Judged
from suite import is_held_out
from summaries import OURS, Advice, Study, Summary

from clr_tui.engine.analysis.sweep.best_rate import BANDWIDTH

AWAY = 10**0.5
"""A factor between rates: two steps of the ladder."""
SHORTEST = 100
"""Steps of the shortest sweeps."""
NEXT = 300
"""Steps of the next longer ones."""
MOST_SAID = 4
"""Settings that are named for a figure."""


CHANGED = """\
Changed after results were seen, besides the scale of points: the three settings of torchvision's
networks were ShuffleNet, MobileNet and SqueezeNet with photographs of flowers and 4 epochs at
first. Seeds of ShuffleNet at one rate differed by up to 16 points, its best rate was 8 points above
its neighbours, and the recommended rule lost 14.3 points of accuracy with it in the mean, held out.
After 16 epochs its seeds still differed by 5 points. They are ShuffleNet, twice, and ResNet18 now,
with the digits. In trials with the digits two seeds of SqueezeNet differed by 16 points and two of
MobileNetV2 by 8, and MobileNetV3 stayed at chance. Former results do not count."""
"""What the numbers cannot tell."""


def shortfalls(study: Study, all_goals: Sequence[Goal]) -> str:
    """The section, from the numbers."""
    missed = [goal for goal in all_goals if not goal.is_reached]
    lines = ["## What was tried, and where a figure is not reached", "", *_tried(study), ""]
    if not missed:
        return "\n".join([*lines, "Every figure is reached."])
    lines += ["| figure that is not reached | by |", "|---|---|"]
    lines += [f"| {goal.what} | {goal.missed_by} |" for goal in missed]
    reasons: tuple[tuple[str, Callable[[Study], Iterator[str]]], ...] = (
        ("points lost", _why_points),
        ("intervals", _why_intervals),
        ("factor", _why_moves),
    )
    for word, reason in reasons:
        if any(goal.about == word for goal in missed):
            lines += ["", *reason(study)]
    return "\n".join([*lines, *_refused(study), "", CHANGED])


def _tried(study: Study) -> Iterator[str]:
    """How the rule compares with its variants on the settings that may choose."""
    choosing = [s for s in study.settings if not is_held_out(s.setting)]
    found = variants(choosing)
    best, used = found[0], in_use(found)
    yield wrapped(
        f"Tried on the {len(choosing)} settings that may choose (tests/study/choose_rule.py): "
        f"{len(found)} variants of the recommended rule, with a bandwidth of "
        f"{_listed(BANDWIDTHS)} decades, the bottom at {_listed(SHARES)} of the fall, the answer "
        f"{_listed(ACROSS)} of the way across it and {_listed(LOWER)} decades below that. The "
        f"best loses {best.mean:.2f} points there in the mean and {best.worst:.2f} at worst, the "
        f"one in use {used.mean:.2f} and {used.worst:.2f}."
    )


def _why_points(study: Study) -> Iterator[str]:
    """The settings that cost most, and how fast points are lost beside their best rate."""
    yield wrapped(
        "Points lost: the held-out settings that cost most, with what a rate beside the best one "
        "costs. Where a training is short for its task, such as on the table without momentum, "
        "its optimum is sharp: lower rates have not learned enough by the end, and the next higher "
        "ones diverge."
    )
    yield ""
    yield f"| setting | lost | plateau, decades | best / {AWAY:.1f} | best x {AWAY:.1f} |"
    yield "|---|---|---|---|---|"
    costs = {s.setting.name: _lost(study, s) for s in _held(study)}
    for setting in sorted(_held(study), key=lambda s: -costs[s.setting.name])[:MOST_SAID]:
        truth = setting.truth
        low, high = truth.plateau
        cells = (
            f"`{setting.setting.name}`",
            f"{costs[setting.setting.name]:.1f}",
            f"{np.log10(high / low):.1f}",
            f"{truth.lost(truth.best_lr / AWAY):.1f}",
            f"{truth.lost(truth.best_lr * AWAY):.1f}",
        )
        yield f"| {' | '.join(cells)} |"


def _why_intervals(study: Study) -> Iterator[str]:
    """How wide plateaus are, and which intervals miss most."""
    alone = [a for a in study.held_out if _is_ours(a) and a.interval and a.lr is not None]
    missed = [a for a in alone if not a.holds_best]
    near = [a for a in missed if a.holds_as_good]
    cheap = [a for a in missed if not a.holds_as_good and a.lost <= 1]
    plateaus = [np.log10(s.truth.plateau[1] / s.truth.plateau[0]) for s in _held(study)]
    names = [s.setting.name for s in _held(study)]
    by_name = {n: sum(a.setting.setting.name == n for a in missed) for n in names}
    most = sorted((n for n in by_name if by_name[n]), key=lambda n: -by_name[n])[:MOST_SAID]
    yield wrapped(
        f"Intervals: the best rate is one rate of a plateau that is {np.median(plateaus):.1f} "
        "decades wide in the median of the held-out settings, and which of its rates comes out "
        "best is partly luck; an interval of a decade need not reach it. Of "
        f"{len(alone)} intervals of single sweeps {len(missed)} miss it; {len(near)} of these hold "
        f"one as good within luck, and of the other {len(missed) - len(near)} the answer itself "
        f"loses at most a point in {len(cheap)}. The most misses: "
        + ", ".join(f"`{n}` {by_name[n]}" for n in most)
        + "."
    )


def _why_moves(study: Study) -> Iterator[str]:
    """The settings whose advice moves with the length of the sweep, and how far losses fall."""
    ends = ends_of_lengths(study)
    by_name = {s.setting.name: s for s in study.settings}
    moved = sorted(ends, key=lambda n: -max(ends[n]) / min(ends[n]))[:MOST_SAID]
    yield wrapped(
        "Factor between lengths: a longer sweep has more time to learn at low rates, so its loss "
        "makes most of its fall sooner, and the lower end of the bottom moves down. The best rate "
        "of a training of some length does not know how long the sweep was. The settings that "
        "move most:"
    )
    yield ""
    yield "| setting | advice at 100 | at 3,000 | factor | fall of the loss at 100 | at 3,000 |"
    yield "|---|---|---|---|---|---|"
    for name in moved:
        short, long = ends[name]
        falls = [f"{_fall(by_name[name], steps):.0%}" for steps in (100, 3000)]
        factor = max(short, long) / min(short, long)
        yield f"| `{name}` | {short:.2g} | {long:.2g} | {factor:.1f} | {falls[0]} | {falls[1]} |"


def _refused(study: Study) -> Iterator[str]:
    """The shortest sweeps of good settings that get no recommendation, and how far they fall."""
    refused: dict[str, int] = {}
    for a in study.advice:
        if _is_ours(a) and a.steps == SHORTEST and a.lr is None:
            name = a.setting.setting.name
            refused[name] = refused.get(name, 0) + 1
    if not refused:
        return
    by_name = {s.setting.name: s for s in study.settings}
    named = ", ".join(
        f"`{name}` {count} (falls by {_fall(by_name[name], SHORTEST):.0%})"
        for name, count in refused.items()
    )
    longer = [
        a.lr is not None
        for a in study.advice
        if _is_ours(a) and a.steps == NEXT and a.setting.setting.name in refused
    ]
    yield ""
    yield wrapped(
        f"Sweeps of {SHORTEST} steps without a recommendation: {named}. Seven decades in so few "
        "steps leave little time at the rates that learn; where the trend falls by little more "
        f"than the noise of a batch, there is nothing to read. Of the sweeps of {NEXT} steps of "
        f"these settings {sum(longer)} of {len(longer)} have a recommendation."
    )


def _fall(setting: Judged, steps: int) -> float:
    """The share of its first level that the trend of a sweep falls by; the median over seeds."""
    falls = []
    for sweep in setting.sweeps[steps]:
        _, trend, level = trend_of(sweep, BANDWIDTH)
        falls.append(1 - float(trend.min()) / level)
    return float(np.median(falls))


def _lost(study: Study, setting: Judged) -> float:
    found = Summary.of(a for a in study.held_out if a.setting is setting and _is_ours(a))
    return found.mean if found else 0.0


def _held(study: Study) -> list[Judged]:
    return [s for s in study.settings if is_held_out(s.setting)]


def _is_ours(advice: Advice) -> bool:
    return (advice.rule, advice.sweeps) == (OURS, 1)


def _listed(values: Sequence[float]) -> str:
    return " or ".join([", ".join(f"{v:.2g}" for v in values[:-1]), f"{values[-1]:.2g}"])


def wrapped(text: str) -> str:
    """A paragraph in lines of the page."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
