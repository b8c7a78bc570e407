"""The comparison that a range test or a training suggests."""

from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import ARTICLE, OptimizerConfig, TaskConfig, Train
from clr_tui.tui.kinds.compare.proposal import after_range_test, after_training

SGD = OptimizerConfig(momentum=0.9, weight_decay=5e-4, options={"nesterov": True})


def test_without_bounds_it_is_the_article_s() -> None:
    job = after_range_test(SGD, None)
    assert [entry.label for entry in job.entries] == list(ARTICLE)


def test_an_optimizer_that_a_task_made_cannot_be_named() -> None:
    assert [entry.label for entry in after_range_test(None, (1e-4, 1e-3)).entries] == list(ARTICLE)
    job = after_training(Train(base_lr=1e-4, max_lr=2e-3, epochs=20), own_optimizer=True)
    assert [entry.label for entry in job.entries] == list(ARTICLE)
    assert job.epochs == 20


def test_sgd_cycles_between_the_bounds_that_were_chosen() -> None:
    job = after_range_test(SGD, (6.123e-4, 3.594e-3))
    assert [entry.label for entry in job.entries[:-1]] == list(ARTICLE[:-1])
    own = job.entries[-1]
    assert (own.policy, own.lr, own.base_lr) == ("triangular", 3.594e-3, 6.123e-4)
    assert own.optimizer.momentum == 0.9
    assert own.optimizer.options == {"nesterov": True, "weight_decay": 5e-4}
    assert check_numbers(TaskConfig(), job) == []


def test_another_optimizer_comes_beside_all_of_the_article_s() -> None:
    job = after_range_test(
        OptimizerConfig(name="adam", options={"betas": [0.8, 0.9]}), (1e-4, 1e-3)
    )
    assert [entry.label for entry in job.entries[:-1]] == list(ARTICLE)
    assert job.entries[-1].optimizer.options == {"betas": [0.8, 0.9]}
    assert check_numbers(TaskConfig(), job) == []


def test_a_training_keeps_its_policy_and_length() -> None:
    training = Train(
        base_lr=1e-4,
        max_lr=2e-3,
        policy="exp-range",
        step_size_epochs=2.5,
        epochs=20,
        whole_cycles=False,
        gamma=0.999,
    )
    job = after_training(training)
    own = job.entries[-1]
    assert (own.policy, own.lr, own.base_lr) == ("exp-range", 2e-3, 1e-4)
    assert (job.epochs, job.step_size_epochs, job.whole_cycles) == (20, 2.5, False)
    assert job.gamma == 0.999
    assert check_numbers(TaskConfig(), job) == []


def test_a_constant_rate_has_one_bound() -> None:
    own = after_training(Train(base_lr=1e-4, max_lr=2e-3, policy="constant")).entries[-1]
    assert (own.policy, own.lr, own.base_lr) == ("constant", 2e-3, None)
