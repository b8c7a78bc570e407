"""The rate of each entry: given, torch's own, or found by a sweep that is paid for and told of."""

from __future__ import annotations

import pytest
from fake_executor import SEED, SWEEP_STEPS, Played, entry, flat

from clr_tui.engine.log.commands import Stop, StopTrial
from clr_tui.engine.log.events import RateChosen, TrialFinished, TrialStarted
from clr_tui.engine.settings.config import Compare, RangeTest
from clr_tui.engine.settings.entries import tuned_entries
from clr_tui.engine.training.session import Result


def rates(played: Played) -> dict[int, RateChosen]:
    return {e.entry: e for e in played.of(RateChosen)}


def compare(*entries: object, **how: object) -> Compare:
    return Compare(entries=list(entries), **{"seeds": 2, "epochs": 2, **how})


def test_a_rate_that_is_given_is_used_in_any_mode() -> None:
    for mode in ("default", "tuned"):
        config = compare(
            entry("adam", lr=0.02), entry("sgd+clr", lr=0.6, policy="triangular"), rates=mode
        )
        played = Played(config)
        assert played.run() == Result("done")
        assert all(work.sweep is None for work in played.executor.submitted)
        adam, clr = rates(played)[0], rates(played)[1]
        assert (adam.lr, adam.base_lr, adam.source, adam.note) == (0.02, None, "given", "")
        assert (clr.lr, clr.base_lr, clr.source) == (0.6, pytest.approx(0.1), "given")


def test_a_lower_bound_that_is_given_is_used() -> None:
    given = entry("sgd+clr", lr=0.6, policy="triangular")
    played = Played(compare(type(given)(**{**as_dict(given), "base_lr": 0.5})))
    played.run()
    assert rates(played)[0].base_lr == 0.5
    assert played.executor.submitted[0].train.base_lr == 0.5


def as_dict(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_by_default_constant_entries_have_torchs_rate_and_the_others_are_tuned() -> None:
    config = compare(entry("adam", lr=None), entry("sgd+clr", lr=None, policy="triangular"))
    played = Played(config)
    assert played.run() == Result("done")
    adam, clr = rates(played)[0], rates(played)[1]
    assert (adam.lr, adam.source, adam.trial) == (0.001, "default", None)
    assert clr.source == "tuned"
    assert "no default" in clr.note
    (sweep,) = [work for work in played.executor.submitted if work.sweep]
    assert (sweep.trial, sweep.entry, sweep.seed, sweep.label) == (5, 1, SEED, "sgd+clr")
    assert played.executor.submitted[0] is sweep, "the sweep comes first"


def test_a_tuned_rate_is_the_recommended_one_and_its_cost_is_reported() -> None:
    config = compare(entry("adam", lr=None), entry("sgd", lr=None), rates="tuned")
    played = Played(config)
    assert played.run() == Result("done")
    for number in (0, 1):
        rate = rates(played)[number]
        # The curve that is played falls up to 0.1 and explodes beyond.
        assert rate.lr == pytest.approx(0.042, rel=0.1)
        assert (rate.source, rate.note, rate.trial) == ("tuned", "", 4 + number)
        assert (rate.steps, rate.samples, rate.seconds) == (SWEEP_STEPS, SWEEP_STEPS * 10, 12.5)
    sweeps = [work.sweep for work in played.executor.submitted[:2]]
    assert [sweep.optimizer.name for sweep in sweeps] == ["adam", "sgd"]
    same = {(s.start_lr, s.end_lr, s.epochs, s.seeds) for s in sweeps}
    assert same == {(1e-7, 10.0, 2.0, 1)}
    trained = {work.train.max_lr for work in played.executor.submitted if work.train}
    assert trained == {rates(played)[0].lr, rates(played)[1].lr}


def test_a_flat_sweep_leaves_torchs_own_rate_and_says_why() -> None:
    config = compare(entry("adam", lr=None), rates="tuned")
    played = Played(config)
    played.executor.curves[0] = flat
    assert played.run() == Result("done")
    rate = rates(played)[0]
    assert (rate.lr, rate.source, rate.trial, rate.steps) == (0.001, "default", 2, SWEEP_STEPS)
    assert "flat within its noise" in rate.note
    assert rate.note.endswith("The optimizer's own default is used.")


def test_a_policy_with_bounds_falls_back_to_them_too() -> None:
    played = Played(compare(entry("sgd+clr", lr=None, policy="triangular"), factor=4))
    played.executor.curves[0] = flat
    played.run()
    rate = rates(played)[0]
    assert (rate.lr, rate.base_lr, rate.source) == (0.01, 0.0025, "default")


@pytest.mark.parametrize("how", ["fails", "dies", "stopped", "stopped unbegun"])
def test_a_sweep_that_does_not_come_to_its_end_costs_no_trial(how: str) -> None:
    played = Played(compare(entry("adam", lr=None), rates="tuned"), jobs=1)
    if how == "fails":
        played.executor.fails[2] = "no memory"
    elif how == "dies":
        played.executor.dies[2] = 0
    elif how == "stopped":
        played.order_at(0, StopTrial(trial=2))
    else:
        played.order(StopTrial(trial=2))
    assert played.run() == Result("done")
    rate = rates(played)[0]
    assert (rate.lr, rate.source) == (0.001, "default")
    assert {"fails": "no memory", "dies": "SIGKILL"}.get(how, "was stopped") in rate.note


def test_where_there_is_no_rate_at_all_the_entrys_trials_fail_and_others_go_on() -> None:
    for mode in ("default", "tuned"):
        played = Played(compare(entry("mine", lr=None), entry("adam", lr=None), rates=mode))
        played.executor.curves[0] = flat
        assert played.run() == Result("done", "2 of 4 trials failed")
        failed = [e for e in played.of(TrialFinished) if e.outcome == "failed"]
        assert [(e.trial, e.step) for e in failed] == [(0, 0), (1, 0)]
        assert {e.reason for e in failed} == {"optimizer 'mine' has no rate of its own"}
        assert 0 not in rates(played)


def test_a_lower_bound_above_the_rate_that_was_found_gives_way() -> None:
    given = entry("sgd+clr", lr=None, policy="triangular")
    played = Played(compare(type(given)(**{**as_dict(given), "base_lr": 0.5})))
    played.run()
    rate = rates(played)[0]
    assert rate.base_lr == pytest.approx(rate.lr / 6)
    assert "base_lr 0.5 is not below the rate" in rate.note


def test_trials_of_known_rates_do_not_wait_for_a_sweep() -> None:
    config = compare(entry("adam", lr=0.1), entry("sgd", lr=None), rates="tuned", seeds=1)
    played = Played(config, jobs=2)
    played.run()
    assert [(w.role, w.entry) for w in played.executor.submitted] == [
        ("sweep", 1),
        ("train", 0),
        ("train", 1),
    ]
    begun = [e.trial for e in played.of(TrialStarted)]
    assert begun == [3, 0, 1]


def test_a_sweep_uses_the_settings_that_were_asked_for() -> None:
    asked = RangeTest(start_lr=1e-5, end_lr=1.0, steps=50, smoothing=0.2)
    played = Played(compare(entry("adam", lr=None), rates="tuned", range_test=asked))
    played.run()
    sweep = played.executor.submitted[0].sweep
    assert (sweep.start_lr, sweep.end_lr, sweep.steps, sweep.smoothing) == (1e-5, 1.0, 50, 0.2)


def test_a_stop_in_the_sweeps_chooses_no_rate() -> None:
    played = Played(compare(entry("adam", lr=None), entry("sgd", lr=None), rates="tuned"), jobs=1)
    played.order_at(0, Stop(reason="enough"))
    assert played.run() == Result("stopped", "enough")
    assert not played.of(RateChosen)
    assert played.ends() == dict.fromkeys(range(6), "stopped")


@pytest.mark.parametrize("rates", ["tuned", "default"])
def test_the_settings_know_whose_rates_are_swept(rates: str) -> None:
    """The form says before the run what the engine does in it."""
    config = compare(
        entry("rprop", lr=None),
        entry("adam", lr=None),
        entry("sgd", lr=0.1),
        entry("sgd+clr", lr=None, policy="triangular"),
        rates=rates,
    )
    played = Played(config)
    played.run()
    swept = [config.entries[w.entry] for w in played.executor.submitted if w.role == "sweep"]
    assert swept == tuned_entries(config)
    assert [e.label for e in swept] == (["adam", "sgd+clr"] if rates == "tuned" else ["sgd+clr"])
