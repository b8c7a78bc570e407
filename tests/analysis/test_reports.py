"""The reports behind `--json`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_sweeps import rates, sweep_history, valley_shape

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report, to_json, train_report
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RangeTest, RunConfig, Train

SWEEP = RunConfig(id="range-test-digits-1", created=0, version="", job=RangeTest())
TRAINING = RunConfig(
    id="train-digits-1",
    created=0,
    version="",
    job=Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=2, epochs=8),
)


def strict_json(report):
    """As text and back; refuses NaN."""
    return json.loads(json.dumps(to_json(report), allow_nan=False))


def test_reference_report(reference):
    found = strict_json(range_report(reference, smoothing=1.0))
    by_rule = {s["rule"]: s["lr"] for s in found["suggestions"]}
    assert f"{by_rule['minimum/10']:.3e}" == "3.594e-03"
    assert set(by_rule) == {"bottom", "minimum/10", "steepest", "valley", "slide"}
    best = by_rule["bottom"]
    assert found["bounds"] == {"base_lr": pytest.approx(best / 6), "max_lr": best}
    assert found["best"]["lr"] == best
    assert found["best"]["low"] < best < found["best"]["high"]
    assert found["status"] == "done"
    assert found["steps"] == 108
    assert found["diverged"] is False
    assert found["verdict"]["kind"] == "recommended"


def test_factor_between_the_bounds(reference):
    bounds = range_report(reference, smoothing=1.0, factor=4.0).bounds
    assert bounds.max_lr / bounds.base_lr == pytest.approx(4)


def test_no_bounds_without_a_recommendation():
    loss = np.random.default_rng(0).normal(1.6, 0.05, 108)
    found = strict_json(range_report(sweep_history(loss)))
    assert found["bounds"] is None
    assert found["verdict"]["kind"] == "flat"
    assert found["best"] is None
    assert len(found["suggestions"]) == 5  # they are still shown


def test_each_seed_is_reported():
    lr = rates(100)
    loss = valley_shape(lr)
    history = sweep_history(loss, [*loss[:50], np.nan])
    seeds = range_report(history, smoothing=1.0).seeds
    assert [s.seed for s in seeds] == [0, 1]
    assert seeds[0].diverged_at is None
    assert seeds[0].minimum_lr == pytest.approx(lr[np.argmin(loss)])
    assert seeds[1].diverged_at == pytest.approx(lr[50])
    assert seeds[1].minimum_lr == pytest.approx(lr[49])


def test_data_and_notes_are_reported():
    history = RunHistory(TRAINING)
    history.apply(ev.Note(level="warning", text="skipped 'cat/1.png': empty"))
    history.apply(
        ev.TaskReady(
            name="animals",
            model="cnn",
            train=96,
            validation=12,
            test=11,
            parameters=1,
            trainable=1,
            batch_size=16,
            steps_per_epoch=6,
            metrics=[],
            samples="images",
            classes=["cat", "dog"],
            skipped=1,
        )
    )
    found = strict_json(train_report(history))
    assert found["data"] == {
        "samples": "images",
        "train": 96,
        "validation": 12,
        "test": 11,
        "skipped": 1,
        "classes": ["cat", "dog"],
    }
    assert found["notes"] == ["skipped 'cat/1.png': empty"]


def test_nothing_yet_is_reported_too():
    for report in (range_report(RunHistory(SWEEP)), train_report(RunHistory(TRAINING))):
        found = strict_json(report)
        assert found["status"] == "running"
        assert found["steps"] == 0


def test_never_finite_has_no_numbers():
    found = strict_json(range_report(sweep_history([np.nan])))
    assert found["minimum_lr"] is None
    assert found["suggestions"][0]["lr"] is None
    assert found["verdict"]["kind"] == "not-finite"


def test_lost_run_is_judged_by_what_there_is():
    loss = valley_shape(rates(100))[:60]
    history = sweep_history(loss, steps=100, finished=None, outcome=None)
    assert range_report(history).verdict.kind == "running"
    lost = range_report(history, live=False)
    assert lost.status == "lost"
    assert lost.verdict.kind != "running"


def test_lost_before_its_first_step_asks_for_no_longer_sweep():
    lost = range_report(sweep_history([], finished=None, outcome=None), live=False)
    assert lost.verdict.sentence == "The run was lost before its first step."
    assert "worker.log" in lost.verdict.advice


def trained(*, finished=True, epochs=8):
    history = RunHistory(TRAINING)
    history.apply(ev.RunStarted(run=TRAINING.id, kind="train"))
    history.apply(ev.TrialStarted(trial=0, seed=0, total_steps=40, steps_per_epoch=5))
    accuracies = [0.3, 0.5, 0.7, 0.6, 0.7, 0.65, 0.68, 0.69]
    for epoch in range(1, epochs + 1):
        first = 5 * (epoch - 1)
        history.apply(
            ev.Steps(
                trial=0,
                step=list(range(first, first + 5)),
                lr=[1e-3] * 5,
                loss=[1.0] * 5,
                elapsed=float(epoch),
            )
        )
        at = {"trial": 0, "step": 5 * epoch, "epoch": epoch}
        accuracy = accuracies[epoch - 1]
        history.apply(
            ev.Evaluated(part="validation", loss=1.0, metrics={"accuracy": accuracy}, **at)
        )
        history.apply(
            ev.EpochFinished(
                train_loss=1.0,
                train_metrics={"accuracy": 0.5},
                seconds=1.0,
                best_epoch=int(np.argmax(accuracies[:epoch])) + 1,
                best_value=max(accuracies[:epoch]),
                **at,
            )
        )
    if finished:
        for name, accuracy in (("last", 0.66), ("best", 0.67)):
            history.apply(
                ev.Evaluated(
                    trial=0,
                    step=40,
                    part="test",
                    loss=1.1,
                    metrics={"accuracy": accuracy},
                    checkpoint=name,
                )
            )
        history.apply(ev.TrialFinished(trial=0, outcome="done", step=40))
        history.apply(ev.RunFinished(outcome="done"))
    return history


def test_train_report_keeps_final_and_best_apart():
    found = strict_json(train_report(trained()))
    assert found["final_validation"] == {"loss": 1.0, "accuracy": 0.69, "epoch": 8}
    assert found["best_validation"]["epoch"] == 3  # the first of equals
    assert found["test_last"] == {"loss": 1.1, "accuracy": 0.66, "epoch": 8}
    assert found["test_best"] == {"loss": 1.1, "accuracy": 0.67, "epoch": 3}
    assert found["bounds"] == {"base_lr": 1e-3, "max_lr": 6e-3}
    assert (found["epochs"], found["total_epochs"], found["steps"]) == (8, 8, 40)
    assert found["seconds"] == 8.0
    assert found["whole_cycles"] is True


@pytest.mark.parametrize(("epochs", "whole"), [(3, False), (4, True), (6, False)])
def test_accuracy_within_a_cycle_is_no_final_one(epochs, whole):
    history = trained(finished=False, epochs=epochs)
    history.apply(ev.RunFinished(outcome="stopped"))
    assert train_report(history).whole_cycles is whole


def test_train_report_tells_the_phase_while_it_runs():
    report = train_report(trained(finished=False, epochs=3))
    assert report.phase == "cycle 1 of 2, falling"
    assert report.status == "running"
    assert report.test_last is None
    history = trained(finished=False, epochs=3)
    history.apply(ev.Paused())
    assert train_report(history).status == "paused"


def test_failure_is_reported_with_its_reason():
    history = RunHistory(TRAINING)
    history.apply(ev.RunFinished(outcome="failed", message="the disk is full"))
    found = strict_json(train_report(history))
    assert (found["status"], found["message"]) == ("failed", "the disk is full")
