"""Writes docs/advice.md and its pictures from the results of the study.

python tests/study/report.py [--results DIR] [--docs DIR]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from advise import Said, said_of, said_of_sweeps
from goals import Goal, goals
from judge import MOST, PLATEAU, Judged
from made_curves import deserving, undeserving
from pictures import pictures
from plan import ALIKE, FIRM, MOST_SEEDS
from shortfalls import shortfalls, wrapped
from suite import SUITE, is_held_out
from summaries import ARTICLE, OURS, SOURCES, SWEEPS_OF, Advice, Study, Summary

HERE = Path(__file__).resolve().parent


def page(study: Study, figures: Sequence[str]) -> str:
    """The text of docs/advice.md; `figures` are the links to its pictures."""
    all_goals = goals(study)
    parts = [
        _introduction(study),
        _goals(all_goals),
        _rules(study),
        figures[0],
        figures[1],
        _lengths(study),
        figures[2],
        _made(),
        _refusals(study),
        _settings(study),
        _errors(study),
        uncertain_settings(study),
        shortfalls(study, all_goals),
        HOW_TO_RUN,
        LIMITS,
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _introduction(study: Study) -> str:
    count = len(study.settings)
    sweeps = sum(len(lines) for s in study.settings for lines in s.sweeps.values())
    held_out = sum(is_held_out(s.setting) for s in study.settings)
    return f"""\
# How good the advice is

Made by `make study` from the results in tests/study/results.

A range test gives one number, and the test of that number is to train with it. The study trains
{count} settings of data, model, optimizer, batch size and schedule at a grid of learning rates,
each several times, and so knows which rate is best and what every other one costs. Then it asks
each rule about {sweeps} sweeps of the same settings, and looks up what its answer costs.

**State: {count} of {len(SUITE)} settings are in**, {held_out} of them held out.
Of others that are trained, {len(study.uncertain)} are not known well enough to count.

- **Best rate**: the rate of the grid (four a decade) with the best final metric, mean of three
  seeds or more, of a short CLR training from a sixth of it, in whole cycles; a few settings train
  at a constant rate or with one cycle.
- **Points lost**: against the best rate, on what was not trained on. A point is a hundredth of a
  share, so that all settings are on one scale: of accuracy; for the regression of the variance
  explained (R^2 = 1 - mean square / variance of the targets); for text of the entropy explained
  (McFadden's R^2, 1974: 1 - cross-entropy / that of the best constant guess, the characters'
  frequencies). An answer counts {MOST:.0f} points at most. The best of many noisy means is a
  little too good: "without luck" takes off what each seed loses at the rate that the others chose.
- **Counted**: settings whose best rate has a mean with a standard error of at most {FIRM:g} points,
  by the spread of the seeds at all rates within {ALIKE:g} points of it.
  [The others](#not-yet-known-well-enough) are listed.
- **Held out**: every other setting. Rules and limits were chosen on the rest."""


def _goals(all_goals: Sequence[Goal]) -> str:
    return "\n".join(
        [
            "## Figures to reach",
            "",
            "Points lost and intervals are those of the held-out settings.",
            "",
            "| figure | aim | measured | reached |",
            "|---|---|---|---|",
            *(goal.row for goal in all_goals),
        ]
    )


def _rules(study: Study) -> str:
    lines = [
        "## Every rule",
        "",
        "Each sweep alone, all lengths, except where it says otherwise. Libraries run their own",
        "code on the same raw losses, with their own smoothing (tests/study/library_rules.py).",
    ]
    for title, advice in (
        ("All settings", study.advice),
        ("Held-out settings", study.held_out),
    ):
        lines += ["", f"### {title}", "", _RULE_HEAD, "|---|---|---|---|---|---|---|---|"]
        for rule in SOURCES:
            sweeps = SWEEPS_OF.get(rule, 1)
            lines += _rule_row(rule, [a for a in advice if (a.rule, a.sweeps) == (rule, sweeps)])
        three = [a for a in advice if (a.rule, a.sweeps) == (OURS, 3)]
        lines += _rule_row("recommended, three sweeps", three)
    lines += ["", *(f"- **{name}**: {words}." for name, words in SOURCES.items())]
    return "\n".join(lines)


_RULE_HEAD = (
    "| rule | answers | points lost, mean | without luck | worst setting | worst sweep "
    "| loses at most 1 | off by (decades) |"
)


def _rule_row(name: str, advice: list[Advice]) -> list[str]:
    found = Summary.of(advice)
    if found is None:
        return []
    cells = (
        name,
        f"{found.answered:.0%}",
        f"{found.mean:.1f}",
        f"{found.fair:.1f}",
        f"{found.worst:.1f}",
        f"{found.worst_single:.1f}",
        f"{found.within:.0%}",
        f"{found.off:.2f}",
    )
    return [f"| {' | '.join(cells)} |"]


def _lengths(study: Study) -> str:
    lengths = sorted({a.steps for a in study.advice if a.sweeps})
    lines = [
        "## The length of the sweep",
        "",
        "Points lost in the mean, by the steps of a sweep:",
        "",
    ]
    lines += [
        f"| rule | {' | '.join(f'{n:,}' for n in lengths)} |",
        "|---" * (1 + len(lengths)) + "|",
    ]
    for rule in SOURCES:
        if rule in SWEEPS_OF:
            continue
        cells = []
        for steps in lengths:
            key = rule, steps, 1
            found = Summary.of(study.by(lambda a, k=key: (a.rule, a.steps, a.sweeps) == k))
            cells.append(f"{found.mean:.1f}" if found else "")
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    counts = [len({id(a.setting) for a in study.advice if a.steps == n}) for n in lengths]
    lines.append(f"| settings | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


def _made() -> str:
    rows = []
    for title, cases in (("none", undeserving()), ("one", deserving())):
        kinds: dict[str, list[Said]] = {}
        for case in cases:
            kinds.setdefault(case.kind, []).append(said_of(case))
        for kind, said in kinds.items():
            count = sum(s.recommended is not None for s in said)
            rows.append(f"| {kind} | {title} | {len(said)} | {count} | {_verdicts(said)} |")
    return "\n".join(
        [
            "## Curves made on purpose",
            "",
            "With noise, of 100 to 1,000 steps, some of three seeds (tests/study/made_curves.py).",
            "",
            "| curve | deserves | curves | recommended | verdicts |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def _refusals(study: Study) -> str:
    lines = ["## Verdicts on measured sweeps", "", "Of single sweeps, by length:", ""]
    lines += ["| steps | sweeps | recommended | verdicts |", "|---|---|---|---|"]
    for steps in sorted({a.steps for a in study.advice if a.sweeps}):
        said = [
            a.said
            for a in study.advice
            if (a.rule, a.steps, a.sweeps) == (OURS, steps, 1) and a.said is not None
        ]
        if said:
            share = sum(s.recommended is not None for s in said) / len(said)
            lines.append(f"| {steps:,} | {len(said)} | {share:.0%} | {_verdicts(said)} |")
    return "\n".join(lines)


def _verdicts(said: list[Said]) -> str:
    counts = Counter(s.verdict for s in said)
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common())


_BESIDE = (OURS, ARTICLE, "fastai valley")


def _settings(study: Study) -> str:
    lines = ["## The settings", ""]
    lines += [
        "Lost by the recommended rule and by two others: each sweep alone, mean over all of them.",
        "Best is what the best rate reaches, in points, and error the standard error of that mean.",
        f"The plateau is where training loses at most {PLATEAU:.0f} point, in decades. The last",
        "column is the recommended rate relative to the best one, the median.",
        "",
        "| setting | half | best rate | best | error | plateau | luck "
        f"| {' | '.join(_BESIDE)} | answer / best |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for setting in study.settings:
        truth = setting.truth
        low, high = truth.plateau
        cells = [
            f"`{setting.setting.name}`",
            "held out" if is_held_out(setting.setting) else "choosing",
            f"{truth.best_lr:.2g}",
            f"{truth.best:.1f}",
            f"{setting.standard_error:.2f}",
            f"{np.log10(high / low):.1f}",
            f"{truth.luck:.1f}",
        ]
        for rule in _BESIDE:
            key = rule, 1
            found = Summary.of(
                study.by(lambda a, k=key, s=setting: a.setting is s and (a.rule, a.sweeps) == k)
            )
            cells.append(f"{found.mean:.1f}" if found else "")
        factors = [
            a.factor
            for a in study.advice
            if a.setting is setting and (a.rule, a.sweeps) == (OURS, 1) and a.lr is not None
        ]
        cells.append(f"{np.median(factors):.2g}" if factors else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _errors(study: Study) -> str:
    """What is lost of errors in percent, which the scale of points may hide."""
    lines = [
        "### In percent of the error",
        "",
        wrapped(
            "Until the scale of points was changed, after the first 15 settings were seen, a point "
            "of a regression or a text model was 1 % of its best error: of the root of the mean "
            "square, or of the cross-entropy. Accuracy has another scale: at 97 %, one point is a "
            "third of the wrong answers. By the former scale, at most 100 a sweep:"
        ),
        "",
    ]
    lines += [f"| setting | half | {' | '.join(_BESIDE)} |", "|---" * 5 + "|"]
    for setting in study.settings:
        if setting.setting.is_accuracy:
            continue
        half = "held out" if is_held_out(setting.setting) else "choosing"
        cells = [_former(study, setting, rule) for rule in _BESIDE]
        words = " | ".join("" if cell is None else f"{cell:.1f}" for cell in cells)
        lines.append(f"| `{setting.setting.name}` | {half} | {words} |")
    held = [s for s in study.settings if is_held_out(s.setting)]
    former = [f for s in held if (f := _former(study, s, OURS)) is not None]
    if former:
        lines += [
            "",
            f"With it, accuracy as above, the recommended rule loses {np.mean(former):.2f} in the",
            f"mean of the held-out settings and {max(former):.2f} in the worst.",
        ]
    return "\n".join(lines)


def _former(study: Study, setting: Judged, rule: str) -> float | None:
    """What a rule loses in the mean of single sweeps, in points of accuracy or percent of error."""
    costs = [
        a.lost if setting.setting.is_accuracy else min(a.more_error, MOST)
        for a in study.advice
        if a.setting is setting and (a.rule, a.sweeps) == (rule, 1) and a.lr is not None
    ]
    return float(np.mean(costs)) if costs else None


def uncertain_settings(study: Study) -> str:
    """The section on settings that do not count yet, and those that are not trained yet."""
    lines = [
        "## Not yet known well enough",
        "",
        f"Seeds differ so much that the mean of the best rate has a standard error above {FIRM:g}",
        f"points. They do not count above; more seeds follow, up to {MOST_SEEDS}. The last column",
        "is what the recommended rule loses as far as it is known.",
        "",
        "| setting | half | best rate so far | best | error | seeds | recommended |",
        "|---|---|---|---|---|---|---|",
    ]
    for setting in study.uncertain:
        lost = [
            setting.truth.lost(said.recommended)
            for sweeps in setting.sweeps.values()
            for sweep in sweeps
            if (said := said_of_sweeps([sweep])).recommended is not None
        ]
        cells = (
            f"`{setting.setting.name}`",
            "held out" if is_held_out(setting.setting) else "choosing",
            f"{setting.truth.best_lr:.2g}",
            f"{setting.truth.best:.1f}",
            f"{setting.standard_error:.2f}",
            f"{setting.seeds}",
            f"{np.mean(lost):.1f}" if lost else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    if not study.uncertain:
        del lines[2:]
        lines.append("No setting whose trainings are done is known less well than that.")
    trained = {s.setting.name for s in (*study.settings, *study.uncertain)}
    waiting = [f"`{s.name}`" for s in SUITE if s.name not in trained]
    if waiting:
        lines += ["", wrapped(f"Not trained at all rates yet: {', '.join(waiting)}.")]
    return "\n".join(lines)


HOW_TO_RUN = """\
## How to run it

    make study

trains what is missing in tests/study/results, asks the libraries, and writes this page. It can be
ended and started again at any time; what is done is kept, a line for each sweep and each training.
Two processes work at once, each with one thread (on a GPU, if there is one). The whole suite takes
some three hours of one core, longer where seeds differ much; the first settings take minutes.
Photographs of flowers by class are expected in ../shared/data/flowers or `$CLR_TUI_STUDY_DATA`;
without them, settings that need them are left out.

    python tests/study/run.py --only digits-sgd-b64,table-adam-b64    # some settings
    python tests/study/report.py --results DIR                         # the page from other results

A setting of your own is a line in tests/study/suite.py, and its task a function in workloads.py."""
LIMITS = """\
## What it cannot say

- The trainings are short: 4 to 32 epochs, on small images, tables and texts. Longer ones may have
  another best rate; large models are not among them.
- Shares of answers, of variance and of entropy are one scale, but a point is not worth the same
  everywhere: from 97 % right to 96 % is a third more errors, from 40 % explained to 39 % is little.
- Three to ten seeds: the best rate of a flat grid is known only to within its plateau, and
  differences of less than "luck" are noise.
- Trainings use CLR with a factor of 6, a few a constant rate or one cycle, without weight decay,
  warmup, or other settings that go with a rate.
- Libraries are asked with the settings that they have by default, but about our sweeps: from 1e-7
  to 1 (to 10 without momentum), ended where the smoothed loss passes four times its best. Their
  own range tests start and end elsewhere.
- Made curves show what was thought of. Verdicts on curves nobody thought of may be wrong."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--docs", type=Path, default=HERE.parents[1] / "docs")
    arguments = parser.parse_args()
    study = Study(arguments.results)
    if not study.settings:
        raise SystemExit(f"{arguments.results} has no setting whose best rate is known yet")
    links = pictures(study.advice, study.settings, arguments.docs)
    (arguments.docs / "advice.md").write_text(page(study, links))


if __name__ == "__main__":
    main()
