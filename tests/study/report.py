"""Writes docs/advice.md and its pictures from the results of the study.

python tests/study/report.py [--results DIR] [--docs DIR]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from advise import Said, said_of
from judge import MOST, PLATEAU
from made_curves import COUNT, deserving, undeserving
from pictures import pictures
from suite import SUITE, is_held_out
from summaries import ARTICLE, OURS, SOURCES, SWEEPS_OF, Advice, Study, Summary

HERE = Path(__file__).resolve().parent


def page(study: Study, figures: Sequence[str]) -> str:
    """The text of docs/advice.md; `figures` are the links to its pictures."""
    parts = [
        _introduction(study),
        _goals(study),
        _rules(study),
        figures[0],
        figures[1],
        _lengths(study),
        figures[2],
        _made(),
        _refusals(study),
        _settings(study),
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

- **Best rate**: the rate of the grid (four a decade) with the best final metric, mean of three
  seeds or more, of a short CLR training from a sixth of it, in whole cycles; a few settings train
  at a constant rate or with one cycle.
- **Points lost**: against the best rate, on what was not trained on. A point is 0.01 of accuracy;
  for a regression or a text model it is 1 % of the best error (the root of the mean square; the
  cross-entropy). An answer counts {MOST:.0f} points at most. The best of many noisy means
  is a little too good: "without luck" takes off what each seed loses at the rate that the others
  chose.
- **Held out**: every other setting. Rules and limits were chosen on the rest."""


def _goals(study: Study) -> str:
    rows = []
    for words, sweeps in (("one sweep", 1), ("three sweeps", 3)):
        held = study.by(
            lambda a, n=sweeps: a.rule == OURS and a.sweeps == n and is_held_out(a.setting.setting)
        )
        summary = Summary.of(held)
        if summary is None:
            continue
        rows.append(_goal(f"points lost, mean, {words}", 0.5, summary.mean, "at most {:.1f}"))
        rows.append(
            _goal(f"points lost, worst setting, {words}", 1.5, summary.worst, "at most {:.1f}")
        )
        rows += _interval_goals(held, words)
    bad = [said_of(case) for case in undeserving()]
    good = [said_of(case) for case in deserving()]
    wrong = sum(s.recommended is not None for s in bad)
    refused = sum(s.recommended is None for s in good) / len(good)
    rows.append(
        _goal(f"recommendations on {COUNT} made curves without one", 0, wrong, "{:.0f}", "{:.0f}")
    )
    rows.append(
        _goal(f"refusals of {COUNT} good made curves", 0.05, refused, "at most {:.0%}", "{:.1%}")
    )
    moved = _moves(study, OURS)
    if moved:
        rows.append(
            _goal(
                f"factor between advice of 100 and 3,000 steps, median of {len(moved)} settings",
                2,
                float(np.median(moved)),
                "at most {:.0f}",
            )
        )
        rows.append(_goal("the same, largest", 2, max(moved), "at most {:.0f}"))
    return "\n".join(
        [
            "## Figures to reach",
            "",
            "Points lost and intervals are those of the held-out settings.",
            "",
            "| figure | aim | measured | reached |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _interval_goals(held: list[Advice], words: str) -> list[str]:
    known = [a for a in held if a.interval and a.lr is not None]
    if not known:
        return []
    inside = float(np.mean([a.holds_best for a in known]))
    as_good = float(np.mean([a.holds_as_good for a in known]))
    width = float(np.median([np.log10(a.interval[1] / a.interval[0]) for a in known if a.interval]))
    aim, share = "at least {:.0%}", "{:.0%}"
    return [
        _goal(f"intervals that hold the best rate, {words}", 0.9, inside, aim, share, least=True),
        _goal(
            f"intervals that hold it, or one as good within luck, {words}",
            0.9,
            as_good,
            aim,
            share,
            least=True,
        ),
        _goal(f"width of the interval in decades, median, {words}", 1, width, "at most {:.0f}"),
    ]


def _goal(
    what: str, aim: float, found: float, words: str, form: str = "{:.2f}", *, least: bool = False
) -> str:
    reached = found >= aim if least else found <= aim
    return f"| {what} | {words.format(aim)} | {form.format(found)} | {'yes' if reached else 'no'} |"


def _moves(study: Study, rule: str) -> list[float]:
    """For each setting, the factor between the median advice of its shortest and longest sweeps."""
    found = []
    for setting in study.settings:
        medians = []
        for steps in (100, 3000):
            rates = [
                a.lr
                for a in study.advice
                if a.setting is setting
                and (a.rule, a.steps, a.sweeps) == (rule, steps, 1)
                and a.lr is not None
            ]
            if rates:
                medians.append(float(np.median(rates)))
        if len(medians) == 2:
            found.append(max(medians) / min(medians))
    return found


def _rules(study: Study) -> str:
    lines = [
        "## Every rule",
        "",
        "Each sweep alone, all lengths, except where it says otherwise. Libraries run their own",
        "code on the same raw losses, with their own smoothing (tests/study/library_rules.py).",
    ]
    held_out = [a for a in study.advice if is_held_out(a.setting.setting)]
    shares = [a for a in held_out if a.setting.setting.is_accuracy]
    for title, advice in (
        ("All settings", study.advice),
        ("Held-out settings", held_out),
        ("Held-out settings that are judged by accuracy", shares),
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
        f"The plateau is where training loses at most {PLATEAU:.0f} point, in decades. The last",
        "column is the recommended rate relative to the best one, the median.",
        "",
        f"| setting | half | best rate | plateau | luck | {' | '.join(_BESIDE)} | answer / best |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for setting in study.settings:
        truth = setting.truth
        low, high = truth.plateau
        cells = [
            f"`{setting.setting.name}`",
            "held out" if is_held_out(setting.setting) else "choosing",
            f"{truth.best_lr:.2g}",
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


HOW_TO_RUN = """\
## How to run it

    make study

trains what is missing in tests/study/results, asks the libraries, and writes this page. It can be
ended and started again at any time; what is done is kept, a line for each sweep and each training.
Two processes work at once, each with one thread (on a GPU, if there is one). The whole suite takes
some three hours of one core; the first settings take minutes. Photographs of flowers by class are
expected in ../shared/data/flowers or `$CLR_TUI_STUDY_DATA`; without them, settings that need them
are left out.

    python tests/study/run.py --only digits-sgd-b64,table-adam-b64    # some settings
    python tests/study/report.py --results DIR                         # the page from other results

A setting of your own is a line in tests/study/suite.py, and its task a function in workloads.py."""
LIMITS = """\
## What it cannot say

- The trainings are short: 4 to 32 epochs, on small images, tables and texts. Longer ones may have
  another best rate; large models are not among them.
- 1 % of an error is not 0.01 of accuracy. Where a short training ends far from what it could reach,
  such as without momentum on the table, its error depends on the rate everywhere. The last table of
  rules is of accuracy alone.
- Three to five seeds: the best rate of a flat grid is known only to within its plateau, and
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
