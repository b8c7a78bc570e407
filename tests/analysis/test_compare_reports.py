"""The report of a comparison: figures, ranks, and what is said of them."""

from __future__ import annotations

import json
import math
import re
import statistics

import msgspec
import numpy as np
import pytest
from comparison_logs import comparison_config, comparison_events, comparison_history
from hypothesis import given
from hypothesis import strategies as st
from made_comparisons import entry_named, log_config, with_tests

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import to_json
from clr_tui.engine.log import events as ev


def strict_json(report):
    """As text and back; refuses NaN."""
    return json.loads(json.dumps(to_json(report), allow_nan=False))


def test_figures_of_an_entry_are_those_of_its_log():
    history = comparison_history(target=0.7)
    found = entry_named(compare_report(history), "adam")
    told = [history.trials[i] for i in range(3)]
    validation = [[e.value("accuracy") for e in t.validations().values()] for t in told]
    assert found.validation_last.values == [v[-1] for v in validation]
    assert found.validation_last.mean == pytest.approx(np.mean([v[-1] for v in validation]))
    assert found.validation_last.sd == pytest.approx(np.std([v[-1] for v in validation], ddof=1))
    assert found.validation_best.values == [max(v) for v in validation]
    assert found.best_epochs == [v.index(max(v)) + 1 for v in validation]
    tests = [{e.checkpoint: e for e in t.evaluations if e.part == "test"} for t in told]
    assert found.test_last.values == [t["last"].value("accuracy") for t in tests]
    assert found.test_best.values == [t["best"].value("accuracy") for t in tests]
    assert found.best_epochs == [t["best"].epoch for t in tests]
    assert found.train_last.values == [t.epochs[-1].train_value("accuracy") for t in told]
    first = [next(i for i, a in enumerate(v, 1) if a >= 0.7) for v in validation]
    assert found.to_target.epochs == first
    assert found.to_target.seconds == [2.0 * epoch for epoch in first]
    assert (found.to_target.reached, found.to_target.of) == (3, 3)
    assert found.to_target.mean_epoch == pytest.approx(np.mean(first))
    assert found.seconds.values == [16.0] * 3
    assert found.seconds.note == "identical over 3 seeds: no interval"
    assert found.seeds == [0, 1, 2]
    assert (found.lr, found.base_lr, found.rate_source) == (1e-3, None, "default")
    assert [(t.state, t.epochs, t.total_epochs) for t in found.trials] == [("done", 8, 8)] * 3


def test_the_best_epoch_is_the_first_of_the_best_on_validation():
    history = comparison_history(epochs=40)
    found = [e for entry in compare_report(history).entries for e in entry.best_epochs]
    told = [
        [e.value("accuracy") for e in t.validations().values()] for t in history.trials.values()
    ]
    expected = [v.index(max(v)) + 1 for v in told]
    assert sorted(found) == sorted(expected)
    assert set(expected) - {40}, "the test needs a best epoch that is not the last"
    assert any(v.count(max(v)) > 1 for v in told), "and one that has its equal"


def test_a_target_is_reached_by_the_accuracy_itself():
    history = comparison_history()
    third = history.trials[0].validations()[3].value("accuracy")
    to_target = entry_named(compare_report(history, target=third), "adam").to_target
    assert to_target.epochs[0] <= 3
    above = entry_named(compare_report(history, target=third + 1e-9), "adam").to_target
    assert above.epochs[0] > to_target.epochs[0]


def test_the_whole_of_a_finished_comparison():
    report = compare_report(comparison_history())
    assert (report.kind, report.status, report.task, report.model) == (
        "compare",
        "done",
        "flowers",
        "cnn",
    )
    assert (report.trials_total, report.trials_done) == (9, 9)
    assert (report.epochs, report.seeds, report.paired) == (8, 3, True)
    assert (report.measure, report.steps) == ("test accuracy, last epoch", 9 * 80)
    assert report.left is None
    assert [(e.label, e.rank) for e in report.entries] == [
        ("adam", 1),
        ("sgd+clr", 1),
        ("rmsprop", 3),
    ]
    assert re.fullmatch(
        r"adam and sgd\+clr are not distinguishable with 3 seeds "
        r"\(difference \d\.\d ± \d\.\d points\)\. rmsprop is distinguishably worse than adam\.",
        report.verdict,
    )
    strict_json(report)


def test_pairs_are_of_the_same_seeds():
    report = compare_report(with_tests({"a": [0.5, 0.6, 0.7], "b": [0.4, None, 0.5]}))
    (pair,) = report.pairs
    assert (pair.a, pair.b, pair.paired, pair.n) == ("a", "b", True, 2)
    assert pair.difference == pytest.approx(0.15)  # of seeds 0 and 2
    unpaired = compare_report(
        with_tests({"a": [0.5, 0.6, 0.7], "b": [0.4, 0.45, 0.5]}, paired=False)
    )
    assert unpaired.pairs[0].paired is False
    assert unpaired.pairs[0].df == pytest.approx(2.94, abs=0.01)  # Welch and Satterthwaite's


def test_ranks_count_who_is_distinguishably_better():
    a, b = [0.90, 0.91, 0.92, 0.915], [0.895, 0.915, 0.91, 0.92]
    c, d = [0.70, 0.71, 0.725, 0.715], [0.3, 0.31, 0.33, 0.3]
    report = compare_report(with_tests({"d": d, "b": b, "c": c, "a": a}))
    assert [(e.label, e.rank) for e in report.entries] == [("a", 1), ("b", 1), ("c", 3), ("d", 4)]
    assert report.verdict.endswith("c and d are distinguishably worse than a.")
    assert "Holm-corrected for 6 pairs" in report.remarks[0]


def test_how_clear_a_difference_must_be_is_said():
    """By scipy: t.ppf(1 - 0.025 / 3, n - 1) / sqrt(n)."""
    values = {"a": [0.90, 0.91, 0.92], "b": [0.70, 0.71, 0.725], "c": [0.5, 0.51, 0.53]}
    said = "the clearest of 3 differences must be 4.4 of its own to show, 1.8 with 5 seeds."
    assert any(r.endswith(said) for r in compare_report(with_tests(values)).remarks)
    unpaired = compare_report(with_tests(values, paired=False))
    two = compare_report(with_tests({label: values[label] for label in "ab"}))
    for report in (unpaired, two):
        assert any(r.endswith(": only large differences show.") for r in report.remarks)


def test_a_single_distinguishable_leader_is_named():
    a, b = [0.90, 0.91, 0.92], [0.70, 0.71, 0.725]
    assert (
        compare_report(with_tests({"b": b, "a": a})).verdict
        == "a is distinguishably better than b."
    )


def test_different_but_for_the_correction():
    """Alone its interval leaves out 0; among three pairs it may well be chance."""
    a, b, c = [0.80, 0.81, 0.82], [0.78, 0.80, 0.80], [0.79, 0.80, 0.815]
    report = compare_report(with_tests({"a": a, "b": b, "c": c}))
    pair = next(p for p in report.pairs if {p.a, p.b} == {"a", "c"})
    assert pair.p < 0.05 < pair.p_adjusted
    assert "; corrected for 3 pairs)" in report.verdict


def test_one_seed_says_nothing_of_chance():
    report = compare_report(comparison_history(seeds=1))
    assert report.verdict == (
        "One seed only: nothing can be said about chance; run more seeds. The highest is adam."
    )
    assert {e.rank for e in report.entries} == {1}
    assert entry_named(report, "adam").test_last.note == "one seed only: no interval"
    assert entry_named(report, "adam").test_last.half_width is None
    assert not any(p.distinguishable for p in report.pairs)


def test_identical_values_have_no_interval_and_no_test():
    report = compare_report(with_tests({"a": [0.8] * 3, "b": [0.8] * 3}))
    assert report.verdict == "a and b have identical values over 3 seeds."
    assert "a: identical over 3 seeds: no interval." in report.remarks
    assert [e.rank for e in report.entries] == [1, 1]


def test_constant_and_different_is_told_apart_by_note():
    report = compare_report(with_tests({"a": [0.2] * 3, "b": [0.9] * 3}))
    (pair,) = report.pairs
    assert (pair.p, pair.half_width, pair.distinguishable) == (None, None, True)
    assert report.verdict == "b is distinguishably better than a."
    assert f"b and a: {pair.note}." in report.remarks
    two = compare_report(with_tests({"a": [0.2] * 2, "b": [0.9] * 2}))
    assert not two.pairs[0].distinguishable  # two seeds agree now and then by chance


@pytest.mark.parametrize(("missed", "told"), [(1, False), (2, False), (3, True)])
def test_constant_samples_must_be_three_images_apart(missed, told):
    """Where nearly all is right, seeds often agree on an image more or less."""
    values = {"a": [1.0] * 3, "b": [(360 - missed) / 360] * 3}
    (pair,) = compare_report(with_tests(values, images=360)).pairs
    assert (pair.p, pair.distinguishable) == (None, told)


def test_constant_shares_of_an_unknown_part_must_be_far_apart():
    near = compare_report(with_tests({"a": [0.95] * 3, "b": [0.9] * 3}))
    far = compare_report(with_tests({"a": [0.95] * 3, "b": [0.8] * 3}))
    assert [report.pairs[0].distinguishable for report in (near, far)] == [False, True]
    assert near.verdict == "a and b are not distinguishable with 3 seeds (difference 5.0 points)."


def test_a_single_optimizer_has_nothing_to_compare_with():
    report = compare_report(comparison_history(("adam",)))
    assert report.verdict == "There is only one optimizer: nothing to compare it with."
    assert report.pairs == []


def test_failed_trials_are_named_and_the_rest_is_reported():
    report = compare_report(comparison_history(failed=(2, 1), target=0.72))
    assert (report.trials_done, report.trials_failed, report.diverged) == (8, 1, True)
    rmsprop = entry_named(report, "rmsprop")
    assert rmsprop.validation_last.n == 2
    assert rmsprop.validation_last.values[1] is None
    assert (rmsprop.to_target.reached, rmsprop.to_target.of) == (2, 3)
    assert rmsprop.trials[1].state == "failed"
    assert any(
        r.startswith("rmsprop: 1 of 3 trials failed (seed 1): the loss is not finite")
        and r.endswith("Its results are those of the others.")
        for r in report.remarks
    )


def test_an_entry_whose_trials_all_failed_is_unranked_and_listed_last():
    report = compare_report(with_tests({"x": [None, None], "a": [0.5, 0.6], "b": [0.4, 0.45]}))
    assert [(e.label, e.rank) for e in report.entries][-1] == ("x", None)
    assert report.verdict.endswith("x has no result: no trial is done.")
    assert "x: 2 of 2 trials failed (seeds 0, 1): it broke." in report.remarks


def test_a_comparison_whose_trials_all_failed_has_no_leader():
    report = compare_report(with_tests({"a": [None, None], "b": [None, None]}))
    assert report.verdict == "All 4 trials failed: there is nothing to compare."
    assert {e.rank for e in report.entries} == {None}


def test_while_it_runs_only_what_is_finished_ranks():
    report = compare_report(comparison_history(running=True))
    assert [(e.label, e.rank) for e in report.entries] == [
        ("adam", 1),
        ("sgd+clr", None),
        ("rmsprop", None),
    ]
    assert report.status == "running"
    assert report.left > 0
    assert report.pairs == []
    assert report.verdict == "Only adam has finished: nothing to compare it with yet."
    assert entry_named(report, "sgd+clr").test_last.n == 1  # shown, not ranked


def test_an_unfinished_comparison_reports_results_so_far():
    history = comparison_history(("adam", "sgd+clr", "rmsprop", "adamax"), running=True)
    assert compare_report(history).verdict.startswith("So far: adam and sgd+clr are not")


def test_before_any_trial_is_done_the_report_says_so():
    nobody = comparison_config(labels=())
    assert compare_report(RunHistory(nobody)).verdict == "No trial has started yet."
    waits = compare_report(RunHistory(comparison_config()))
    assert waits.verdict == "No optimizer has finished its trials yet: no trial is done."
    assert waits.trials_total == 9
    begun = compare_report(comparison_history(until_epoch=2))
    assert begun.verdict == waits.verdict
    assert begun.measure == "test accuracy, last epoch"  # it will be tested


def test_a_lost_run_has_nothing_to_come():
    report = compare_report(comparison_history(running=True), live=False)
    assert report.status == "lost"
    assert report.left is None
    assert {e.label: e.rank for e in report.entries} == {"adam": 1, "sgd+clr": 1, "rmsprop": None}
    assert (report.trials_stopped, report.trials_done) == (5, 4)
    assert "3 trials never started." in report.remarks
    assert (
        "sgd+clr: 2 of 3 trials were stopped (seeds 1, 2): the run ended before it did. Its "
        "results are those of the others."
    ) in report.remarks


def test_a_stopped_trial_does_not_count_as_short_of_the_target():
    lost = compare_report(comparison_history(until_epoch=3), target=0.8, live=False)
    assert (lost.entries[0].to_target.reached, lost.entries[0].to_target.of) == (0, 0)
    reached = compare_report(comparison_history(until_epoch=3), target=0.1)
    assert (reached.entries[0].to_target.reached, reached.entries[0].to_target.of) == (3, 3)


def test_target_asked_for_takes_the_place_of_the_configured_one():
    history = comparison_history(target=0.6)
    assert compare_report(history).target == 0.6
    assert compare_report(history, target=0.99).entries[0].to_target.reached == 0


def test_without_a_target_one_is_taken_that_half_reach_once_all_is_over():
    report = compare_report(comparison_history())
    lasts = [e.validation_last.mean for e in report.entries]
    assert report.target == math.floor(statistics.median(lasts) / 0.05) * 5 / 100
    assert all(e.to_target.target == report.target for e in report.entries)
    running = compare_report(comparison_history(running=True))
    assert running.target is None
    assert running.entries[0].to_target is None


def chosen(entry, source, **more):
    return ev.RateChosen(entry=entry, lr=0.1, source=source, **more)


SWEEP = {"steps": 100, "samples": 6400, "seconds": 5.0}


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([chosen(0, "default"), chosen(1, "default")], ["Tuning cost: none spent."]),
        (
            [chosen(0, "tuned", **SWEEP), chosen(1, "tuned", **SWEEP)],
            [
                "Tuning cost: 100 steps for each of 2 optimizers, 12,800 samples and 10 s in all.",
            ],
        ),
        (
            [
                chosen(0, "tuned", **SWEEP),
                chosen(1, "default", note="The sweep is flat.", steps=90),
            ],
            [
                "Tuning cost: 90 to 100 steps for each of 2 optimizers, 6,400 samples and 5 s in "
                "all. A sweep ends early where it diverges.",
                "b: the sweep is flat.",
            ],
        ),
        (
            [chosen(0, "tuned", **SWEEP), chosen(1, "default")],
            [
                "Tuning cost: 100 steps for a, 6,400 samples and 5 s in all.",
                "Rates were not found at equal cost: a sweep for a, the class's default for b.",
            ],
        ),
        (
            [chosen(0, "given"), chosen(1, "given")],
            [
                "Tuning cost: none spent.",
                "The cost of finding the given rate of a and b is unknown.",
            ],
        ),
        ([], ["The learning rates and the cost of finding them are unknown."]),
    ],
)
def test_cost_of_tuning(rates, said):
    history = with_tests({"a": [0.5, 0.6], "b": [0.4, 0.45]})
    for event in rates:
        history.apply(event)
    remarks = compare_report(history).remarks
    about = [r for r in remarks if "ost" in r or r.startswith(("a: ", "b: "))]
    assert about == said


@pytest.mark.parametrize(
    ("epochs", "phase", "whole"),
    [
        (8, "at the end of cycle 1 of 1", True),
        (12, "in the middle of cycle 2 of 2", False),
        (16, "at the end of cycle 2 of 2", True),
    ],
)
def test_phase_at_the_end_of_training(epochs, phase, whole):
    report = compare_report(comparison_history(epochs=epochs))
    clr = entry_named(report, "sgd+clr")
    assert (clr.phase, clr.whole_cycles) == (phase, whole)
    assert (entry_named(report, "adam").phase, entry_named(report, "adam").whole_cycles) == (
        "",
        True,
    )
    cautions = [r for r in report.remarks if r.startswith("sgd+clr ends in the middle")]
    assert bool(cautions) is not whole


def test_few_seeds_make_wide_intervals():
    said = "With {} seeds a 95% interval reaches {} standard deviations"
    assert any(
        said.format(3, 2.5) in r for r in compare_report(comparison_history(seeds=3)).remarks
    )
    many = compare_report(comparison_history(seeds=6)).remarks
    assert not any("95% interval" in r for r in many)


def test_trials_of_unequal_length_are_not_alike():
    history = comparison_history(epochs=8)
    last = history.trials[0].epochs.pop()
    assert any(
        r.startswith("Trials differ in length (7 to 8 epochs)")
        for r in compare_report(history).remarks
    )
    assert last.epoch == 8


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "  " not in text and ".." not in text and "\n" not in text


def check(report: CompareReport) -> None:
    strict_json(report)
    assert all(map(is_sentence, [report.verdict, *report.remarks]))
    ranks = [e.rank for e in report.entries]
    known = [r for r in ranks if r is not None]
    assert known == sorted(known)
    assert ranks[: len(known)] == known  # the others stand last
    assert not known or known[0] == 1
    assert len(report.pairs) == len(known) * (len(known) - 1) // 2
    for pair in report.pairs:
        if pair.p is not None:
            assert 0 <= pair.p <= pair.p_adjusted <= 1
            assert pair.distinguishable == (pair.p_adjusted < 0.05)
    states = report.trials_done + report.trials_failed + report.trials_stopped
    assert states <= report.trials_total


LOGS = [
    comparison_events(failed=(1, 0), tuned=True),
    comparison_events(("a", "b"), seeds=1, epochs=3),
    comparison_events(running=True),
]


@given(st.sampled_from(LOGS), st.data(), st.booleans(), st.booleans())
def test_any_part_of_a_log_is_reported(log, data, configured, live):
    """A log cut short, with lines lost and lines told twice."""
    cut = data.draw(st.integers(0, len(log)))
    lost = data.draw(st.sets(st.integers(0, max(cut - 1, 0)), max_size=cut // 2))
    again = data.draw(st.lists(st.integers(0, max(cut - 1, 0)), max_size=5)) if cut else []
    told = [e for i, e in enumerate(log[:cut]) if i not in lost] + [log[i] for i in again]
    history = RunHistory(comparison_config() if configured else log_config(told))
    for event in told:
        history.apply(event)
    check(compare_report(history, live=live, target=0.5))


number = st.integers(-3, 12) | st.sampled_from([2**62, 10**30])
measured = st.none() | st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)
wild = st.one_of(
    st.builds(
        ev.TrialStarted,
        trial=number,
        seed=number,
        total_steps=number,
        steps_per_epoch=number,
        label=st.sampled_from(["adam", "sgd+clr", "", "other"]),
        entry=st.none() | number,
        role=st.sampled_from(["train", "sweep"]),
    ),
    st.builds(
        ev.Evaluated,
        trial=number,
        step=number,
        part=st.sampled_from(["validation", "test"]),
        loss=measured,
        metrics=st.fixed_dictionaries({"accuracy": measured}),
        epoch=st.none() | number,
        checkpoint=st.sampled_from([None, "best", "last"]),
    ),
    st.builds(
        ev.EpochFinished,
        trial=number,
        epoch=number,
        step=number,
        train_loss=measured,
        train_metrics=st.fixed_dictionaries({"accuracy": measured}),
        seconds=measured,
        best_epoch=number,
        best_value=measured,
    ),
    st.builds(
        ev.TrialFinished,
        trial=number,
        outcome=st.sampled_from(["done", "stopped", "failed"]),
        step=number,
        reason=st.sampled_from(["", "it broke", "It broke."]),
    ),
    st.builds(
        ev.RateChosen,
        entry=number,
        lr=st.floats(0, 1),
        source=st.sampled_from(["default", "tuned", "given"]),
        steps=number,
        note=st.sampled_from(["", "flat"]),
    ),
    st.builds(ev.Resumed, trial=number, step=number),
    st.builds(ev.RunFinished, outcome=st.sampled_from(["done", "stopped", "failed"])),
)


@given(st.lists(wild, max_size=40), st.booleans(), st.booleans())
def test_no_log_breaks_the_report(events, configured, live):
    history = RunHistory(comparison_config() if configured else log_config(events))
    for event in events:
        history.apply(event)
    report = compare_report(history, live=live, target=0.5)
    strict_json(report)
    assert all(map(is_sentence, [report.verdict, *report.remarks]))


def test_no_seeds_in_common():
    report = compare_report(with_tests({"a": [0.5, 0.6, None], "b": [None, None, 0.4]}))
    assert report.verdict == (
        "No two seeds can be compared: nothing can be said about chance. The highest is a. "
        "Only 2 of 3 trials of a are done."
    )
    a, b = [0.8, 0.81, None, None], [0.79, 0.8, 0.8, None]
    report = compare_report(with_tests({"a": a, "b": b, "c": [None, None, None, 0.7]}))
    assert "a is not distinguishable from c either." in report.verdict
    pair = next(p for p in report.pairs if p.b == "c" and p.a == "a")
    assert (pair.n, pair.difference, pair.note) == (0, None, "no seeds in common")


def test_a_tie_has_no_highest():
    report = compare_report(with_tests({"a": [0.5], "b": [0.5], "c": [0.4]}))
    assert report.verdict == (
        "One seed only: nothing can be said about chance; run more seeds. "
        "a and b share the highest figure."
    )


def test_the_only_trial_failed():
    assert compare_report(with_tests({"a": [None]})).verdict == (
        "The only trial failed: there is nothing to compare."
    )


def test_a_sweep_of_one_step_is_one_step():
    history = comparison_history(("adam",), tuned=True)
    history.rates[0] = msgspec.structs.replace(history.rates[0], steps=1)
    (said,) = [r for r in compare_report(history).remarks if r.startswith("Tuning cost")]
    assert "1 step for adam," in said


def logged(accuracy: float, images: int) -> RunHistory:
    """A comparison's log of one trial that has this accuracy on validation, and in the end."""
    history = RunHistory(comparison_config(("adam",), 1, 1))
    task = next(e for e in comparison_events() if isinstance(e, ev.TaskReady))
    history.apply(msgspec.structs.replace(task, validation=images, test=images))
    for event in with_tests({"adam": [0.0]}).trials[0].epochs:
        history.apply(
            ev.TrialStarted(
                trial=0, seed=0, total_steps=1, steps_per_epoch=1, label="adam", entry=0
            )
        )
        for part in ("validation", "test"):
            history.apply(
                ev.Evaluated(
                    trial=0, step=1, epoch=1, part=part, loss=1.0, metrics={"accuracy": accuracy}
                )
            )
        history.apply(msgspec.structs.replace(event, best_value=accuracy))
    return history


def test_a_target_that_a_count_reaches_exactly_is_reached():
    """19 of 20 are 95 %."""
    for images in (20, 30, 97):
        for count in range(1, images):
            report = compare_report(logged(count / images, images), target=count / images)
            assert report.entries[0].to_target.epochs == [1]
