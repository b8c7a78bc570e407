"""Sentences on what the results of a comparison rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from clr_tui.engine.analysis.comparison.comparison_results import (
    CompareReport,
    EntryReport,
    TrialReport,
)
from clr_tui.engine.analysis.comparison.seed_curves import NEVER_STARTED
from clr_tui.engine.analysis.statistics import interval_factor
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.words import listed, many, plural, was

FEW_SEEDS = 5
"""Up to this many seeds, an interval is wide compared with their spread."""


def remarks(report: CompareReport) -> list[str]:
    """What the results rest on; one or two sentences each."""
    return [
        *_method(report),
        *_time(report),
        *_without_spread(report),
        *_costs(report),
        *_phases(report),
        *_unfinished(report),
        *_lengths(report),
        *_selection_bias(report),
    ]


def _method(report: CompareReport) -> Iterable[str]:
    tested = sum(p.p is not None for p in report.pairs)
    if report.sensitivity is not None and any(o.costs for o in report.sensitivity.optimizers):
        yield (
            "What a rule costs is judged by a paired t-test over common seeds, corrected for the"
            " rates that might have come out best."
        )
    if tested:
        name = "paired t-tests over common seeds" if report.paired else "Welch's t-test"
        corrected = f", Holm-corrected for {tested} pairs" if tested > 1 else ""
        what = "Differences" if report.sensitivity is None else "Ranks"
        yield f"{what} are judged by {name}{corrected}."
    if report.measure.startswith("validation") and report.trials_done:
        yield "Nothing was tested: ranks use validation."
    if 2 <= report.seeds <= FEW_SEEDS:
        shows = "only large differences show"
        if tested > 1 and report.paired and report.sensitivity is None:
            more = next(n for n in (3, 5, 10) if n > report.seeds)
            shows = (
                f"the clearest of {tested} differences must be {_reach(report.seeds, tested):.1f} "
                f"of its own to show, {_reach(more, tested):.1f} with {more} seeds"
            )
        yield (
            f"With {report.seeds} seeds a 95% interval reaches {_reach(report.seeds):.1f} standard "
            f"deviations to each side: {shows}."
        )


def _reach(seeds: int, tests: int = 1) -> float:
    return float(interval_factor(np.array([seeds]), tests)[0])


def _time(report: CompareReport) -> Iterable[str]:
    if report.time is not None and report.status not in ("running", "paused"):
        used, seconds = duration(round(report.time.used)), duration(report.time.seconds)
        yield f"{many(report.seeds, 'seed')} in {used} of {seconds}."


def _without_spread(report: CompareReport) -> Iterable[str]:
    """Samples without spread: a sentence instead of the interval or of t."""
    for e in report.entries:
        spread = e.result
        if spread.n > 1 and spread.note:
            yield f"{e.label}: {spread.note}."
    for p in report.pairs if report.sensitivity is None else ():  # a grid has hundreds
        if p.n > 1 and p.note and p.difference:
            yield f"{p.a} and {p.b}: {p.note}."


def _costs(report: CompareReport) -> Iterable[str]:
    on_grid = report.sensitivity.labels if report.sensitivity else {}
    entries = [e for e in report.entries if e.entry not in on_grid]
    known = [e for e in entries if e.rate_source]
    if not entries:
        return
    if not known:
        if report.status not in ("running", "paused"):
            yield "The learning rates and the cost of finding them are unknown."
        return
    swept = [e for e in known if e.tuning_steps > 0]
    if swept or len(known) == len(entries):  # else a sweep is running
        yield _cost_of(swept, report.samples) if swept else "Tuning cost: none spent."
    given = [e.label for e in known if e.rate_source == "given"]
    if given:
        yield f"The cost of finding the given rate of {listed(given)} is unknown."
    plain = [e.label for e in known if e.rate_source == "default" and e.tuning_steps <= 0]
    if plain and swept:
        tuned = listed([e.label for e in swept])
        yield (
            f"Rates were not found at equal cost: a sweep for {tuned}, the class's default for "
            f"{listed(plain)}."
        )
    for e in known:
        if e.rate_note:
            yield f"{e.label}: {e.rate_note[0].lower()}{e.rate_note[1:].rstrip('.')}."


def _cost_of(swept: Sequence[EntryReport], samples: str) -> str:
    steps = sorted({e.tuning_steps for e in swept})
    total = sum(e.tuning_samples for e in swept)
    each = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    counted = "step" if steps == [1] else "steps"
    seconds = sum(e.tuning_seconds for e in swept)
    of = f"each of {len(swept)} optimizers" if len(swept) > 1 else swept[0].label
    unequal = " A sweep ends early where it diverges." if len(steps) > 1 else ""
    return (
        f"Tuning cost: {each} {counted} for {of}, {total:,} {samples} and {seconds:.0f} s in all."
        f"{unequal}"
    )


def _phases(report: CompareReport) -> Iterable[str]:
    swinging: dict[str, dict[str, None]] = {}
    on_grid = report.sensitivity.labels if report.sensitivity else {}
    for e in report.entries:
        if e.phase and not e.whole_cycles:
            swinging.setdefault(e.phase, {})[on_grid.get(e.entry, e.label)] = None
    for words, found in swinging.items():
        labels = list(found)
        yield (
            f"{listed(labels)} {'ends' if len(labels) == 1 else 'end'} {words}: "
            f"{report.metric.name} varies with the phase and is not final."
        )


def _unfinished(report: CompareReport) -> Iterable[str]:
    never = 0
    early = report.sensitivity.ended_early if report.sensitivity else set()
    for e in report.entries:
        if e.entry in early:  # the verdict says so
            continue
        groups: dict[tuple[str, str], list[TrialReport]] = {}
        for t in e.trials:
            if t.state in ("failed", "stopped"):
                groups.setdefault((t.state, t.reason), []).append(t)
        never += len(groups.pop(("stopped", NEVER_STARTED), []))
        for (state, reason), trials in groups.items():
            yield _unfinished_text(e, state, reason, trials)
    if never:
        yield f"{many(never, 'trial')} never started."


def _unfinished_text(
    entry: EntryReport, state: str, reason: str, trials: Sequence[TrialReport]
) -> str:
    count, total = len(trials), len(entry.trials)
    which = f" ({plural('seed', count)} {', '.join(str(t.seed) for t in trials)})"
    whose = f"{count} of {total} trials" if total > 1 else "its trial"
    verb = state if state == "failed" else f"{was(count)} stopped"
    why = f": {reason.rstrip('.')}" if reason else ""
    figures = " Its results are those of the others." if entry.done else ""
    return f"{entry.label}: {whose} {verb}{which}{why}.{figures}"


def _lengths(report: CompareReport) -> Iterable[str]:
    done = [t.epochs for e in report.entries for t in e.trials if t.state == "done"]
    if done and min(done) != max(done):
        yield (
            f"Trials differ in length ({min(done)} to {max(done)} epochs): their last epochs are "
            "not comparable."
        )


def _selection_bias(report: CompareReport) -> Iterable[str]:
    if report.trials_done:
        better = "the last epoch, or by test" if report.measure.startswith("test") else "the last"
        yield (
            "The best epoch is picked on validation, which flatters its validation "
            f"{report.metric.name}: go by {better}."
        )
