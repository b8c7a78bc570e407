"""The order of trials, orders to them, their ends and counts: with an executor that plays them."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from fake_executor import PER_EPOCH, POLL, SEED, Played, entries, entry

from clr_tui.engine.comparing.trial_counts import TrialCounts
from clr_tui.engine.log.commands import (
    Continue,
    Pause,
    SaveCheckpoint,
    SetBounds,
    Stop,
    StopTrial,
)
from clr_tui.engine.log.events import (
    CommandRefused,
    Continued,
    Event,
    Note,
    Overall,
    Paused,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.settings.config import Compare, OptimizerConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate
from clr_tui.engine.training.control import RunRemoved
from clr_tui.engine.training.session import Result

THREE = Compare(entries=entries("adam", "sgd", "adagrad"), seeds=3, epochs=3)
LONG = msgspec.structs.replace(THREE, epochs=10)
ONE = Compare(entries=entries("adam"), seeds=1, epochs=2)


def test_each_seed_of_all_entries_comes_before_the_next() -> None:
    played = Played(THREE)
    assert played.run() == Result("done")
    begun = [(w.trial, w.entry, w.seed, w.label) for w in played.executor.submitted]
    assert begun == [
        (entry * 3 + i, entry, SEED + i, label)
        for i in range(3)
        for entry, label in enumerate(["adam", "sgd", "adagrad"])
    ]
    assert played.executor.most == 2
    assert played.executor.closed
    assert played.ends() == dict.fromkeys(range(9), "done")


def test_every_event_of_a_trial_is_passed_on_once_and_in_order() -> None:
    played = Played(THREE)
    played.run()
    for trial in range(9):
        steps = [s for e in played.of(Steps) if e.trial == trial for s in e.step]
        assert steps == list(range(3 * PER_EPOCH))
        kinds = [type(e) for e in played.events if getattr(e, "trial", None) == trial]
        assert (kinds[0], kinds[-1]) == (TrialStarted, TrialFinished)
        assert kinds.count(TrialStarted) == kinds.count(TrialFinished) == 1


def test_a_trial_is_trained_as_its_entry_says() -> None:
    config = Compare(
        entries=[entry("adam", lr=0.3), entry("sgd+clr", lr=0.6, policy="triangular2")],
        seeds=1,
        epochs=3,
        step_size_epochs=2,
        gamma=0.9,
    )
    played = Played(config)
    played.run()
    adam, clr = (work.train for work in played.executor.submitted)
    assert (adam.base_lr, adam.max_lr, adam.policy) == (0.3, 0.3, "constant")
    assert (clr.base_lr, clr.max_lr, clr.policy) == (0.6 / 6, 0.6, "triangular2")
    assert clr.optimizer == OptimizerConfig(name="sgd", momentum=0.0)
    assert (clr.step_size_epochs, clr.gamma) == (2, 0.9)
    # Whole cycles of the one that has any, for both alike; not to be rounded again.
    assert (adam.epochs, clr.epochs) == (4, 4)
    assert not adam.whole_cycles
    assert not clr.whole_cycles


def test_without_whole_cycles_the_length_stands_and_is_remarked_on() -> None:
    config = Compare(
        entries=[entry("adam"), entry("sgd+clr", policy="triangular")],
        seeds=1,
        epochs=3,
        step_size_epochs=1,
        whole_cycles=False,
    )
    played = Played(config)
    played.run()
    assert {work.train.epochs for work in played.executor.submitted} == {3}
    (note,) = played.of(Note)
    assert note.text.startswith("sgd+clr ends in the middle of cycle 2 of 2")


def test_an_entry_that_cannot_reach_its_max_lr_is_named_once() -> None:
    entries = [
        entry("adam+1c", policy="one-cycle", lr=0.06),
        entry("sgd", policy="constant", lr=0.06),
    ]
    played = Played(Compare(entries=entries, seeds=3, epochs=1))
    played.run()
    (note,) = played.of(Note)
    assert note.text.startswith("adam+1c: ")
    assert "too few for one-cycle to reach its max_lr of 6e-2" in note.text


def test_a_grid_is_remarked_on_once_for_each_optimizer() -> None:
    grid = Compare(
        entries=parse_entries("sgd+clr,adam+one-cycle"),
        rates="grid:1e-3..0.1x3",
        seeds=1,
        epochs=1,
        whole_cycles=False,
    )
    played = Played(at_each_rate(grid))
    played.run()
    assert [note.text.partition(":")[0] for note in played.of(Note)] == [
        "sgd+clr ends in the middle of cycle 1 of 1",
        "sgd+clr(lr=0.001)",
        "adam+one-cycle(lr=0.001)",
    ]
    assert played.of(Note)[1].text.endswith(", and so at the other rates of the grid")


def test_overall_counts_are_those_of_the_log_so_far() -> None:
    played = Played(THREE)
    played.executor.fails[4] = "it broke"
    played.order_at(6, StopTrial(trial=8))
    played.run()
    begun = ended = 0
    under_way: dict[int, int] = {}
    outcomes = {"done": 0, "failed": 0, "stopped": 0}
    seen = 0
    for event in played.events:
        begun += isinstance(event, TrialStarted)
        if isinstance(event, Steps):
            under_way[event.trial] = event.step[-1] + 1
        if isinstance(event, TrialFinished):
            under_way.pop(event.trial, None)
            outcomes[event.outcome] += 1
            ended += event.step > 0 or event.outcome == "failed"
        if isinstance(event, Overall):
            seen += 1
            counts = (event.done, event.failed, event.stopped)
            assert counts == tuple(outcomes.values())
            assert event.running == begun - ended
            steps = sum(outcomes.values()) * 3 * PER_EPOCH + sum(under_way.values())
            assert event.fraction == pytest.approx(steps / (9 * 3 * PER_EPOCH))
            assert event.total == 9
    assert seen > 9
    assert outcomes == {"done": 7, "failed": 1, "stopped": 1}
    fractions = [e.fraction for e in played.of(Overall)]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)


def test_time_left_is_right_where_all_goes_evenly() -> None:
    """An epoch a poll: what is left is known exactly, the beginnings of trials left out."""
    config = Compare(entries=entries("adam"), seeds=3, epochs=50)
    played = Played(config)
    played.run()
    lefts = [e.eta_seconds for e in played.of(Overall) if e.eta_seconds is not None]
    # The third trial runs alone: 100 epochs one after another, and not 75.
    assert lefts[0] == pytest.approx(100 * POLL, rel=0.06)
    assert lefts[-1] == 0
    assert all(b <= a + 1e-6 for a, b in itertools.pairwise(lefts))


def test_overall_comes_once_a_second_while_nothing_else_happens() -> None:
    played = Played(Compare(entries=entries("adam"), seeds=1, epochs=50))
    played.run()
    # 50 polls are 10 seconds; and the beginning, and the end.
    assert 11 <= len(played.of(Overall)) <= 14


def test_a_failed_trial_is_reported_and_the_others_continue() -> None:
    played = Played(THREE)
    played.executor.fails[0] = "ZeroDivisionError: by nothing"
    assert played.run() == Result("done", "1 of 9 trials failed")
    (failed,) = [e for e in played.of(TrialFinished) if e.outcome == "failed"]
    assert (failed.trial, failed.reason) == (0, "ZeroDivisionError: by nothing")


def test_all_trials_fail() -> None:
    played = Played(THREE)
    played.executor.fails = dict.fromkeys(range(9), "no memory")
    assert played.run() == Result("failed", "all 9 trials failed: no memory")


def test_the_only_trial_fails() -> None:
    tally = TrialCounts(1, 10)
    tally.count(TrialFinished(trial=0, outcome="failed", step=0, reason="no memory"))
    assert tally.result() == Result("failed", "the only trial failed: no memory")


def test_a_stop_ends_all_trials_in_order() -> None:
    played = Played(LONG)
    played.order_at(3, Stop(reason="enough"))
    assert played.run() == Result("stopped", "enough")
    assert played.ends() == dict.fromkeys(range(9), "stopped")
    assert {e.reason for e in played.of(TrialFinished)} == {"enough"}
    assert len(played.executor.submitted) == 2
    assert {e.trial for e in played.of(TrialStarted)} == {0, 3}
    last = played.of(Overall)[-1]
    assert (last.stopped, last.running, last.total) == (9, 0, 9)


def test_a_stop_does_not_wait_for_unstarted_trials() -> None:
    """Their processes load torch, or read the data."""
    played = Played(LONG)
    played.executor.silent.add(3)
    played.order_at(3, Stop(reason="enough"))
    assert played.run() == Result("stopped", "enough")
    assert played.ends() == dict.fromkeys(range(9), "stopped")
    assert {e.trial for e in played.of(TrialStarted)} == {0}
    assert [trial for trial, _ in played.executor.ordered] == [0]
    assert played.executor.closed


def test_a_signal_stops_a_comparison_and_its_reason_is_recorded() -> None:
    played = Played(LONG)
    played.executor.at_poll[3] = lambda: played.stop.set("stopped by SIGTERM")
    assert played.run() == Result("stopped", "stopped by SIGTERM")
    assert {e.reason for e in played.of(TrialFinished)} == {"stopped by SIGTERM"}


def test_a_process_that_dies_while_all_stops_was_stopped() -> None:
    """Whoever ends the worker with a signal to its whole group may end the processes first."""
    # Before their first word; before the worker looks up, and after.
    for poll, steps in ((0, 0), (3, 2 * PER_EPOCH), (3, 3 * PER_EPOCH)):
        played = Played(LONG)

        def end_all(played: Played = played, steps: int = steps) -> None:
            played.stop.set("stopped by SIGTERM")
            played.executor.dies.update({0: steps, 3: steps})

        played.executor.at_poll[poll] = end_all
        assert played.run() == Result("stopped", "stopped by SIGTERM")
        assert len(played.of(TrialFinished)) == 9
        assert set(played.ends().values()) == {"stopped"}
        assert {e.reason for e in played.of(TrialFinished)} == {"stopped by SIGTERM"}
        assert {e.step for e in played.of(TrialFinished)} == {0, steps}


def test_a_trial_that_is_stopped_by_force_was_stopped() -> None:
    played = Played(LONG)

    def deaf() -> None:
        played.order(StopTrial(trial=3))
        played.executor.dies[3] = 3 * PER_EPOCH

    played.executor.at_poll[3] = deaf
    assert played.run() == Result("done", "1 of 9 trials stopped")
    (end,) = [e for e in played.of(TrialFinished) if e.outcome == "stopped"]
    assert (end.trial, end.step, end.reason) == (3, 3 * PER_EPOCH, "stopped by request")


def test_one_trial_is_stopped_running_or_waiting() -> None:
    played = Played(THREE)
    played.order_at(2, StopTrial(trial=3), StopTrial(trial=8))
    assert played.run() == Result("done", "2 of 9 trials stopped")
    ends = played.ends()
    assert [trial for trial, how in ends.items() if how == "stopped"] in ([3, 8], [8, 3])
    assert 8 not in {e.trial for e in played.of(TrialStarted)}
    assert not played.of(CommandRefused)


def test_every_trial_is_stopped_one_by_one() -> None:
    played = Played(ONE)
    played.order_at(1, StopTrial(trial=0))
    assert played.run() == Result("stopped", "1 of 1 trial stopped")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (StopTrial(trial=99), "no trial 99: there are 0 to 8"),
        (StopTrial(trial=-1), "no trial -1"),
        (StopTrial(trial=9), "no trial 9"),  # a sweep's number, but none is swept
        (StopTrial(trial=0), "trial 0 has already ended"),
        (SetBounds(base_lr=0.1, max_lr=0.2), "cannot be changed"),
        (SaveCheckpoint(), "saves no checkpoints"),
    ],
)
def test_what_cannot_be_done_is_refused(command: object, words: str) -> None:
    played = Played(THREE)
    played.order_at(8, command)
    assert played.run() == Result("done")
    (refused,) = played.of(CommandRefused)
    assert words in refused.reason
    assert refused.command == type(command).__struct_config__.tag


def test_a_pause_holds_all_trials_and_begins_none() -> None:
    played = Played(LONG)
    played.order_at(3, Pause())
    during: list[Event] = []

    def an_hour_later() -> None:
        during.extend(played.events[played.events.index(played.of(Paused)[0]) + 1 :])
        played.clock.now += 3600
        played.order(Pause(), Continue(), Continue())

    played.executor.at_poll[30] = an_hour_later
    assert played.run() == Result("done")
    assert (len(played.of(Paused)), len(played.of(Continued))) == (1, 1)
    assert not during, "nothing moves in a pause, and nothing is told"
    assert played.ends() == dict.fromkeys(range(9), "done")
    lefts = [e.eta_seconds for e in played.of(Overall) if e.eta_seconds is not None]
    assert max(lefts) < 60, "the hour does not count"


def test_one_pause_after_another() -> None:
    played = Played(LONG)
    for poll, order in ((3, Pause()), (9, Continue()), (12, Pause()), (18, Continue())):
        played.order_at(poll, order)
    assert played.run() == Result("done")
    told = [type(e) for e in played.events if isinstance(e, Paused | Continued)]
    assert told == [Paused, Continued, Paused, Continued]


def test_a_pause_is_reported_once_the_last_trial_has_paused() -> None:
    played = Played(LONG)
    played.executor.slow_to_pause.add(3)
    played.order_at(3, Pause())
    played.order_at(9, Continue())
    played.run()
    at = played.events.index(played.of(Paused)[0])
    pauses = [trial for trial, order in played.executor.ordered if isinstance(order, Pause)]
    assert pauses == [0, 3]
    steps = [e.trial for e in played.events[:at] if isinstance(e, Steps)]
    assert steps.count(3) == steps.count(0) + 1


def test_a_pause_between_trials_is_a_pause_at_once() -> None:
    played = Played(ONE)
    played.order(Pause())
    played.order_at(4, Continue())
    assert played.run() == Result("done")
    kinds = [type(e) for e in played.events if not isinstance(e, Overall | Steps)]
    assert kinds.index(Paused) < kinds.index(Continued) < kinds.index(TrialStarted)


def test_a_stop_in_a_pause() -> None:
    played = Played(LONG)
    played.order_at(3, Pause())
    played.order_at(9, Stop())
    assert played.run() == Result("stopped", "stopped by request")
    assert set(played.ends().values()) == {"stopped"}


def test_the_executor_is_closed_where_the_log_is_gone() -> None:
    played = Played(THREE)

    def gone(event: Event) -> None:
        if isinstance(event, Steps):
            raise RunRemoved("the run was removed")

    class Gone(list):
        def append(self, event: Event) -> None:
            gone(event)
            super().append(event)

    played.events = Gone()
    with pytest.raises(RunRemoved):
        played.run()
    assert played.executor.closed
