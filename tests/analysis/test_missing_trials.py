"""Who leads where trials diverged, failed or were stopped: never a lucky seed without a word."""

from __future__ import annotations

import math

import pytest
from comparison_logs import comparison_history
from made_comparisons import entry_named, with_tests

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.comparison.comparison_verdict import headline
from clr_tui.engine.log.events import Diverged

GONE = math.nan
"""The trial diverged."""


def ranks(report: CompareReport) -> list[tuple[str, int | None]]:
    return [(e.label, e.rank) for e in report.entries]


def test_what_is_left_of_an_entry_that_diverged_does_not_lead() -> None:
    values = {"a": [0.9, GONE, GONE], "b": [0.8, 0.81, 0.82], "c": [0.7, 0.7, 0.71]}
    report = compare_report(with_tests(values))
    assert ranks(report) == [("b", 1), ("c", 2), ("a", 3)]
    assert entry_named(report, "a").test_last.mean == 0.9  # told, but not ranked by
    assert [t.diverged for t in entry_named(report, "a").trials] == [False, True, True]
    assert report.verdict == (
        "b is distinguishably better than c. a ranks behind, whatever its mean: 2 of 3 trials "
        "diverged."
    )
    assert headline(report) == "b leads, 81.0 %"


def test_it_ranks_behind_those_that_it_beats_on_the_seeds_that_are_left() -> None:
    values = {"a": [0.9, 0.91, GONE], "b": [0.5, 0.51, 0.52], "c": [0.6, GONE, GONE]}
    report = compare_report(with_tests(values))
    assert next(p for p in report.pairs if {p.a, p.b} == {"a", "b"}).n == 2
    assert ranks(report) == [("b", 1), ("a", 2), ("c", 2)]
    assert report.verdict == (
        "b is the only optimizer without a diverged trial. a and c rank behind, whatever their "
        "means: 1 of 3 and 2 of 3 trials diverged."
    )


def test_a_leader_may_have_diverged_trials_if_every_entry_has() -> None:
    report = compare_report(with_tests({"a": [0.9, GONE, GONE], "b": [0.8, 0.81, GONE]}))
    assert ranks(report) == [("a", 1), ("b", 1)]
    assert report.verdict.endswith("Only 1 of 3 trials of a is done; 2 diverged.")
    assert headline(report) == "a is highest, 90.0 % (1 of 3 seeds); no two seeds to compare"


def test_a_trial_that_was_killed_is_no_fault_of_its_optimizer() -> None:
    values = {"a": [0.9, None, None], "b": [0.8, 0.81, 0.82], "c": [0.7, 0.7, 0.71]}
    report = compare_report(with_tests(values))
    assert ranks(report) == [("a", 1), ("b", 1), ("c", 2)]
    assert report.verdict == (
        "No two seeds of a can be compared: nothing can be said about chance. The highest is a. "
        "Only 1 of 3 trials of a is done."
    )
    assert headline(report) == "a is highest, 90.0 % (1 of 3 seeds); no two seeds to compare"


def test_the_better_entry_on_common_seeds_ranks_above_the_higher_mean() -> None:
    """The mean of a is lifted by a seed that b does not have; where both were tried, b wins."""
    report = compare_report(with_tests({"a": [0.50, 0.51, 0.95], "b": [0.60, 0.611, None]}))
    (pair,) = report.pairs
    assert pair.better == "b"
    assert entry_named(report, "a").test_last.mean > entry_named(report, "b").test_last.mean
    assert ranks(report) == [("b", 1), ("a", 2)]
    assert report.verdict == (
        "b is distinguishably better than a. Only 2 of 3 trials of b are done."
    )


def test_each_may_be_better_than_the_next_where_no_three_share_their_seeds() -> None:
    a = [0.50, 0.51, None, None, 0.90, 0.91]
    b = [0.60, 0.611, 0.40, 0.41, None, None]
    c = [None, None, 0.50, 0.511, 0.80, 0.811]
    report = compare_report(with_tests({"a": a, "b": b, "c": c}))
    assert {(p.a, p.b): p.better for p in report.pairs} == {
        ("a", "c"): "a",
        ("a", "b"): "b",
        ("c", "b"): "c",
    }
    assert report.entries[0].rank == 1
    leader = report.entries[0].label
    better = next(p.better for p in report.pairs if leader in (p.a, p.b) and p.better != leader)
    assert f"{better} is distinguishably better than {leader} on the seeds" in report.verdict


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a": [0.90, 0.91, 0.92], "b": [0.70, 0.71, 0.725]}, "a leads, 91.0 %"),
        (
            {"a": [0.90, 0.91, 0.92], "b": [0.90, 0.89, 0.92]},
            "a leads, 91.0 %; not distinguishable from b",
        ),
        ({"a": [0.9], "b": [0.8]}, "a is highest, 90.0 %; one seed only"),
        ({"a": [0.5], "b": [0.5]}, "a and b are level, 50.0 %; one seed only"),
        ({"a": [0.4], "b": [0.5], "c": [0.5]}, "b and c are level, 50.0 %; one seed only"),
        ({"a": [0.9, 0.91, 0.92], "b": [0.91, 0.92, 0.9]}, "a and b are level, 91.0 %"),
        (
            {"a": [0.9, 0.91, 0.92], "b": [0.91, 0.92, 0.9], "c": [0.9, 0.92, 0.9]},
            "a and b are level, 91.0 %; not distinguishable from c",
        ),
        ({"a": [0.9, 0.91], "b": [None, None]}, "a, 90.5 %"),
        ({"a": [None, None], "b": [None, None]}, ""),
    ],
)
def test_the_headline_names_the_leader_and_its_rivals(
    values: dict[str, list[float | None]], said: str
) -> None:
    assert headline(compare_report(with_tests(values))) == said


def test_a_sweep_that_diverges_is_no_trial_that_did() -> None:
    history = comparison_history(tuned=True)
    sweep = next(t for t in history.trials.values() if t.role == "sweep")
    assert not compare_report(history).diverged
    history.apply(Diverged(trial=sweep.trial, step=90, lr=1.0, reason="as it should"))
    assert not compare_report(history).diverged
    assert compare_report(with_tests({"a": [0.9, GONE], "b": [0.8, 0.8]})).diverged
