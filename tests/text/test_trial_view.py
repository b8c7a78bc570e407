"""A trial of a comparison as a training."""

import math

from comparison_logs import comparison_history

from clr_tui.engine.settings.config import Compare, TaskConfig
from clr_tui.tui.kinds.compare.progress import TuningProgress
from clr_tui.tui.kinds.compare.trial_view import entry_of, trial_config, trial_title


def test_it_is_the_training_of_its_entry_from_its_seed() -> None:
    history = comparison_history()
    config = trial_config(history.config, history, history.trials[5])
    train = config.job
    assert config.kind == "train"
    assert config.id == "compare-flowers-1-sgd-clr-seed-2"
    assert config.task == TaskConfig(data="/data/flowers", image_size=32, seed=2)
    assert (train.base_lr, train.max_lr, train.policy) == (6e-4, 3.6e-3, "triangular")
    assert (train.epochs, train.whole_cycles, train.step_size_epochs) == (8, False, 4.0)
    assert train.optimizer.name == "sgd"


def test_a_constant_rate_is_both_bounds() -> None:
    history = comparison_history()
    train = trial_config(history.config, history, history.trials[0]).job
    assert train.base_lr == train.max_lr == history.rates[0].lr


def test_a_rate_that_was_tuned_counts() -> None:
    history = comparison_history(tuned=True)
    train = trial_config(history.config, history, history.trials[6]).job
    assert train.max_lr == history.rates[2].lr


def test_rates_missing_from_the_log_are_nan() -> None:
    history = comparison_history()
    history.rates.clear()
    train = trial_config(history.config, history, history.trials[0]).job
    assert math.isnan(train.max_lr)
    assert math.isnan(train.base_lr)
    given = trial_config(history.config, history, history.trials[3]).job
    assert (given.base_lr, given.max_lr) == (6e-4, 3.6e-3)


def test_an_entry_is_known_by_its_number_or_its_label() -> None:
    history = comparison_history()
    trial = history.trials[3]
    compare = history.config.job
    trial.entry = None
    assert entry_of(compare, trial).label == "sgd+clr"
    assert entry_of(Compare(entries=[]), trial).label == "sgd+clr"
    trial.label = ""
    assert entry_of(compare, trial).label == "trial 3"


def test_its_title_names_it() -> None:
    history = comparison_history()
    config = trial_config(history.config, history, history.trials[5])
    assert trial_title(config, history, "sgd+clr") == "trial  sgd+clr, seed 2 · flowers · CNN"


def test_no_sweep_no_tuning() -> None:
    assert TuningProgress.of(comparison_history(tuned=True)) is None
