"""Live and recorded events come through one door, when they are due."""

from __future__ import annotations

import math

import msgspec
from comparison_logs import comparison_events, write_run

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.tui.sources import SPEEDS, LiveSource, ReplaySource, TrialFilter, TrialSource


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def recording(*times: float) -> Batch:
    notes = [ev.Note(seq=i, time=5e8 + t, level="info", text=str(i)) for i, t in enumerate(times)]
    return Batch(events=notes)


def texts(source: ReplaySource) -> str:
    return "".join(event.text for event in source.poll().events)


def test_events_come_when_they_are_due() -> None:
    clock = Clock()
    source = ReplaySource(recording(0, 1, 2, 4), clock)
    assert texts(source) == "0"
    clock.now += 1.5
    assert texts(source) == "1"
    assert source.position == 1.5 / 4
    clock.now += 100
    assert texts(source) == "23"
    assert source.finished
    assert not source.playing
    assert source.position == 1


def test_speed_scales_the_clock_from_where_it_was_changed() -> None:
    clock = Clock()
    source = ReplaySource(recording(*range(10)), clock)
    clock.now += 1
    assert texts(source) == "01"
    source.faster()
    assert source.speed == 2
    clock.now += 1
    assert source.elapsed == 3
    assert texts(source) == "23"
    source.slower()
    source.slower()
    clock.now += 2
    assert texts(source) == "4"


def test_speed_stops_at_both_ends() -> None:
    source = ReplaySource(recording(0, 1), Clock())
    for _ in range(20):
        source.slower()
    assert source.speed == SPEEDS[0]
    for _ in range(20):
        source.faster()
    assert source.speed == math.inf


def test_at_infinite_speed_all_events_come_at_once() -> None:
    source = ReplaySource(recording(0, 10, 20), Clock(), speed=math.inf)
    assert texts(source) == "012"
    assert source.finished


def test_a_pause_holds_the_recording() -> None:
    clock = Clock()
    source = ReplaySource(recording(0, 1, 2), clock)
    source.toggle()
    clock.now += 50
    assert texts(source) == "0"
    assert source.elapsed == 0
    source.toggle()
    clock.now += 1
    assert texts(source) == "1"


def test_seeking_forth_gives_what_lies_between() -> None:
    source = ReplaySource(recording(0, 1, 2, 4), Clock())
    assert texts(source) == "0"
    source.seek(0.5)
    batch = source.poll()
    assert not batch.reset
    assert [event.text for event in batch.events] == ["1", "2"]


def test_seeking_back_restarts_the_recording() -> None:
    source = ReplaySource(recording(0, 1, 2, 4), Clock(), at=1.0)
    assert texts(source) == "0123"
    source.seek(0.25)
    batch = source.poll()
    assert batch.reset
    assert [event.text for event in batch.events] == ["0", "1"]
    assert not source.poll().reset
    assert not source.finished


def test_seeking_back_within_a_gap_forgets_nothing() -> None:
    source = ReplaySource(recording(0, 10), Clock(), at=0.9)
    assert texts(source) == "0"
    source.seek(0.1)
    batch = source.poll()
    assert not batch.reset
    assert not batch.events


def test_playing_at_the_end_begins_again() -> None:
    clock = Clock()
    source = ReplaySource(recording(0, 1), clock)
    clock.now += 2
    assert texts(source) == "01"
    source.toggle()
    batch = source.poll()
    assert batch.reset
    assert [event.text for event in batch.events] == ["0"]


def test_a_clock_set_back_does_not_stop_the_recording() -> None:
    clock = Clock()
    source = ReplaySource(recording(0, 5, 2, 6), clock)
    clock.now += 5
    assert texts(source) == "012"


def test_seek_is_clamped_and_nothing_is_no_recording() -> None:
    source = ReplaySource(Batch(), Clock())
    assert source.position == 1
    source.seek(-3)
    source.seek(7)
    assert source.poll().events == []


def test_reader_counts_are_reported_once_and_again_after_a_reset() -> None:
    recorded = recording(0, 1, 2)
    recorded.corrupt, recorded.unknown, recorded.newer_schema = 2, {"party": 1}, 9
    source = ReplaySource(recorded, Clock(), at=1.0)

    def counts() -> tuple:
        batch = source.poll()
        return batch.corrupt, batch.unknown, batch.newer_schema

    told = (2, {"party": 1}, 9)
    assert counts() == told
    assert counts() == (0, {}, None)
    source.seek(0.5)
    assert counts() == told
    assert counts() == (0, {}, None)


def test_a_live_source_follows_the_log_and_the_lock(runs) -> None:
    run, log = runs.sweep("range-test-digits-1", age=10, steps=25)
    runs.keep_alive(run)
    source = LiveSource(run)
    assert source.live
    first = source.poll()
    assert first.events[0].run == "range-test-digits-1"
    assert source.poll().events == []
    log.write(ev.RunFinished(outcome="done"))
    runs.let_die()
    assert [type(event) for event in source.poll().events] == [ev.RunFinished]
    assert not source.live


def test_only_the_chosen_trial_of_a_comparison_is_kept() -> None:
    told = comparison_events(running=True)  # trials 0 to 3 are done, 4 and 5 are under way
    kept = TrialFilter(4).take(told)
    own = [e for e in told if getattr(e, "trial", None) == 4 and not isinstance(e, ev.RateChosen)]
    assert [e for e in kept if hasattr(e, "trial")] == own
    at_large = {type(e) for e in kept} - {type(e) for e in own}
    assert at_large == {ev.RunStarted, ev.DeviceChosen, ev.TaskReady}
    assert not any(isinstance(e, ev.RunFinished) for e in kept)


def test_a_trial_source_ends_with_its_trial() -> None:
    only = TrialFilter(1)
    kept = only.take(comparison_events(failed=(0, 1)))
    *_, last = kept
    assert isinstance(last, ev.RunFinished)
    assert last.outcome == "failed"
    assert "not finite" in last.message
    assert sum(isinstance(e, ev.RunFinished) for e in kept) == 1
    assert only.take([ev.RunFinished(outcome="done"), ev.Note(level="info", text="late")]) == []
    again = ev.Resumed(trial=1, step=40)
    assert only.take([ev.RunResumed()]) == []  # the trial had ended
    assert only.take([again, ev.Paused()]) == [again, ev.Paused()]


def test_a_replay_does_not_wait_where_a_run_had_no_worker() -> None:
    events: list[ev.AnyEvent] = [
        ev.RunStarted(run="a", kind="train", time=100.0),
        ev.Paused(time=110.0),
        ev.RunResumed(time=9000.0),
        ev.Paused(time=9005.0),
    ]
    assert ReplaySource(Batch(events=events), Clock()).seconds == 15.0


def test_the_end_of_a_trial_says_why_and_where_in_the_users_code() -> None:
    where = ['File "mine.py", line 3, in step', "ValueError: bad"]
    failed = ev.TrialFinished(trial=1, outcome="failed", step=0, reason="bad", traceback=where)
    _, end = TrialFilter(1).take([failed])
    assert isinstance(end, ev.RunFinished)
    assert (end.outcome, end.message, end.traceback) == ("failed", "bad", where)


def test_a_trial_is_followed_in_its_log(tmp_path) -> None:
    run = write_run(tmp_path, running=True)
    source = TrialSource(LiveSource(run), 3)
    history = RunHistory(run.config())
    history.feed(source.poll())
    assert list(history.trials) == [3]
    assert history.finished.outcome == "done"
    assert not source.live
    # A log that was cut short is read anew, and so is the trial.
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    cut = next(
        place
        for place, line in enumerate(lines)
        if isinstance(e := msgspec.json.decode(line, type=ev.AnyEvent), ev.EpochFinished)
        and (e.trial, e.epoch) == (3, 2)
    )
    run.events_path.write_bytes(b"".join(lines[: cut + 1]))
    history.feed(source.poll())
    assert history.finished is None
    assert len(history.trial.epochs) == 2


def test_a_trial_of_a_recording_is_at_the_same_place() -> None:
    clock = Clock()
    events = comparison_events()
    source = ReplaySource(Batch(events=events, corrupt=2), clock, speed=4, at=0.2)
    trial = source.of_trial(2)
    assert trial.elapsed == source.elapsed
    assert trial.speed == 4
    assert trial.playing
    clock.now += 1
    assert trial.elapsed == source.elapsed
    batch = trial.poll()
    assert batch.corrupt == 2
    due = events[0].time + trial.elapsed
    assert [e for e in batch.events if isinstance(e, ev.EpochFinished)] == [
        e for e in events if isinstance(e, ev.EpochFinished) and e.trial == 2 and e.time <= due
    ]


def test_a_recording_beyond_its_trial_is_at_the_end_of_that() -> None:
    source = ReplaySource(Batch(events=comparison_events()), Clock(), at=1.0)
    source.pause()
    trial = source.of_trial(0)
    trial.poll()
    assert trial.finished
    assert trial.seconds < source.seconds
    assert trial.position == 1
