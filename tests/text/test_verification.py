"""The comparison that verifies a range test, and its estimated cost."""

import math

import numpy as np
import pytest
from msgspec.structs import replace
from view_histories import PER_EPOCH, STEPS, run_config, sweep_history

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest
from clr_tui.engine.settings.rate_grid import on_grid
from clr_tui.engine.words import lr_str
from clr_tui.tui.kinds.range_test.verification import (
    cost_of,
    cost_words,
    read_verification,
    step_seconds,
    verification,
)
from clr_tui.tui.text.numbers import rough_duration

CPU = ["cpu"]


@pytest.fixture
def history():
    """A sweep of 140 steps of 0.1 s, with its minimum at 3e-2."""
    return sweep_history()


@pytest.fixture
def report(history):
    return range_report(history)


def told(history: RunHistory, device: str, validation: int = 0) -> RunHistory:
    history.apply(ev.DeviceChosen(device=device, name=device))
    history.apply(
        ev.TaskReady(
            name="flowers",
            model="cnn",
            train=PER_EPOCH * 64,
            validation=validation,
            test=0,
            parameters=1,
            trainable=1,
            batch_size=64,
            steps_per_epoch=PER_EPOCH,
            metrics=[ACCURACY],
        )
    )
    return history


def test_the_grid_is_around_the_recommended_rate_with_what_every_rule_says(history, report):
    job = verification(history.config, report)
    (group,) = on_grid(job)
    rates = [job.entries[number].lr for number in group.entries]
    assert rates[3] == pytest.approx(report.bounds.max_lr, rel=5e-3)
    np.testing.assert_allclose(np.diff(np.log10(rates)), 1 / 3, atol=5e-3)
    assert len(rates) == 7
    assert group.asked.label == "sgd(momentum=0.9)+clr"
    assert job.advised == next(one.rule for one in report.suggestions if one.recommended)
    assert job.advice == {one.rule: one.lr for one in report.suggestions}
    assert (job.swept, job.swept_in, job.swept_on) == (
        group.asked.optimizer,
        "r-1",
        history.config.task,
    )
    assert len(verification(history.config, report, 9).entries) == 9


def test_the_optimizer_is_the_one_that_was_swept(report):
    swept = OptimizerConfig(name="adamw", weight_decay=0.05)
    config = run_config(job=RangeTest(optimizer=swept))
    (group,) = on_grid(verification(config, report))
    assert group.asked.label == "adamw(weight_decay=0.05)+clr"


def test_without_a_recommendation_there_is_nothing_to_verify():
    history = sweep_history(lambda rates: np.full(len(rates), 2.0))
    with pytest.raises(UserError, match="recommends no rate"):
        verification(history.config, range_report(history))


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("epochs", "x", "not a whole number"),
        ("epochs", "0", "at least 1"),
        ("seeds", "", "number is missing"),
        ("rates", "8", "odd number"),
        ("rates", "1", "at least 3"),
        ("rates", "99", "at most 15"),
        ("seeds", "400", "trials"),
        ("time", "soon", "soon"),
    ],
)
def test_a_mistake_is_at_its_field(history, report, field, text, words):
    typed = {"epochs": "16", "seeds": "3", "rates": "7", "time": ""} | {field: text}
    job, errors = read_verification(typed, history.config, report)
    assert job is None
    assert errors.keys() == {field}
    assert words in errors[field]


def test_what_is_typed_is_trained(history, report):
    typed = {"epochs": "4", "seeds": "2", "rates": "5", "time": ""}
    job, errors = read_verification(typed, history.config, report)
    assert not errors
    assert (job.epochs, job.seeds, len(job.entries), job.time) == (4, 2, 5, None)


def test_a_time_takes_the_place_of_seeds(history, report):
    typed = {"epochs": "8", "seeds": "some", "rates": "7", "time": "1h30m"}
    job, errors = read_verification(typed, history.config, report)
    assert not errors
    assert job.time == 5400.0
    cost = cost_of(job, told(history, "cpu"), cores=2, devices=CPU)
    assert (cost.trainings, cost.processes) == (7, 2)
    assert cost_words(job, cost).endswith(
        "of sgd(momentum=0.9)+clr, as many seeds as fit in 1h30m: 7 trainings of 8 epochs each, at"
        " most about 8 minutes in 2 processes."
    )
    short = cost_words(replace(job, time=600.0), cost)
    assert short.endswith("It may be too short for two seeds, which intervals need.")


def test_the_time_of_a_step_is_the_median_of_all_sweeps():
    history = sweep_history(seeds=3)
    assert step_seconds(history) == pytest.approx(0.1)
    history.apply(
        ev.Steps(trial=2, step=[STEPS], lr=[2.0], loss=[1.0], elapsed=60.0)  # a pause of the disk
    )
    assert step_seconds(history) == pytest.approx(0.1)


def test_on_the_cpu_trials_take_as_long_as_the_cores_are_fewer(history, report):
    job = verification(history.config, report)
    told(history, "cpu")
    for cores, jobs in ((1, 1), (2, 2), (8, 8)):
        cost = cost_of(job, history, cores=cores, devices=CPU)
        rounds = math.ceil(21 / jobs)
        assert (cost.trainings, cost.epochs, cost.processes) == (21, 16, jobs)
        assert cost.seconds == pytest.approx(5 + rounds * cores * 16 * PER_EPOCH * 0.1)


def test_validation_counts_as_a_third_of_its_batches(history, report):
    job = verification(history.config, report)
    without = cost_of(job, told(history, "cpu"), cores=1, devices=CPU).seconds
    history = told(sweep_history(), "cpu", validation=30 * 64)
    assert cost_of(job, history, cores=1, devices=CPU).seconds - without == pytest.approx(
        21 * 16 * 10 * 0.1
    )


def test_on_accelerators_trials_gain_nothing_from_sharing_one(history, report):
    job = verification(history.config, report)
    told(history, "cuda:0")
    one = cost_of(job, history, cores=16, devices=["cpu", "cuda:0"])
    assert one.processes == 4
    assert one.seconds == pytest.approx(5 + 21 * 16 * PER_EPOCH * 0.1)
    two = cost_of(job, history, cores=16, devices=["cpu", "cuda:0", "cuda:1"])
    assert two.processes == 8
    assert two.seconds == pytest.approx(5 + 11 * 16 * PER_EPOCH * 0.1)


def test_what_is_not_known_is_said(history, report):
    job = verification(history.config, report)
    elsewhere = cost_of(job, told(history, "cuda:3"), cores=2, devices=CPU)
    assert cost_words(job, elsewhere).endswith(
        ": 21 trainings of 16 epochs in 2 processes; how long is unknown, since this machine has no"
        " cuda:3."
    )
    timeless = RunHistory(history.config)
    cost = cost_of(job, timeless, cores=1, devices=CPU)
    assert cost_words(job, cost).endswith(
        ": 21 trainings of 16 epochs one after the other; how long is unknown, since this range"
        " test has no times."
    )


def test_the_cost_is_one_sentence(history, report):
    job = verification(history.config, report)
    cost = cost_of(job, told(history, "cpu"), cores=2, devices=CPU)
    ends = [lr_str(job.entries[place].lr) for place in (0, -1)]
    assert cost_words(job, cost) == (
        f"7 rates from {ends[0]} to {ends[1]} x 3 seeds of sgd(momentum=0.9)+clr: 21 trainings of"
        " 16 epochs, at most about 41 minutes in 2 processes."
    )
    rounded = cost_of(replace(job, epochs=9), history, cores=2, devices=CPU)
    assert "16 epochs (9 would end in mid-cycle)" in cost_words(replace(job, epochs=9), rounded)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (40, "40 seconds"),
        (89.4, "89 seconds"),
        (95, "1.6 minutes"),
        (240, "4 minutes"),
        (5000, "83 minutes"),
        (5400, "1.5 hours"),
        (7200, "2 hours"),
        (90_000, "25 hours"),
        (259_200, "3 days"),
    ],
)
def test_a_rough_duration_has_one_unit(seconds, words):
    assert rough_duration(seconds) == words
