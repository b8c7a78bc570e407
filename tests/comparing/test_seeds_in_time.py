"""A comparison with a time to spend: how many seeds it trains, and what it says about that.

The clock stands still but for polls of 0.2 s, each of which moves every running trial by an epoch
or reports its start: a training of n epochs takes n + 1 polls.
"""

from __future__ import annotations

import math

import pytest
from fake_executor import POLL, SEED, Played, entries, entry, flat
from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.log.commands import Continue, Pause, Stop, StopTrial
from clr_tui.engine.log.events import (
    CommandRefused,
    EntryEnded,
    EpochFinished,
    Note,
    Overall,
    RunFinished,
    TimePlanned,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.settings.config import MAX_TRIALS, Compare, RunConfig, TaskConfig
from clr_tui.engine.training.session import Result

TWO = Compare(entries=entries("adam", "sgd"), epochs=9, time=20.0)
"""With two jobs, a seed takes 10 polls: two seconds."""
ALONE = replace(TWO, entries=entries("adam"))


def config_of(played: Played) -> RunConfig:
    return RunConfig(
        id="compare-tiny-1",
        created=0.0,
        version="0",
        task=TaskConfig(seed=SEED),
        job=played.config,
    )


def history_of(played: Played, *, ended: bool = True) -> RunHistory:
    history = RunHistory(config_of(played))
    for event in played.events:
        history.apply(event)
    if ended:
        history.apply(RunFinished(outcome="done"))
    return history


def seeds_trained(played: Played) -> list[int]:
    """By entry: how many seeds."""
    done = [work for work in played.executor.submitted if work.role == "train"]
    return [sum(work.entry == e for work in done) for e in range(len(played.config.entries))]


def used(played: Played) -> float:
    (*_, last) = played.of(TimePlanned)
    return last.used


def test_seeds_are_added_while_another_one_fits() -> None:
    played = Played(TWO)
    assert played.run() == Result("done")
    # Nine seeds take 18 s, and a tenth would have to fit in exactly two more, without any margin.
    assert seeds_trained(played) == [9, 9]
    assert 0.85 * 20 < used(played) <= 20
    (*_, last) = played.of(TimePlanned)
    assert (last.seconds, last.seeds, last.steps) == (20.0, 9, None)
    assert {e.seed for e in played.of(TrialStarted)} == set(range(SEED, SEED + 9))


@pytest.mark.parametrize("jobs", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("seconds", [5.0, 11.0, 60.0])
def test_all_entries_get_the_same_seeds_and_the_time_is_kept(
    jobs: int, count: int, seconds: float
) -> None:
    labels = ["adam", "sgd", "adagrad"][:count]
    config = Compare(entries=entries(*labels), epochs=4, time=seconds)
    played = Played(config, jobs=jobs)
    played.run()
    trained = seeds_trained(played)
    assert len(set(trained)) == 1
    assert set(played.ends().values()) == {"done"}
    assert used(played) <= seconds
    one_more = math.ceil(count / jobs) * 5 * POLL
    assert used(played) + 2 * one_more > seconds


def test_results_are_those_of_as_many_seeds_without_a_time() -> None:
    timed, plain = Played(TWO), Played(replace(TWO, seeds=9, time=None))
    timed.run()
    plain.run()

    def work(played: Played) -> list[tuple[int, int, object]]:
        return sorted((w.entry, w.seed, w.train) for w in played.executor.submitted)

    assert [w[:2] for w in work(timed)] == [w[:2] for w in work(plain)]
    assert [w[2] for w in work(timed)] == [w[2] for w in work(plain)]


def test_readers_know_only_seeds_that_were_trained() -> None:
    played = Played(TWO)
    played.run()
    report = compare_report(history_of(played))
    assert (report.seeds, report.trials_total, report.trials_done) == (9, 18, 18)
    assert report.trials_stopped == 0
    assert [entry.seeds for entry in report.entries] == [list(range(SEED, SEED + 9))] * 2
    assert report.time is not None
    assert (report.time.seconds, report.time.seeds) == (20.0, 9)
    assert "9 seeds in 18s of 20s." in report.remarks or "9 seeds in 19s of 20s." in report.remarks


def test_a_log_without_its_settings_gives_the_same_seeds() -> None:
    played = Played(TWO)
    played.run()
    bare = RunHistory(replace(config_of(played), job=replace(TWO, seeds=9, time=None)))
    for event in played.events:
        bare.apply(event)
    known = compare_report(history_of(played, ended=False))
    assert compare_report(bare) == known


def test_counts_agree_at_every_moment() -> None:
    """The log's counts, and those of a reader who has read so far."""
    played = Played(TWO)
    played.run()
    history = RunHistory(config_of(played))
    seen = set()
    for event in played.events:
        history.apply(event)
        if isinstance(event, Overall):
            report = compare_report(history)
            assert event.total == report.trials_total == 2 * report.seeds
            seen.add(event.total)
    assert 18 in seen


def test_progress_goes_by_the_time() -> None:
    played = Played(TWO)
    played.run()
    overall = played.of(Overall)
    assert overall[-1].fraction == 1
    assert overall[0].fraction < 0.1
    halfway = next(e for e in overall if e.done >= 8)
    assert halfway.fraction == pytest.approx(8 / 18, abs=0.1)
    left = halfway.eta_seconds
    assert left == pytest.approx(20 / 2, abs=2)


def test_a_pause_does_not_count() -> None:
    plain, paused = Played(TWO), Played(TWO)
    paused.order_at(12, Pause())
    paused.order_at(112, Continue())  # 20 seconds later
    plain.run()
    paused.run()
    (with_pause, _), (without, _) = seeds_trained(paused), seeds_trained(plain)
    assert without - with_pause <= 1  # it takes some polls to obey
    assert used(paused) <= 20


def test_without_room_for_a_second_seed_it_says_what_would_fit() -> None:
    played = Played(replace(TWO, epochs=40))  # a seed takes 8.2 s, two 16.4 s
    played.config = replace(played.config, time=15.0)
    played.run()
    assert seeds_trained(played) == [1, 1]
    (note,) = played.of(Note)
    assert note.level == "warning"
    said, hint = note.text.split("; ")
    assert said == "15s is enough for one seed only, which gives no intervals: two take about 17s"
    fitting = int(hint.removeprefix("two fit with ").removesuffix(" epochs"))
    again = Played(replace(played.config, epochs=fitting))
    again.run()
    assert not again.of(Note)
    assert seeds_trained(again)[0] >= 2
    # And not with a few more.
    more = Played(replace(played.config, epochs=fitting + 3))
    more.run()
    assert seeds_trained(more)[0] == 1


def test_a_time_too_short_for_one_seed_keeps_what_has_begun() -> None:
    """It never ends later than by the rest of one trial."""
    config = Compare(entries=entries("adam", "sgd", "adagrad"), epochs=49, time=15.0)
    played = Played(config, jobs=1)  # each trial takes ten seconds
    result = played.run()
    (note,) = played.of(Note)
    assert note.text.startswith("15s is too short for one seed, whose 3 trials take about 3")
    assert played.ends() == {0: "done", 1: "done", 2: "stopped"}
    assert 15 < used(played) <= 15 + 10
    assert result == Result("done", "1 of 3 trials stopped")
    (late,) = [e for e in played.of(TrialFinished) if e.outcome == "stopped"]
    assert (late.step, late.reason) == (0, "the time was up before it started")
    report = compare_report(history_of(played))
    assert (report.seeds, report.trials_total) == (1, 3)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("constant", "two do not fit even with 1 epoch"),
        ("triangular", "two do not fit even with 8 epochs, a whole cycle"),
    ],
)
def test_if_no_length_fits_it_says_the_shortest(policy: str, words: str) -> None:
    config = Compare(entries=[entry("sgd", policy=policy)] * 40, epochs=48, time=11.0)
    played = Played(config, jobs=1)
    played.run()
    assert played.of(Note)[0].text.endswith(f"; {words}")


def test_a_slow_start_leaves_time_for_less() -> None:
    played = Played(TWO)
    played.clock.now += 10.0  # such as for decoding images
    played.run()
    assert seeds_trained(played) == [4, 4]
    assert used(played) <= 20


def test_when_the_start_took_all_the_time_the_first_trials_are_trained() -> None:
    played = Played(replace(TWO, entries=entries("adam", "sgd", "adagrad")))
    played.clock.now += 100.0
    played.run()
    assert played.ends() == {0: "done", 1: "done", 2: "stopped"}


def test_a_stop_leaves_no_seeds_that_never_began() -> None:
    played = Played(TWO)
    played.order_at(25, Stop(reason="enough"))
    assert played.run() == Result("stopped", "enough")
    report = compare_report(history_of(played))
    assert report.seeds == 3
    assert report.trials_total == 6
    assert len(played.of(TrialFinished)) == 6


def test_an_entry_without_a_rate_fails_with_every_seed() -> None:
    config = replace(TWO, entries=[entry("adam"), entry("unknown", lr=None)], time=10.0)
    played = Played(config)
    played.run()
    trained = seeds_trained(played)
    assert trained[0] >= 2
    assert trained[1] == 0
    outcomes = [e.outcome for e in played.of(TrialFinished)]
    assert outcomes.count("failed") == outcomes.count("done") == trained[0]
    report = compare_report(history_of(played))
    assert report.trials_total == 2 * trained[0]
    assert report.trials_stopped == 0


def test_without_any_rate_it_fails_at_once() -> None:
    played = Played(replace(TWO, entries=[entry("unknown", lr=None)]))
    result = played.run()
    assert result.outcome == "failed"
    assert played.ends() == {0: "failed"}
    assert not played.executor.submitted


def test_rates_that_are_all_ended_leave_nothing_to_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def observe(_: Halving, entry: int, seed: int, event: object) -> list[EntryEnded]:
        ended = EntryEnded(entry=entry, epoch=None, reason=f"Seed {seed} diverged.")
        return [ended] if isinstance(event, EpochFinished) and event.epoch == 2 else []

    monkeypatch.setattr(Halving, "observe", observe)
    played = Played(replace(TWO, halving=True))
    played.run()
    assert played.ends() == {0: "stopped", 1: "stopped"}
    assert played.of(TimePlanned)[-1].seeds == 1


def test_rates_are_tuned_within_the_time() -> None:
    config = replace(TWO, entries=[entry("adam", lr=None), entry("sgd", lr=None)], rates="tuned")
    played = Played(config)
    played.executor.curves[1] = flat
    played.run()
    sweeps = [work.trial for work in played.executor.submitted if work.role == "sweep"]
    assert sweeps == [MAX_TRIALS, MAX_TRIALS + 1]
    trained = seeds_trained(played)
    assert trained[0] == trained[1] >= 7
    assert used(played) <= 20
    report = compare_report(history_of(played))
    assert report.trials_total == 2 * trained[0]


def test_before_it_is_known_how_many_fit_no_more_are_planned_than_run_at_once() -> None:
    for jobs, count, seeds in ((2, 2, 1), (2, 1, 2), (5, 2, 3)):
        played = Played(replace(TWO, entries=entries("adam", "sgd")[:count]), jobs=jobs)
        played.run()
        assert played.of(TimePlanned)[0].seeds == seeds
        assert played.of(TimePlanned)[-1].seeds > seeds


def test_trials_that_all_fail_at_once_add_no_seeds() -> None:
    played = Played(TWO)
    played.executor.fails = dict.fromkeys(range(1000), "it broke")
    assert played.run().outcome == "failed"
    assert played.ends() == dict.fromkeys(range(2), "failed")


def test_a_trial_that_waits_can_be_stopped_by_its_number() -> None:
    played = Played(TWO)
    played.order_at(6, StopTrial(trial=3), StopTrial(trial=900))
    played.run()
    assert played.ends()[3] == "stopped"
    (refused,) = played.of(CommandRefused)
    assert refused.reason.startswith("no trial 900: there are 0 to ")
    assert compare_report(history_of(played)).trials_stopped == 1


def test_trainings_are_numbered_seed_by_seed() -> None:
    job = Compare(entries=entries("adam", "sgd", "adagrad"), time=60.0)
    numbers = [job.trial_number(e, seed) for seed in range(4) for e in range(3)]
    assert numbers == list(range(12))
    assert [job.entry_and_seed(n) for n in numbers] == [
        (e, seed) for seed in range(4) for e in range(3)
    ]
    sweep = job.sweep_number(1)
    assert sweep > job.trial_number(2, job.most_seeds - 1)
    assert job.entry_and_seed(sweep)[0] >= 3  # none of the entries


def test_one_optimizer_alone_gets_as_many_seeds() -> None:
    played = Played(ALONE, jobs=2)
    played.run()
    assert seeds_trained(played)[0] >= 17
    assert used(played) <= 20
