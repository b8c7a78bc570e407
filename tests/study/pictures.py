"""The pictures of docs/advice.md, drawn by the program's own charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from judge import Judged
from suite import rate
from summaries import Advice

from clr_tui.tui.charts.chart import Axis, Chart, HLine, Role, Series, VLine
from clr_tui.tui.charts.svg import to_svg

FOLDER = "advice"
SHOWN: dict[str, Role] = {
    "recommended": "entry-1",
    "minimum/10": "entry-2",
    "torch-lr-finder": "entry-3",
    "fastai valley": "entry-4",
    "Lightning": "entry-5",
}
HIGHEST = 20.0
"""Points on the y axis; more is drawn at its top."""
LOWEST_FACTOR, HIGHEST_FACTOR = 1e-3, 30.0


def pictures(advice: Sequence[Advice], settings: Sequence[Judged], docs: Path) -> list[str]:
    """Writes all pictures; returns the Markdown that shows them, with their captions."""
    folder = docs / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = (
        ("rates", _rates(settings), "What a rate costs: one line for each setting."),
        ("rules", _rules(advice), "Where the rules' answers land, and what they cost."),
        ("lengths", _lengths(advice), "The median answer by the length of the sweep."),
    )
    links = []
    for name, chart, words in made:
        (folder / f"{name}.svg").write_text(to_svg(chart, 960, 480, dark=False, title=words))
        links.append(f"![{words}]({FOLDER}/{name}.svg)")
    return links


def _rates(settings: Sequence[Judged]) -> Chart:
    lines = [
        Series(
            np.array([rate(int(s)) for s in j.truth.steps]) / j.truth.best_lr,
            np.minimum(j.truth.best - j.truth.means, HIGHEST),
            colour="loss",
            faint=len(settings) > 6,
        )
        for j in settings
    ]
    return Chart(
        series=tuple(lines),
        x=_factor_axis(),
        y=Axis("points lost", lo=0, hi=HIGHEST),
        vlines=(VLine(1.0, "best", "best"),),
        hlines=(HLine(1.0, "1 point", "target"),),
    )


def _rules(advice: Sequence[Advice]) -> Chart:
    points = []
    for rule, colour in SHOWN.items():
        chosen = [a for a in advice if a.rule == rule and a.sweeps == 1 and a.lr is not None]
        x = np.clip([a.factor for a in chosen], LOWEST_FACTOR, HIGHEST_FACTOR)
        y = np.minimum([a.lost for a in chosen], HIGHEST)
        points.append(Series(x, y, rule, colour, kind="points"))
    return Chart(
        series=tuple(reversed(points)),  # ours over the others
        x=_factor_axis(),
        y=Axis("points lost", lo=0, hi=HIGHEST),
        vlines=(VLine(1.0, "best", "best"),),
    )


def _lengths(advice: Sequence[Advice]) -> Chart:
    lines = []
    for rule, colour in SHOWN.items():
        found = [a for a in advice if a.rule == rule and a.sweeps == 1 and a.lr is not None]
        whole = _with_all_lengths(found)
        x = sorted({a.steps for a in whole})
        y = [10 ** float(np.median([np.log10(a.factor) for a in whole if a.steps == n])) for n in x]
        lines.append(Series(np.array(x, dtype=float), np.array(y), rule, colour, strong=True))
    return Chart(
        series=tuple(lines),
        x=Axis("steps of the sweep", log=True),
        y=Axis("answer / best rate", log=True),
        hlines=(HLine(1.0, "best", "best"),),
    )


def _with_all_lengths(advice: Iterable[Advice]) -> list[Advice]:
    """Only settings that have every length, so that lengths differ in nothing else."""
    found = list(advice)
    lengths = {a.steps for a in found}
    by_setting: dict[int, set[int]] = {}
    for a in found:
        by_setting.setdefault(id(a.setting), set()).add(a.steps)
    return [a for a in found if by_setting[id(a.setting)] == lengths]


def _factor_axis() -> Axis:
    return Axis("rate / best rate", log=True, lo=LOWEST_FACTOR, hi=HIGHEST_FACTOR)
