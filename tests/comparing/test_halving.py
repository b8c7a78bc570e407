"""Which rates of a grid are ended early, and what becomes of their trials."""

from __future__ import annotations

import pytest
from fake_executor import PER_EPOCH, SEED, Played

from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.log.commands import StopTrial
from clr_tui.engine.log.events import Diverged, EntryEnded, Evaluated, TrialFinished
from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import Compare, OptimizerConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate
from clr_tui.engine.training.session import Result

MAE = Metric("mae", "number", "min")
SEVEN = "grid:1e-4..0.1x7"


def grid(optimizers: str = "adam", rates: str = SEVEN, **settings) -> Compare:
    job = Compare(entries=parse_entries(optimizers), rates=rates, halving=True, **settings)
    return at_each_rate(job)


class Told:
    """Tells a `Halving` what trainings of 16 epochs measure."""

    def __init__(self, job: Compare, metric: Metric = ACCURACY) -> None:
        self.metric = metric
        self.halving = Halving(job, 16, metric)

    def tell(self, epoch: int, seed: int, *values: float | None, first: int = 0) -> list[int]:
        """One value for each entry from `first` on; returns which of them are ended."""
        ended: list[EntryEnded] = []
        for entry, value in enumerate(values, first):
            event = Evaluated(
                trial=0,
                step=1,
                part="validation",
                loss=1.0,
                metrics={self.metric.name: value},
                epoch=epoch,
            )
            ended += self.halving.observe(entry, seed, event)
        self.said = [one.reason for one in ended]
        assert all(one.epoch == epoch for one in ended)
        return [one.entry for one in ended]


def test_rates_far_below_the_median_are_ended_once_all_have_come_so_far() -> None:
    told = Told(grid())
    assert told.tell(4, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6) == []  # one is still to come
    assert told.tell(4, 0, 0.65, first=6) == [0, 1, 2]
    assert told.said[0] == (
        "After epoch 4 its validation accuracy (10.0 %) was below the median of the rates (60.0 %)."
    )
    assert told.tell(8, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65) == []  # with three out it is 60 %


def test_only_a_quarter_half_and_the_end_count() -> None:
    for epoch in (1, 2, 3, 5, 7, 9, 15):
        assert Told(grid()).tell(epoch, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65) == []
    for epoch in (4, 8, 16):
        assert Told(grid()).tell(epoch, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65) == [0, 1, 2]


def test_with_one_seed_a_rate_must_be_five_points_below() -> None:
    values = [0.551, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65]
    assert Told(grid()).tell(4, 0, *values) == [1, 2]
    assert Told(grid()).tell(4, 0, 0.549, *values[1:]) == [0, 1, 2]


def test_a_rate_is_not_judged_by_what_it_was_before_it_came_further() -> None:
    told = Told(grid())
    told.tell(4, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6)
    assert told.tell(16, 0, 0.7) == []
    assert told.tell(4, 0, 0.65, first=6) == [1, 2]
    assert told.tell(16, 0, 0.7, 0.7, 0.7, first=4) == []  # entry 3 is still to come
    assert told.tell(16, 0, 0.8, first=3) == []


def test_with_more_seeds_even_the_interval_must_be_below() -> None:
    others = [0.6, 0.7, 0.6, 0.65]
    told = Told(grid())
    assert told.tell(4, 0, 0.58, 0.57, 0.58, *others) == []
    # The mean of entry 0 is 0.55 with an interval of 0.38 to each side; of entry 1, 0.0064.
    assert told.tell(4, 1, 0.52, 0.571, 0.58, *others) == [1]


def test_the_leading_rate_and_its_neighbours_go_on() -> None:
    told = Told(grid())
    assert told.tell(4, 0, 0.6, 0.6, 0.6, 0.65, 0.1, 0.7, 0.2) == []


def test_what_a_range_test_recommends_goes_on() -> None:
    swept = OptimizerConfig(name="adam")
    made = {"advice": {"valley": 1.1e-4}, "advised": "valley", "swept": swept}
    values = [0.1, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65]
    assert Told(grid(**made)).tell(4, 0, *values) == [1, 2]
    other = made | {"swept": OptimizerConfig(name="sgd")}
    assert Told(grid(**other)).tell(4, 0, *values) == [0, 1, 2]


def test_a_lower_error_is_better() -> None:
    told = Told(grid(), MAE)
    assert told.tell(4, 0, 30.0, 20.0, 10.6, 10.0, 9.0, 9.5, 9.8) == [0, 1, 2]
    assert told.said[2] == (
        "After epoch 4 its validation mae (10.6) was above the median of the rates (10)."
    )


def test_a_value_that_is_not_finite_is_worse_than_any() -> None:
    told = Told(grid())
    assert told.tell(4, 0, 0.6, 0.7, 0.6, 0.6, 0.6, 0.6, None) == [6]
    assert "(not finite)" in told.said[0]


def test_a_rate_that_diverged_is_ended_and_no_longer_waited_for() -> None:
    told = Told(grid())
    assert told.tell(4, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6) == []
    diverged = Diverged(trial=0, step=3, lr=0.1, reason="it is not finite")
    ended = told.halving.observe(6, 0, diverged)
    assert [(one.entry, one.epoch) for one in ended] == [(6, None), (0, 4), (1, 4)]
    assert ended[0].reason == "Seed 0 diverged."
    assert told.halving.observe(6, 0, diverged) == []


@pytest.mark.parametrize("outcome", ["failed", "stopped"])
def test_a_trial_that_broke_off_is_no_longer_waited_for(outcome: str) -> None:
    told = Told(grid())
    assert told.tell(4, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6) == []
    end = TrialFinished(trial=0, outcome=outcome, step=3, reason="out of memory")
    assert [one.entry for one in told.halving.observe(6, 0, end)] == [0, 1]
    assert told.tell(16, 1, 0.1, first=6) == []  # what else it does has no say


def test_each_optimizer_is_judged_alone_and_rates_of_their_own_are_not() -> None:
    told = Told(grid("adam,sgd+clr,adagrad(lr=0.5)"))
    assert told.tell(4, 0, *[0.9] * 7) == []
    assert told.tell(4, 0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.6, 0.65, first=7) == [7, 8, 9]
    assert told.tell(4, 0, 0.0, first=14) == []


def test_if_most_rates_diverge_none_is_ended_by_a_median() -> None:
    told = Told(grid())
    for entry in range(3, 7):
        told.halving.observe(entry, 0, Diverged(trial=0, step=1, lr=0.1, reason="no"))
    assert told.tell(4, 0, 0.1, 0.2, 0.6) == []


def test_the_trials_of_an_ended_rate_are_stopped_or_never_start() -> None:
    job = grid("adam", "grid:1e-4..1x5", seeds=3, epochs=4)
    played = Played(job, jobs=5)
    accuracies = [0.1, 0.3, 0.6, 0.7, 0.65]
    for entry, accuracy in enumerate(accuracies):
        played.executor.accuracies[entry] = lambda epoch, accuracy=accuracy: accuracy
    result = played.run()
    assert result == Result("done", "6 of 15 trials stopped")
    ended = played.of(EntryEnded)
    assert [(one.entry, one.epoch) for one in ended] == [(0, 1), (1, 1)]
    ends = played.ends()
    assert {trial for trial, outcome in ends.items() if outcome == "stopped"} == {*range(6)}
    # Seed 0 of both was under way; the other seeds never started.
    assert len(played.executor.submitted) == 15 - 4
    stopped = [e for e in played.of(TrialFinished) if e.outcome == "stopped"]
    assert all(e.reason.startswith("its rate was ended early: after epoch 1 its") for e in stopped)
    assert all(e.step < 4 * PER_EPOCH for e in stopped)
    assert {work.seed for work in played.executor.submitted if work.entry > 1} == {
        SEED,
        SEED + 1,
        SEED + 2,
    }


def test_a_training_that_has_all_its_epochs_is_not_stopped() -> None:
    """One after the other: the last to end of its seed shows that the first is behind."""
    played = Played(grid("adam", "grid:1e-4..1x5", seeds=2, epochs=1), jobs=1)
    for entry, accuracy in enumerate([0.6, 0.7, 0.65, 0.1, 0.2]):
        played.executor.accuracies[entry] = lambda epoch, accuracy=accuracy: accuracy
    played.run()
    assert {e.entry for e in played.of(EntryEnded)} == {3, 4}
    ends = played.ends()
    assert (ends[8], ends[9]) == ("done", "stopped")


def test_a_waiting_trial_that_is_stopped_by_hand_holds_up_nothing() -> None:
    job = grid("adam", "grid:1e-4..1x5", seeds=1, epochs=4)
    played = Played(job, jobs=4)
    for entry, accuracy in enumerate([0.1, 0.6, 0.7, 0.65, 0.6]):
        played.executor.accuracies[entry] = lambda epoch, accuracy=accuracy: accuracy
    played.order_at(2, StopTrial(trial=4))
    played.run()
    assert [ended.entry for ended in played.of(EntryEnded)] == [0]
    assert played.ends() == {0: "stopped", 1: "done", 2: "done", 3: "done", 4: "stopped"}


def test_with_a_time_to_spend_further_seeds_are_those_of_the_other_rates() -> None:
    job = grid("adam", "grid:1e-4..1x5", time=60.0, epochs=4)
    played = Played(job, jobs=5)
    for entry, accuracy in enumerate([0.1, 0.3, 0.6, 0.7, 0.65]):
        played.executor.accuracies[entry] = lambda epoch, accuracy=accuracy: accuracy
    assert played.run().outcome == "done"
    of_seeds = {work.seed: set() for work in played.executor.submitted}
    for work in played.executor.submitted:
        of_seeds[work.seed].add(work.entry)
    assert of_seeds.pop(SEED) == {0, 1, 2, 3, 4}
    assert len(of_seeds) > 1
    assert all(entries == {2, 3, 4} for entries in of_seeds.values())


def test_without_halving_nothing_is_ended() -> None:
    job = at_each_rate(Compare(entries=parse_entries("adam"), rates="grid:1e-4..1x5", epochs=4))
    played = Played(job)
    for entry, accuracy in enumerate([0.1, 0.3, 0.6, 0.7, 0.65]):
        played.executor.accuracies[entry] = lambda epoch, accuracy=accuracy: accuracy
    assert played.run() == Result("done")
    assert played.of(EntryEnded) == []


@pytest.mark.parametrize("rates", ["default", 0.1])
def test_halving_needs_a_grid(rates: str | float) -> None:
    job = Compare(entries=parse_entries("adam"), rates=rates, halving=True)
    (mistake,) = check_numbers(TaskConfig(), job)
    assert mistake.field == "halving"
    assert mistake.message == (
        "halving ends rates of a grid, and there is none: leave it out, or give lr grid:1e-4..0.1x7"
    )
    assert (
        check_numbers(TaskConfig(), Compare(entries=job.entries, rates=SEVEN, halving=True)) == []
    )
    (mistake,) = check_numbers(
        TaskConfig(), Compare(entries=job.entries, rates="grid:", halving=True)
    )
    assert mistake.field == "lr"
