"""Says who leads a comparison, and who cannot be distinguished from the leader."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport, EntryReport
from clr_tui.engine.analysis.comparison.pairs import Pair
from clr_tui.engine.analysis.comparison.sensitivity_words import sensitivity_headline
from clr_tui.engine.analysis.statistics import ALPHA
from clr_tui.engine.metrics import Metric
from clr_tui.engine.words import all_of, be, listed, many


@dataclass(frozen=True)
class _Standings:
    leader: EntryReport
    near: dict[str, Pair]
    """Not distinguishable from the leader; by label, like the next two."""
    worse: dict[str, Pair]
    better: dict[str, Pair]
    """Better on the seeds they share: if trials are missing, each of three may beat the next."""
    behind: list[EntryReport]
    """Those with a diverged trial, if the leader has none."""
    level: list[str]
    """The leader and the others with the same mean, except those `behind`."""

    @property
    def compared(self) -> list[Pair]:
        """The leader's pairs, except those with entries `behind`."""
        return [*self.near.values(), *self.worse.values(), *self.better.values()]

    @classmethod
    def of(cls, report: CompareReport) -> _Standings:
        """At least one entry must have a rank."""
        leader, *others = (e for e in report.entries if e.rank is not None)
        behind = [e for e in others if e.diverged and not leader.diverged]
        aside = {e.label for e in behind}
        own = [p for p in report.pairs if leader.label in (p.a, p.b)]
        against = {p.b if p.a == leader.label else p.a: p for p in own}
        against = {label: p for label, p in against.items() if label not in aside}
        mean = leader.result.mean
        same = [e.label for e in others if e not in behind and _equal(e.result.mean, mean)]
        return cls(
            leader,
            level=[leader.label, *same],
            near={label: p for label, p in against.items() if p.better is None},
            worse={label: p for label, p in against.items() if p.better == leader.label},
            better={label: p for label, p in against.items() if p.better == label},
            behind=behind,
        )


def _equal(mean: float | None, other: float | None) -> bool:
    """Compares up to rounding: the same shares may be summed in another order."""
    return mean is not None and other is not None and math.isclose(mean, other, rel_tol=1e-12)


def verdict(report: CompareReport) -> str:
    """A few sentences: who leads, and who cannot be distinguished from whom.

    With a grid of rates: the best rate of each optimizer, and what the rules cost.
    """
    if report.sensitivity is not None and report.trials_total:
        return " ".join(report.sensitivity.words)
    ranked = [e for e in report.entries if e.rank is not None]
    if not ranked:
        return _no_result(report)
    if len(report.entries) == 1:
        return "There is only one optimizer: nothing to compare it with."
    pending = any(e.pending for e in report.entries)
    if len(ranked) == 1:
        yet = " yet" if pending else ""
        sentences = [f"Only {ranked[0].label} has finished: nothing to compare it with{yet}."]
    else:
        sentences = _comparison_with_leader(report)
        if pending:
            sentences[0] = f"So far: {sentences[0]}"
    without_result = [e.label for e in report.entries if e.rank is None and not e.pending]
    if without_result:
        have = "has" if len(without_result) == 1 else "have"
        sentences.append(f"{listed(without_result)} {have} no result: no trial is done.")
    return " ".join(sentences)


def headline(report: CompareReport) -> str:
    """The verdict for a list of runs: "adam leads, 81.5 %; not distinguishable from sgd+clr"."""
    if report.sensitivity is not None:
        return sensitivity_headline(report.sensitivity)
    ranked = [e for e in report.entries if e.rank is not None]
    if not ranked:
        return ""
    standings = _Standings.of(report)
    leader, compared = standings.leader, standings.compared
    mean, done, total = leader.result.mean, leader.done, len(leader.trials)
    figure = "" if mean is None else f", {report.metric.text(mean)}"
    figure += f" ({done} of {total} seeds)" if done < total else ""
    if len(ranked) == 1:
        return f"{leader.label}{figure}"
    if compared and all(p.n < 2 for p in compared):
        why = "one seed only" if report.seeds == 1 else "no two seeds to compare"
        return f"{_leader_text(standings, f'is {report.metric.extreme}')}{figure}; {why}"
    near = [label for label in standings.near if label not in standings.level]
    others = near[0] if len(near) == 1 else f"{len(near)} others"
    alike = f"; not distinguishable from {others}" if near else ""
    return f"{_leader_text(standings, 'leads')}{figure}{alike}"


def _leader_text(standings: _Standings, alone: str) -> str:
    if len(standings.level) > 1:
        return f"{listed(standings.level)} are level"
    return f"{standings.leader.label} {alone}"


def _no_result(report: CompareReport) -> str:
    total, done = report.trials_total, report.trials_done
    if any(e.pending for e in report.entries):
        progress = "no trial is done" if not done else f"{done} of {total} trials {be(done)} done"
        return f"No optimizer has finished its trials yet: {progress}."
    if report.status in ("running", "paused") and not total:
        return "No trial has started yet."
    if total and report.trials_failed == total:
        which = all_of(total, "trial").capitalize()
        return f"{which} failed: there is nothing to compare."
    return "No trial is done: there is nothing to compare."


def _comparison_with_leader(report: CompareReport) -> list[str]:
    """Compares the leader with the others; there must be at least one."""
    standings = _Standings.of(report)
    leader = standings.leader.label
    if not standings.compared:
        sentences = [f"{leader} is the only optimizer without a diverged trial."]
    elif all(p.n < 2 for p in standings.compared):
        sentences = _untested(report, standings)
    else:
        sentences = _against_others(report, standings)
    return [*sentences, *_missing_seeds(standings)]


def _untested(report: CompareReport, standing: _Standings) -> list[str]:
    """Names the best where no pair has two seeds in common."""
    leader, extreme = standing.leader.label, report.metric.extreme
    whose = "" if all(p.n < 2 for p in report.pairs) else f" of {leader}"
    why = f"No two seeds{whose} can be compared: nothing can be said about chance."
    if report.seeds == 1:
        why = "One seed only: nothing can be said about chance; run more seeds."
    level = f"{listed(standing.level)} share the {extreme} figure."
    return [why, level if len(standing.level) > 1 else f"The {extreme} is {leader}."]


def _against_others(report: CompareReport, standings: _Standings) -> list[str]:
    leader = standings.leader.label
    near, worse, better = map(list, (standings.near, standings.worse, standings.better))
    sentences = []
    if near:
        nearest = min(near, key=lambda label: _distance(standings.near[label]))
        tests = sum(p.p is not None for p in report.pairs)
        pair = standings.near[nearest]
        sentences.append(_not_distinguishable(leader, nearest, pair, tests, report.metric))
        others = [label for label in near if label != nearest]
        if others:
            sentences.append(f"{leader} is not distinguishable from {listed(others)} either.")
    if worse and near:
        sentences.append(f"{listed(worse)} {be(len(worse))} distinguishably worse than {leader}.")
    elif worse:
        sentences.append(f"{leader} is distinguishably better than {listed(worse)}.")
    if better:
        sentences.append(
            f"{listed(better)} {be(len(better))} distinguishably better than {leader} on the seeds "
            "that they share."
        )
    return sentences


def _not_distinguishable(leader: str, other: str, pair: Pair, tests: int, metric: Metric) -> str:
    seeds = many(pair.n, "seed")
    if pair.n == 0:
        return f"{leader} and {other} cannot be compared: {pair.note}."
    if pair.n > 1 and pair.difference == 0 and pair.p is None:
        return f"{leader} and {other} have identical values over {seeds}."
    difference = ""
    if pair.difference is not None:
        apart = metric.difference(pair.difference, pair.half_width)
        # On its own such a pair would count as different: its interval excludes 0.
        by_correction = pair.p is not None and pair.p < ALPHA
        corrected = f"; corrected for {tests} pairs" if by_correction else ""
        difference = f" (difference {apart}{corrected})"
    return f"{leader} and {other} are not distinguishable with {seeds}{difference}."


def _distance(pair: Pair) -> float:
    return math.inf if pair.difference is None else abs(pair.difference)


def _missing_seeds(standings: _Standings) -> Iterable[str]:
    """Means over some of the seeds only, if that affects who leads."""
    leader, behind = standings.leader, standings.behind
    done, total = leader.done, len(leader.trials)
    if done < total:
        diverged = f"; {leader.diverged} diverged" if leader.diverged else ""
        yield f"Only {done} of {total} trials of {leader.label} {be(done)} done{diverged}."
    if behind:
        counts = listed([f"{e.diverged} of {len(e.trials)}" for e in behind])
        rank, mean = ("ranks", "its mean") if len(behind) == 1 else ("rank", "their means")
        labels = listed([e.label for e in behind])
        yield f"{labels} {rank} behind, whatever {mean}: {counts} trials diverged."
