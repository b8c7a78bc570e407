"""The result of a comparison in plain sentences: what was found, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from clr_tui.engine.analysis.comparison import NEVER_BEGAN
from clr_tui.engine.analysis.statistics import ALPHA, interval_factor

if TYPE_CHECKING:
    from clr_tui.engine.analysis.compare_report import CompareReport, EntryReport, Pair, TrialReport

FEW_SEEDS = 5
"""Up to so many, an interval is wide beside the spread of the seeds."""


def verdict(report: CompareReport) -> str:
    """One to three sentences: who leads, and who cannot be told apart from whom."""
    ranked = [e for e in report.entries if e.rank is not None]
    if not ranked:
        return _nothing(report)
    if len(report.entries) == 1:
        return "There is only one optimizer: nothing to compare it with."
    to_come = any(_to_come(e) for e in report.entries)
    if len(ranked) == 1:
        yet = " yet" if to_come else ""
        said = [f"Only {ranked[0].label} has finished: nothing to compare it with{yet}."]
    else:
        said = _judged(report, ranked)
        if to_come:
            said[0] = f"So far: {said[0]}"
    none = [e.label for e in report.entries if e.rank is None and not _to_come(e)]
    if none:
        said.append(f"Nothing can be said of {_listed(none)}: no trial of it is done.")
    return " ".join(said)


def _nothing(report: CompareReport) -> str:
    total, done = report.trials_total, report.trials_done
    if any(_to_come(e) for e in report.entries):
        waits = "no trial is done" if not done else f"{done} of {total} trials are done"
        return f"No optimizer has finished its trials yet: {waits}."
    if report.status in ("running", "paused") and not total:
        return "No trial has begun yet."
    if total and report.trials_failed == total:
        return f"All {_many(total, 'trial')} failed: there is nothing to compare."
    return "No trial is done: there is nothing to compare."


def _to_come(entry: EntryReport) -> bool:
    return any(t.state in ("waiting", "running") for t in entry.trials)


def _judged(report: CompareReport, ranked: Sequence[EntryReport]) -> list[str]:
    """The leader against each of the others; at least one of these."""
    leader = ranked[0].label
    against = {p.b if p.a == leader else p.a: p for p in report.pairs if leader in (p.a, p.b)}
    if all(p.n < 2 for p in report.pairs):
        return [_by_chance(report), f"The highest is {leader}."]
    near = [label for label, p in against.items() if not p.distinguishable]
    worse = [label for label, p in against.items() if p.distinguishable]
    if not near:
        return [f"{leader} is distinguishably better than {_listed(worse)}."]
    nearest = min(near, key=lambda label: _distance(against[label]))
    tests = sum(p.p is not None for p in report.pairs)
    said = [_not_distinguishable(leader, nearest, against[nearest], tests)]
    others = [label for label in near if label != nearest]
    if others:
        said.append(f"{leader} is not distinguishable from {_listed(others)} either.")
    if worse:
        said.append(f"{_listed(worse)} {_be(worse)} distinguishably worse than {leader}.")
    return said


def _by_chance(report: CompareReport) -> str:
    if report.seeds == 1:
        return "One seed only: nothing can be said about chance; run more seeds."
    return "No two seeds can be compared: nothing can be said about chance."


def _not_distinguishable(leader: str, other: str, pair: Pair, tests: int) -> str:
    seeds = _many(pair.n, "seed")
    if pair.n == 0:
        return f"{leader} and {other} cannot be compared: {pair.note}."
    if pair.n > 1 and pair.difference == 0 and pair.p is None:
        return f"{leader} and {other} have identical values over {seeds}."
    difference = ""
    if pair.difference is not None:
        half = "" if pair.half_width is None else f" ± {100 * pair.half_width:.1f}"
        corrected = f"; corrected for {tests} pairs" if _by_correction(pair) else ""
        difference = f" (difference {100 * abs(pair.difference):.1f}{half} points{corrected})"
    return f"{leader} and {other} are not distinguishable with {seeds}{difference}."


def _distance(pair: Pair) -> float:
    return math.inf if pair.difference is None else abs(pair.difference)


def _by_correction(pair: Pair) -> bool:
    """Alone the pair would count as different: its interval leaves out 0."""
    return pair.p is not None and pair.p < ALPHA


def remarks(report: CompareReport) -> list[str]:
    """What the figures rest on; one or two sentences each."""
    return [
        *_method(report),
        *_without_chance(report),
        *_costs(report),
        *_phases(report),
        *_broken(report),
        *_lengths(report),
        *_picked(report),
    ]


def _method(report: CompareReport) -> Iterable[str]:
    tested = sum(p.p is not None for p in report.pairs)
    if tested:
        name = "paired t-tests over common seeds" if report.paired else "Welch's t-test"
        many = f", {tested} pairs corrected after Holm" if tested > 1 else ""
        yield f"Differences are judged by {name}{many}."
    if report.measure.startswith("validation") and report.trials_done:
        yield "Nothing was tested: ranks go by validation."
    if 2 <= report.seeds <= FEW_SEEDS:
        reach = float(interval_factor(np.array([report.seeds]))[0])
        yield (
            f"With {report.seeds} seeds a 95% interval reaches {reach:.1f} standard deviations to "
            "each side: only large differences show."
        )


def _without_chance(report: CompareReport) -> Iterable[str]:
    """Samples that show no spread: a sentence takes the place of the interval, or of t."""
    for e in report.entries:
        spread = e.test_last or e.validation_last
        if spread.n > 1 and spread.note:
            yield f"{e.label}: {spread.note}."
    for p in report.pairs:
        if p.n > 1 and p.note and p.difference:
            yield f"{p.a} and {p.b}: {p.note}."


def _costs(report: CompareReport) -> Iterable[str]:
    known = [e for e in report.entries if e.rate_source]
    if not known:
        if report.status not in ("running", "paused"):
            yield "Rates, and what finding them cost, are not known."
        return
    swept = [e for e in known if e.tuning_steps > 0]
    yield _cost_of(swept) if swept else "Tuning cost: none spent."
    given = [e.label for e in known if e.rate_source == "given"]
    if given:
        yield f"What it cost to find the given rate of {_listed(given)} is not known."
    plain = [e.label for e in known if e.rate_source == "default" and e.tuning_steps <= 0]
    if plain and swept:
        tuned = _listed([e.label for e in swept])
        yield (
            f"Rates were not found at equal cost: a sweep for {tuned}, torch's default for "
            f"{_listed(plain)}."
        )
    for e in known:
        if e.rate_note:
            yield f"{e.label}: {e.rate_note.rstrip('.')}."


def _cost_of(swept: Sequence[EntryReport]) -> str:
    steps = sorted({e.tuning_steps for e in swept})
    images = sum(e.tuning_images for e in swept)
    each = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    seconds = sum(e.tuning_seconds for e in swept)
    of = f"each of {len(swept)} optimizers" if len(swept) > 1 else swept[0].label
    unequal = " A sweep ends early where it diverges." if len(steps) > 1 else ""
    return (
        f"Tuning cost: {each} steps for {of}, {images:,} images and {seconds:.0f} s in all."
        f"{unequal}"
    )


def _phases(report: CompareReport) -> Iterable[str]:
    swinging: dict[str, list[str]] = {}
    for e in report.entries:
        if e.phase and not e.whole_cycles:
            swinging.setdefault(e.phase, []).append(e.label)
    for words, labels in swinging.items():
        yield (
            f"{_listed(labels)} {'ends' if len(labels) == 1 else 'end'} {words}: accuracy swings "
            "with the phase, and is no final one."
        )


def _broken(report: CompareReport) -> Iterable[str]:
    never = 0
    for e in report.entries:
        groups: dict[tuple[str, str], list[TrialReport]] = {}
        for t in e.trials:
            if t.state in ("failed", "stopped"):
                groups.setdefault((t.state, t.reason), []).append(t)
        never += len(groups.pop(("stopped", NEVER_BEGAN), []))
        done = any(t.state == "done" for t in e.trials)
        for (state, reason), trials in groups.items():
            yield _broken_words(e, state, reason, trials, rest=done)
    if never:
        yield f"{_many(never, 'trial')} never began."


def _broken_words(
    entry: EntryReport, state: str, reason: str, trials: Sequence[TrialReport], *, rest: bool
) -> str:
    many, total = len(trials), len(entry.trials)
    which = f" (seed{'s'[: many != 1]} {', '.join(str(t.seed) for t in trials)})"
    whose = f"{many} of {total} trials" if total > 1 else "its trial"
    verb = state if state == "failed" else f"{'were' if many > 1 else 'was'} stopped"
    why = f": {reason.rstrip('.')}" if reason else ""
    figures = " Its figures are of the others." if rest else ""
    return f"{entry.label}: {whose} {verb}{which}{why}.{figures}"


def _lengths(report: CompareReport) -> Iterable[str]:
    done = [t.epochs for e in report.entries for t in e.trials if t.state == "done"]
    if done and min(done) != max(done):
        yield (
            f"Trials differ in length ({min(done)} to {max(done)} epochs): their last epochs are "
            "not alike."
        )


def _picked(report: CompareReport) -> Iterable[str]:
    if report.trials_done:
        better = "the last epoch, or by test" if report.measure.startswith("test") else "the last"
        yield (
            "The best epoch is picked on validation, which flatters its validation accuracy: go "
            f"by {better}."
        )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s'[: count != 1]}"


def _be(labels: Sequence[str]) -> str:
    return "is" if len(labels) == 1 else "are"


def _listed(labels: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *first, last = labels
    return f"{', '.join(first)} and {last}" if first else last
