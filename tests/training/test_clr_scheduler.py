"""`clr_tui.CLR` against torch's own schedulers; its state, its groups, its mistakes."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import pytest
import torch
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CyclicLR, LRScheduler, OneCycleLR, SequentialLR

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import POLICIES, Policy

STEPS = 10_000
Step = tuple[list[float], list[float]]
"""The rate and the momentum of each group."""


def sgd(groups: int = 1) -> Optimizer:
    return SGD(
        [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)],
        lr=0.5,
        momentum=0.95,
    )


def adamw(groups: int = 1) -> Optimizer:
    return AdamW(
        [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)],
        lr=0.5,
        betas=(0.95, 0.99),
    )


def now(optimizer: Optimizer) -> Step:
    groups = optimizer.param_groups
    momenta = [g["betas"][0] if "betas" in g else g["momentum"] for g in groups]
    return [float(g["lr"]) for g in groups], momenta


def steps(optimizer: Optimizer, scheduler: LRScheduler, count: int) -> list[Step]:
    seen = []
    for step in range(count):
        seen.append(now(optimizer))
        if step == 0:  # or torch warns
            optimizer.step()
        if step < count - 1:  # OneCycleLR refuses a step beyond its end
            scheduler.step()
    return seen


def are_close(ours: list[Step], theirs: list[Step]) -> bool:
    flat = [
        [value for step in found for column in step for value in column] for found in (ours, theirs)
    ]
    assert len(flat[0]) == len(flat[1])
    return all(math.isclose(a, b, rel_tol=1e-12, abs_tol=0.0) for a, b in zip(*flat, strict=True))


@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize("step_size", [7, 128.7, 3333])
@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("triangular", "triangular"),
        ("triangular2", "triangular2"),
        ("exp-range-amplitude", "exp_range"),
    ],
)
def test_rates_and_momentum_are_those_of_cyclic_lr(
    policy: Policy, mode: Any, step_size: float, make: Any
) -> None:
    bounds = {"base_lr": [1e-4, 6.1e-4], "max_lr": [1e-2, 3.594e-3]}
    optimizer = make(2)
    theirs = CyclicLR(
        optimizer,
        **bounds,
        step_size_up=step_size,  # type: ignore[arg-type]
        mode=mode,
        gamma=0.9994,
        base_momentum=0.85,
        max_momentum=0.95,
    )
    expected = steps(optimizer, theirs, STEPS)
    optimizer = make(2)
    ours = clr_tui.CLR(
        optimizer, **bounds, policy=policy, step_size=step_size, gamma=0.9994, min_momentum=0.85
    )
    assert are_close(steps(optimizer, ours, STEPS), expected)


@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize("total", [STEPS, 107, 13, 3])
def test_one_cycle_is_that_of_one_cycle_lr(total: int, make: Any) -> None:
    optimizer = make()
    theirs = OneCycleLR(
        optimizer,
        max_lr=0.06,
        total_steps=total,
        div_factor=6.0,
        three_phase=True,
        anneal_strategy="linear",
        base_momentum=0.85,
        max_momentum=0.95,
    )
    expected = steps(optimizer, theirs, total)
    optimizer = make()
    ours = clr_tui.CLR(
        optimizer, 0.06, policy="one-cycle", total_steps=total, min_momentum=0.85, max_momentum=0.95
    )
    assert are_close(steps(optimizer, ours, total), expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_that_of_the_command(policy: Policy) -> None:
    optimizer = sgd()
    ours = clr_tui.CLR(optimizer, 0.06, policy=policy, step_size=40, total_steps=300)
    expected = [
        lr_at(policy, step, base_lr=0.01, max_lr=0.06, step_size=40, total_steps=300)
        for step in range(300)
    ]
    assert [rate for (rate,), _ in steps(optimizer, ours, 300)] == pytest.approx(expected)


def test_by_default_it_is_triangular_from_a_sixth_of_max_lr() -> None:
    optimizer = sgd()
    scheduler = clr_tui.CLR(optimizer, 0.6, step_size=10)
    seen = [rates[0] for rates, _ in steps(optimizer, scheduler, 21)]
    assert seen[0] == pytest.approx(0.1)
    assert seen[10] == pytest.approx(0.6)
    assert seen[20] == pytest.approx(0.1)
    assert scheduler.get_last_lr() == [optimizer.param_groups[0]["lr"]]
    assert isinstance(scheduler, LRScheduler)


def test_lengths_in_epochs_are_those_in_steps() -> None:
    def of(**lengths: Any) -> list[Step]:
        optimizer = sgd()
        policy: Policy = "linear-decay"
        scheduler = clr_tui.CLR(optimizer, 0.6, policy=policy, **lengths)
        return steps(optimizer, scheduler, 300)

    in_steps = of(step_size=26.5, total_steps=212)
    assert of(step_size_epochs=0.5, epochs=4, steps_per_epoch=53) == in_steps
    assert of(epochs=4, steps_per_epoch=53) == of(step_size=212, total_steps=212)


def test_a_list_of_rates_has_one_for_each_group() -> None:
    optimizer = sgd(2)
    scheduler = clr_tui.CLR(
        optimizer, [0.6, 0.06], step_size=4, min_momentum=[0.8, 0.9], max_momentum=[0.9, 0.99]
    )
    seen = steps(optimizer, scheduler, 5)
    assert seen[0][0] == pytest.approx([0.1, 0.01])
    assert seen[4][0] == pytest.approx([0.6, 0.06])
    assert seen[0][1] == pytest.approx([0.9, 0.99])
    assert seen[4][1] == pytest.approx([0.8, 0.9])


def saved(state: Any) -> Any:
    """The state after a file that is read without unpickling code."""
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize("policy", POLICIES)
def test_it_goes_on_from_its_state(policy: Policy, make: Any) -> None:
    lengths: dict[str, Any] = {"step_size": 30, "total_steps": 200}

    def made() -> tuple[Optimizer, clr_tui.CLR]:
        optimizer = make(2)
        return optimizer, clr_tui.CLR(
            optimizer, [0.6, 0.06], policy=policy, **lengths, min_momentum=0.85
        )

    whole = steps(*made(), 200)
    optimizer, scheduler = made()
    seen = steps(optimizer, scheduler, 77)
    states = saved([optimizer.state_dict(), scheduler.state_dict()])
    optimizer, scheduler = made()
    optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])
    assert now(optimizer) == seen[-1]
    optimizer.step()
    scheduler.step()
    assert seen + steps(optimizer, scheduler, 123) == whole


def test_a_state_has_its_own_bounds_and_policy() -> None:
    optimizer = sgd()
    first = clr_tui.CLR(optimizer, 0.6, policy="triangular2", step_size=4)
    first.set_bounds(max_lr=1.2, base_lr=0.3)
    other = clr_tui.CLR(sgd(), 0.01, step_size=9)
    other.load_state_dict(saved(first.state_dict()))
    assert steps(other.optimizer, other, 20)[1:] == steps(optimizer, first, 20)[1:]


def test_the_state_of_another_number_of_groups_is_refused() -> None:
    state = clr_tui.CLR(sgd(2), 0.6, step_size=4).state_dict()
    with pytest.raises(UserError, match=r"the state is that of 2 parameter groups, but .* has 1"):
        clr_tui.CLR(sgd(), 0.6, step_size=4).load_state_dict(state)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"]
)
def test_copies_go_on_alone(copied: Any) -> None:
    optimizer = sgd()
    scheduler = clr_tui.CLR(optimizer, 0.6, step_size=30, min_momentum=0.85)
    steps(optimizer, scheduler, 17)
    other = copied(scheduler)
    assert other.optimizer is not optimizer
    left = steps(other.optimizer, other, 50)
    assert left == steps(optimizer, scheduler, 50)
    assert left[1:] != left[:-1]


def test_a_scheduler_for_an_optimizer_in_mid_cycle_knows_its_highest_momentum() -> None:
    optimizer = sgd()
    first = clr_tui.CLR(optimizer, 0.6, step_size=10, min_momentum=0.85)
    expected = steps(optimizer, first, 30)[20:]
    optimizer = sgd()
    steps(optimizer, clr_tui.CLR(optimizer, 0.6, step_size=10, min_momentum=0.85), 20)
    state = saved(optimizer.state_dict())
    optimizer = sgd()
    optimizer.load_state_dict(state)
    later = clr_tui.CLR(optimizer, 0.6, step_size=10, min_momentum=0.85, last_epoch=19)
    assert steps(optimizer, later, 10) == expected


def test_new_bounds_apply_at_once_and_keep_the_phase() -> None:
    optimizer = sgd()
    scheduler = clr_tui.CLR(optimizer, 0.6, step_size=10)
    for _ in range(15):
        optimizer.step()
        scheduler.step()
    scheduler.set_bounds(max_lr=0.06, base_lr=0.02)
    assert now(optimizer)[0] == pytest.approx([0.04])
    assert scheduler.get_last_lr() == pytest.approx([0.04])
    with pytest.raises(UserError, match="base_lr 2 is not below max_lr 1"):
        scheduler.set_bounds(max_lr=1, base_lr=2)
    optimizer.step()
    scheduler.step()
    assert now(optimizer)[0] == pytest.approx([0.036])


def test_new_bounds_keep_the_ratios_of_groups_unless_each_is_given() -> None:
    optimizer = sgd(2)
    scheduler = clr_tui.CLR(optimizer, [0.6, 0.06], base_lr=[0.1, 0.02], step_size=10)
    scheduler.set_bounds(base_lr=0.2, max_lr=1.8)
    assert now(optimizer)[0] == pytest.approx([0.2, 0.04])
    seen = steps(optimizer, scheduler, 11)
    assert seen[10][0] == pytest.approx([1.8, 0.18])
    scheduler.set_bounds(base_lr=[0.2, 0.3], max_lr=[0.4, 0.5])
    assert now(optimizer)[0] == pytest.approx([0.4, 0.5])


def test_it_follows_another_scheduler_in_a_sequence() -> None:
    optimizer = sgd()
    parts = [ConstantLR(optimizer, 0.1, total_iters=99), clr_tui.CLR(optimizer, 0.6, step_size=10)]
    seen = steps(optimizer, SequentialLR(optimizer, parts, milestones=[5]), 16)
    assert [rates[0] for rates, _ in seen[5:]] == pytest.approx(
        [0.1 + 0.05 * step for step in range(11)]
    )


def test_a_rate_that_is_a_tensor_stays_that_tensor() -> None:
    rate = torch.tensor(0.5)
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))], lr=rate, capturable=False)
    scheduler = clr_tui.CLR(optimizer, 0.6, step_size=10)
    assert optimizer.param_groups[0]["lr"] is rate
    optimizer.step()
    scheduler.step()
    assert float(rate) == pytest.approx(0.15)
    scheduler.set_bounds(base_lr=1.0, max_lr=6.0)
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"max_lr": None, "step_size": 3}, "max_lr is None, .* the range test recommends none"),
        ({"max_lr": -1, "step_size": 3}, "max_lr must be a number above 0, not -1"),
        ({"max_lr": math.nan, "step_size": 3}, "max_lr must be a number above 0, not nan"),
        ({"max_lr": "high", "step_size": 3}, "max_lr is 'high', not a number"),
        ({"max_lr": [0.1, 0.2], "step_size": 3}, "2 numbers, but the optimizer has 1 parameter"),
        ({"max_lr": 1, "base_lr": 2, "step_size": 3}, "base_lr 2 is not below max_lr 1"),
        ({"max_lr": 1}, "triangular needs .* half a cycle: give step_size in steps, or steps_per"),
        ({"max_lr": 1, "step_size": 0.5}, "step_size is 0.5: .* at least 1"),
        ({"max_lr": 1, "step_size": "4 epochs"}, "step_size is '4 epochs', not a number"),
        ({"max_lr": 1, "step_size": 3, "step_size_epochs": 1}, "not both"),
        ({"max_lr": 1, "steps_per_epoch": 0}, "steps_per_epoch is 0"),
        ({"max_lr": 1, "steps_per_epoch": 9, "step_size_epochs": -1}, "step_size_epochs must be"),
        ({"max_lr": 1, "policy": "one-cycle"}, "one-cycle needs the length of the training"),
        ({"max_lr": 1, "policy": "cosine", "epochs": 3}, "cosine needs the length"),
        ({"max_lr": 1, "policy": "cosine", "total_steps": 0}, "has 0 steps"),
        ({"max_lr": 1, "policy": "triangel", "step_size": 3}, "did you mean 'triangular'"),
        ({"max_lr": 1, "gamma": 7, "step_size": 3}, "gamma must be above 0 and at most 1, not 7"),
        ({"max_lr": 1, "step_size": 3, "min_momentum": 0.99}, "not below the momentum of SGD"),
        ({"max_lr": 1, "step_size": 3, "min_momentum": -1}, "min_momentum must be"),
        ({"max_lr": 1, "step_size": 3, "max_momentum": 0.9}, "without min_momentum"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: dict[str, Any], words: str) -> None:
    optimizer = sgd()
    with pytest.raises(UserError, match=words):
        clr_tui.CLR(optimizer, **arguments)
    assert now(optimizer) == ([0.5], [0.95])  # as it was


def test_an_optimizer_without_momentum_has_none_to_move() -> None:
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    with pytest.raises(UserError, match="SGD has no momentum here"):
        clr_tui.CLR(optimizer, 1.0, step_size=3, min_momentum=0.8)
    with pytest.raises(TypeError, match="not an Optimizer"):
        clr_tui.CLR("sgd", 1.0, step_size=3)  # type: ignore[arg-type]
