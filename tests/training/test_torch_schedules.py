"""Schedulers of torch by name, against torch's own on an optimizer of the same groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import ACCURACY, LOSS
from clr_tui.engine.settings.config import Compare, Train
from clr_tui.engine.settings.entries import parse_entries, parse_scheduler, scheduler_text
from clr_tui.engine.settings.torch_schedulers import EACH_STEP, NEEDED, SCHEDULERS, UNUSABLE
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.optimizers.rates import note_ratios
from clr_tui.engine.training.torch_schedules import TorchSchedule, try_scheduler

EPOCHS, PER_EPOCH, LR = 12, 5, 0.2
METRIC = [0.5, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8]
TEXTS = [
    "ConstantLR(factor=0.25,total_iters=4)",
    "CosineAnnealingLR",
    "CosineAnnealingLR(T_max=6,eta_min=0.01)",
    "CosineAnnealingWarmRestarts(T_0=3,T_mult=2)",
    "CyclicLR(step_size_up=7)",
    "CyclicLR(base_lr=0.01,max_lr=0.4,step_size_up=4,mode='exp_range',gamma=0.9)",
    "ExponentialLR(gamma=0.9)",
    "LinearLR(start_factor=0.1,total_iters=6)",
    "MultiStepLR(milestones=[3,8],gamma=0.5)",
    "OneCycleLR",
    "OneCycleLR(max_lr=0.5,three_phase=True,anneal_strategy='linear')",
    "PolynomialLR(total_iters=12,power=2)",
    "ReduceLROnPlateau(patience=1,factor=0.5)",
    "StepLR(step_size=4)",
]


def weights() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.zeros(2))]


def two_groups() -> torch.optim.SGD:
    """The second group at a tenth of the rate."""
    groups: list[dict[str, Any]] = [{"params": weights()}, {"params": weights(), "lr": LR / 10}]
    optimizer = torch.optim.SGD(groups, lr=LR, momentum=0.9)
    note_ratios(optimizer, LR)
    return optimizer


def training(text: str) -> Train:
    return Train(base_lr=LR / 6, max_lr=LR, epochs=EPOCHS, scheduler=scheduler_text(text))


def schedule(optimizer: torch.optim.Optimizer, text: str) -> TorchSchedule:
    return TorchSchedule(
        optimizer, training(text), epochs=EPOCHS, per_epoch=PER_EPOCH, metric=ACCURACY
    )


def walk(optimizer: torch.optim.Optimizer, moved: TorchSchedule, epochs: range) -> list[tuple]:
    seen = []
    for epoch in epochs:
        for _ in range(PER_EPOCH):
            seen.append(tuple((g["lr"], g["momentum"]) for g in optimizer.param_groups))
            optimizer.step()
            moved.step()
        moved.end_epoch(METRIC[epoch])
    return seen


def torchs_own(text: str) -> list[tuple[float, float]]:
    """The rates and momenta that a loop by torch's documentation has."""
    name, _, inner = text.partition("(")
    options: dict[str, Any] = eval(f"dict({inner.removesuffix(')')})")
    if name == "OneCycleLR":
        options = {"max_lr": LR, "total_steps": EPOCHS * PER_EPOCH, **options}
    if name == "CyclicLR":
        options = {"base_lr": LR / 6, "max_lr": LR, **options}
    if name == "CosineAnnealingLR":
        options = {"T_max": EPOCHS, **options}
    if name == "ReduceLROnPlateau":
        options = {"mode": "max", **options}
    optimizer = torch.optim.SGD(weights(), lr=LR, momentum=0.9)
    scheduler = getattr(lr_scheduler, name)(optimizer, **options)
    seen = []
    for epoch in range(EPOCHS):
        for _ in range(PER_EPOCH):
            group = optimizer.param_groups[0]
            seen.append((float(group["lr"]), float(group["momentum"])))
            optimizer.step()
            if name in EACH_STEP:
                scheduler.step()
        if name == "ReduceLROnPlateau":
            scheduler.step(METRIC[epoch])
        elif name not in EACH_STEP:
            scheduler.step()
    return seen


@pytest.mark.parametrize("text", TEXTS)
def test_a_scheduler_moves_rates_as_torch_does(text: str) -> None:
    optimizer = two_groups()
    seen = walk(optimizer, schedule(optimizer, text), range(EPOCHS))
    for ((lr, momentum), (other, _)), (expected, own) in zip(seen, torchs_own(text), strict=True):
        assert lr == pytest.approx(expected, rel=1e-12, abs=1e-15)
        assert other == pytest.approx(expected / 10, rel=1e-12, abs=1e-15)
        assert momentum == pytest.approx(own, rel=1e-12)
    assert len({lr for (lr, _), _ in seen}) > 1


@pytest.mark.parametrize("text", TEXTS)
def test_a_checkpoint_continues_a_scheduler(text: str, tmp_path: Path) -> None:
    whole = two_groups()
    expected = walk(whole, schedule(whole, text), range(EPOCHS))
    first = two_groups()
    moved = schedule(first, text)
    walk(first, moved, range(5))
    checkpoint.save(tmp_path / "checkpoints" / "last.pt", {"scheduler": moved.state_dict()})
    file = tmp_path / "checkpoints" / "last.pt"
    state = torch.load(file, weights_only=True)["scheduler"]
    second = two_groups()
    again = schedule(second, text)
    again.load_state_dict(state)
    rest = walk(second, again, range(5, EPOCHS))
    assert rest == expected[5 * PER_EPOCH :]


def test_every_scheduler_of_torch_is_usable_or_refused() -> None:
    found = {
        name
        for name, one in vars(lr_scheduler).items()
        if isinstance(one, type) and issubclass(one, lr_scheduler.LRScheduler)
    }
    assert found - {"LRScheduler", "_LRScheduler"} == SCHEDULERS.keys() | UNUSABLE.keys()
    assert {text.partition("(")[0] for text in TEXTS} == SCHEDULERS.keys()


@pytest.mark.parametrize("name", sorted(SCHEDULERS))
def test_what_needs_an_option_says_so_before_torch_does(name: str) -> None:
    if name in NEEDED:
        with pytest.raises(UserError, match=f"{name} needs {NEEDED[name]}"):
            parse_scheduler(name)
    else:
        try_scheduler(training(name))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MultiStepLR(milestones=3)", "not iterable"),
        ("CosineAnnealingWarmRestarts(T_0=0)", "Expected positive integer T_0"),
        ("OneCycleLR(pct_start=3)", "pct_start"),
    ],
)
def test_what_torch_refuses_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UserError, match="cannot be made: ") as caught:
        try_scheduler(training(text))
    assert words in caught.value.message
    assert caught.value.field == "scheduler"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("LambdaLR", "it takes a function"),
        ("StepLR(stepsize=3)", "did you mean 'step_size'"),
        ("StepLP(step_size=3)", "did you mean 'StepLR'"),
        ("StepLR(step_size", "cannot be read"),
        ("StepLR(gamma=0.5)", "needs step_size"),
    ],
)
def test_what_is_no_scheduler_is_refused_for_what_it_is(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        scheduler_text(text)


def test_a_scheduler_has_no_bounds_to_change() -> None:
    optimizer = two_groups()
    with pytest.raises(UserError, match="no bounds"):
        schedule(optimizer, "StepLR(step_size=4)").set_bounds(base_lr=0.1, max_lr=0.2)


def test_an_entry_names_a_scheduler_with_its_options() -> None:
    first, second = parse_entries(
        "sgd(lr=0.1)+multisteplr(milestones=[3, 6],gamma=.5), adam+OneCycleLR(lr=1e-2)"
    )
    assert first.label == "sgd(lr=0.1)+MultiStepLR(gamma=0.5,milestones=(3,6))"
    assert (first.policy, first.schedule, first.lr) == ("constant", "MultiStepLR", 0.1)
    assert (second.label, second.lr) == ("adam(lr=0.01)+OneCycleLR", 0.01)
    assert parse_entries(f"{first.label},{second.label}") == [first, second]
    assert Compare(entries=[first]).lr_of(first) == 0.1


def test_a_scheduler_takes_the_place_of_a_policy() -> None:
    job = Train(base_lr=0.1, max_lr=0.6, policy="one-cycle", scheduler="StepLR(step_size=4)")
    assert (job.policy, job.schedule) == ("constant", "StepLR")
    assert Train(base_lr=0.1, max_lr=0.6, policy="one-cycle").schedule == "one-cycle"
    assert LOSS.sign == -1  # a plateau of the loss is found with mode="min"
