"""How classes from anywhere are made, stepped, moved and kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from training_bench import Bench, make_task

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import CheckpointSaved, Note, Steps
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, Train
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.optimizers.rates import rate_now, set_rate
from clr_tui.engine.training.optimizers.recipes import Recipe, make_optimizer, recipe, try_to_make
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.schedules import PolicyRate, PolicyScheduler
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.training import run_training

MODULE = """
import collections
import numpy as np
import torch
from torch.optim import SGD, AdamW, Optimizer

class Relative(SGD):
    '''Steps by 0.05 times its rate relative to the one that it was made with.'''
    def __init__(self, params, lr=0.05):
        super().__init__(params, lr=lr)
        self.made_with = lr
        self.made_withs = [lr, lr]

    def step(self, closure=None):
        rates = [group["lr"] for group in self.param_groups]
        for group, rate in zip(self.param_groups, rates):
            group["lr"] = 0.05 * (rate / self.made_with)
        super().step(closure)
        for group, rate in zip(self.param_groups, rates):
            group["lr"] = rate

class Groups(SGD):
    '''Makes groups of its own: vectors at a tenth of the rate, the first parameter not at all.'''
    def __init__(self, params, lr=0.05):
        first, *rest = params
        super().__init__([
            {"params": [first], "lr": 0.0},
            {"params": [p for p in rest if p.ndim > 1], "lr": lr},
            {"params": [p for p in rest if p.ndim <= 1], "lr": lr / 10},
        ], lr=lr)

class NeedsTrain(SGD):
    def __init__(self, params, lr=0.05):
        super().__init__(params, lr=lr)
        self.training = False

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def step(self, closure=None):
        if not self.training:
            raise RuntimeError("the optimizer is not in train mode")
        return super().step(closure)

class Doubled(SGD):
    '''Measures and keeps twice the weights that it trains.'''
    def train(self):
        self._scale(0.5, False)

    def eval(self):
        self._scale(2.0, True)

    @torch.no_grad()
    def _scale(self, factor, doubled):
        group = self.param_groups[0]
        if group.get("doubled", False) != doubled:
            group["doubled"] = doubled
            for p in group["params"]:
                p.mul_(factor)

class NeedsClosure(SGD):
    def step(self, closure):
        closure()
        return super().step()

class WantsClosure(SGD):
    '''Says only at its first step that it needs a closure.'''
    def step(self, closure=None):
        if closure is None:
            raise RuntimeError("a closure is needed")
        closure()
        return super().step()

class Matrices(SGD):
    def __init__(self, params, lr=0.05):
        super().__init__(params, lr=lr)
        if any(p.ndim != 2 for group in self.param_groups for p in group["params"]):
            raise ValueError("only matrices")

class Flagged(Optimizer):
    '''As K. Jordan's: no rate but that of the groups, which must have flags.'''
    def __init__(self, groups):
        for group in groups:
            assert "use_muon" in group
            group["lr"] = group.get("lr", 0.02 if group["use_muon"] else 3e-4)
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                assert group["use_muon"] == (p.ndim >= 2)
                p.sub_(p.grad, alpha=group["lr"])

class FlaggedInALoop(Flagged):
    '''Looks for the flags in a loop of its own.'''
    def __init__(self, groups):
        if not all("use_muon" in group for group in groups):
            raise ValueError("no flags")
        super().__init__(groups)

class Heir(Flagged):
    '''Leaves it to its base class to look for the flags.'''
    def __init__(self, groups):
        super().__init__(groups)

class Needy(SGD):
    '''Must know how long it will train.'''
    def __init__(self, params, steps, lr=0.1):
        super().__init__(params, lr=lr / steps)

class Slow(Optimizer):
    '''As Lookahead in timm: wraps an instance, which holds the parameters.'''
    def __init__(self, base_optimizer, alpha=0.5):
        self.base = base_optimizer
        self.param_groups, self.defaults = base_optimizer.param_groups, base_optimizer.defaults
        self.state, self.alpha = base_optimizer.state, alpha
        self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks = {}, {}

    def step(self, closure=None):
        return self.base.step()

class Views(SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.view(-1)
        return super().step(closure)

class Around(SGD):
    def __init__(self, params, base_optimizer, lr=0.1, **kwargs):
        super().__init__(params, lr=lr)
        self.base = base_optimizer(self.param_groups, lr=lr, **kwargs)

    def step(self, closure=None):
        return self.base.step()

class Never(SGD):
    def step(self, closure=None):
        raise RuntimeError("not on a Monday")

class Wordless(Exception):
    def __str__(self):
        raise TypeError("no text")

class NeverSaysWhy(SGD):
    def __init__(self, params, lr=0.1):
        raise Wordless

class Attribute(SGD):
    '''Keeps its state in an attribute.'''
    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr)
        self.count = 0
        self.seen = [torch.zeros(1)]

    def step(self, closure=None):
        self.count += 1
        self.seen[0] += 1
        return super().step(closure)

class Odd(SGD):
    '''Keeps what no file of plain values can hold, and what it can after a conversion.'''
    def __init__(self, params, lr=0.05):
        super().__init__(params, lr=lr)
        self.param_groups[0]["scale"] = lambda step: 1.0

    def step(self, closure=None):
        super().step(closure)
        self.param_groups[0]["norm"] = np.float64(1.5)
        self.param_groups[0]["means"] = np.ones(2)
        for p in self.param_groups[0]["params"]:
            self.state[p]["past"] = collections.deque([1, 2])
            self.state[p]["object"] = object()

class Adapted(SGD):
    '''Doubles its own estimate at each step, as D-Adaptation keeps it.'''
    def __init__(self, params, lr=1.0):
        super().__init__(params, lr=lr)
        for group in self.param_groups:
            group.update(d=1e-4, growth_rate=2.0)

    def step(self, closure=None):
        for group in self.param_groups:
            group["d"] *= group["growth_rate"]
        return super().step(closure)

class Deaf(SGD):
    '''Steps by a rate of its own.'''
    def step(self, closure=None):
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = 0.05
        super().step(closure)
        for group, lr in zip(self.param_groups, kept):
            group["lr"] = lr
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "recipes_x.py").write_text(MODULE)
    path = list(sys.path)
    sys.path.append(str(tmp_path))
    yield str(tmp_path)
    sys.path[:] = path
    sys.modules.pop("recipes_x", None)


def own(name: str, **options: Any) -> OptimizerConfig:
    return OptimizerConfig(name=f"recipes_x:{name}", momentum=0.0, options=options)


def make(config: OptimizerConfig, folder: str, lr: float | None = 0.05) -> Trainee:
    return make_trainee(
        make_task(), config, lr=lr, batch_size=10, seed=0, precision="float32", folder=folder
    )


def losses(trainee: Trainee, rates: list[float]) -> list[float]:
    torch.manual_seed(0)
    trainee.model.train()
    found = []
    for lr in rates:
        set_rate(trainee.optimizer, lr)
        trainee.remembered.follow(lr)
        found.append(trainee.step()[0].item())
    return found


SGD = OptimizerConfig(name="sgd", momentum=0.0)
RATES = [0.05] * 4


def test_a_class_is_made_at_its_real_rate(folder: str) -> None:
    """Bit for bit what SGD does at the same rate."""
    for lr in (0.05, 0.3):
        expected = losses(make(SGD, folder), RATES)
        assert losses(make(own("Relative"), folder, lr), [lr] * 4) == expected


def test_each_rate_of_a_sweep_is_that_which_the_class_was_made_with(folder: str) -> None:
    swept = make(own("Relative"), folder, None)
    assert losses(swept, [1e-4, 1e-3, 1e-2, 0.3]) == losses(make(SGD, folder), RATES)
    assert swept.optimizer.made_withs == [0.3, 0.3]  # type: ignore[attr-defined]


def test_ratios_of_groups_hold_in_sweeps_and_policies(folder: str) -> None:
    optimizer = make(own("Groups"), folder, 0.2).optimizer
    for lr in (0.2, 0.7):
        set_rate(optimizer, lr)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0, lr, lr / 10])
        assert rate_now(optimizer) == pytest.approx(lr)
    rate = PolicyRate("triangular", base_lr=0.1, max_lr=0.2, step_size=4.0, total_steps=8)
    scheduler = PolicyScheduler(optimizer, rate)
    for step in range(5):
        lrs = [group["lr"] for group in optimizer.param_groups]
        assert lrs == pytest.approx([0, rate(step), rate(step) / 10])
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Relative", Recipe()),
        ("NeedsTrain", Recipe()),
        ("NeedsClosure", Recipe(stepping="closure")),
        ("WantsClosure", Recipe(stepping="closure")),
        ("Matrices", Recipe("flat matrices")),
        ("Flagged", Recipe("flagged groups")),
        ("FlaggedInALoop", Recipe("flagged groups")),
        ("Heir", Recipe("flagged groups")),
        ("Views", Recipe(contiguous=True)),
        ("Deaf", Recipe(ignores_rate=True)),
    ],
)
def test_what_a_class_needs_is_found_by_trying(folder: str, name: str, expected: Recipe) -> None:
    assert recipe(own(name), folder) == expected
    assert len(losses(make(own(name), folder), RATES)) == 4


@pytest.mark.parametrize("name", ["NeedsTrain", "NeedsClosure", "WantsClosure", "Views"])
def test_whatever_it_needs_it_is_sgd(folder: str, name: str) -> None:
    expected = losses(make(SGD, folder), RATES)
    assert losses(make(own(name), folder), RATES) == pytest.approx(expected, abs=1e-6)


def test_trying_draws_nothing(folder: str) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    recipe(own("WantsClosure"), folder)
    assert torch.equal(torch.rand(1), expected)


def test_an_option_names_the_optimizer_inside(folder: str) -> None:
    optimizer: Any = make(own("Around", base_optimizer="AdamW", weight_decay=0.5), folder).optimizer
    assert type(optimizer.base) is torch.optim.AdamW
    assert optimizer.base.defaults["weight_decay"] == 0.5


def test_an_option_names_the_optimizer_that_is_wrapped(folder: str) -> None:
    config = own("Slow", base_optimizer="adamw", alpha=0.25, weight_decay=0.5)
    optimizer: Any = make(config, folder).optimizer
    assert type(optimizer.base) is torch.optim.AdamW
    assert optimizer.base.param_groups[0]["weight_decay"] == 0.5
    assert (optimizer.alpha, rate_now(optimizer)) == (0.25, 0.05)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (own("Never"), "cannot be used here: RuntimeError: not on a Monday"),
        (own("NeverSaysWhy"), "cannot be made: Wordless"),
        (
            own("Around"),
            "'Around' works on top of another optimizer: name it",
        ),
        (own("Slow"), "'Slow' works on top of another optimizer: name it, as in base_optimizer="),
        (own("Needy"), "'Needy' needs steps: give (steps=...) after its name"),
        (own("Around", base_optimizer="adamx"), "has no optimizer 'adamx'"),
        (OptimizerConfig(name="torch.optim:SparseAdam"), "does not support dense gradients"),
    ],
)
def test_what_cannot_be_used_is_said_before_the_data_is_read(
    folder: str, config: OptimizerConfig, words: str
) -> None:
    with pytest.raises(UserError) as caught:
        try_to_make(config, folder)
    assert words in caught.value.message
    assert caught.value.field == "optimizer"


@pytest.mark.parametrize("config", [own("Attribute"), OptimizerConfig(name="muon", momentum=0.0)])
def test_a_sweep_leaves_attributes_and_inner_optimizers_as_found(
    folder: str, config: OptimizerConfig
) -> None:
    if config.name == "muon" and not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    trainee = make(config, folder)
    losses(trainee, RATES)
    with left_as_found(trainee):
        inside = losses(trainee, RATES)
    assert losses(trainee, RATES) == inside
    if config.name != "muon":
        optimizer: Any = trainee.optimizer
        assert (optimizer.count, optimizer.seen[0].item()) == (8, 8)


def test_the_weights_for_use_are_measured_and_kept(
    folder: str, make_bench: Callable[..., Bench]
) -> None:
    """Twice those in training: as if the model had been doubled by hand."""
    bench = make_bench(job(own("Doubled")), folder=Path(folder))
    run_training(bench.session, job(own("Doubled")))
    (saved,) = (e for e in bench.script.of(CheckpointSaved) if e.reason == "last")  # type: ignore[attr-defined]
    state = checkpoint.load(bench.folder / "checkpoints/last.pt", torch.device("cpu"))
    plain = make_bench(job(SGD), folder=inside(folder, "plain"))
    run_training(plain.session, job(SGD))
    other = checkpoint.load(plain.folder / "checkpoints/last.pt", torch.device("cpu"))
    assert torch.allclose(state["model"]["0.weight"], 2 * other["model"]["0.weight"])
    assert saved.path == "checkpoints/last.pt"  # type: ignore[attr-defined]
    assert bench.script.column("loss") == plain.script.column("loss")


def inside(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.mkdir()
    return path


def job(optimizer: OptimizerConfig) -> Train:
    return Train(base_lr=0.01, max_lr=0.05, policy="constant", epochs=1, optimizer=optimizer)


def test_checkpoints_hold_plain_values_and_say_what_they_lack(
    folder: str, make_bench: Callable[..., Bench]
) -> None:
    config = own("Odd")
    bench = make_bench(job(config), folder=Path(folder))
    assert run_training(bench.session, job(config)).outcome == "done"
    state = torch.load(bench.folder / "checkpoints/last.pt", weights_only=True)
    group = state["optimizer"]["param_groups"][0]
    assert group["norm"] == 1.5
    assert group["means"].tolist() == [1, 1]
    assert state["optimizer"]["state"][0]["past"] == [1, 2]
    assert "optimizer.param_groups[0].scale" in state["left_out"]
    notes = {event.text for event in bench.script.of(Note)}  # type: ignore[attr-defined]
    assert (
        "checkpoints lack optimizer.param_groups.scale and optimizer.state.object: only tensors and"
        " plain values can be kept"
    ) in notes
    fresh = make(config, folder)
    fresh.optimizer.load_state_dict(checkpoint.completed(state["optimizer"], fresh.optimizer))
    assert fresh.optimizer.param_groups[0]["scale"](0) == 1.0


def test_the_rate_in_effect_is_logged_and_a_range_test_says_what_it_means(
    folder: str, make_bench: Callable[..., Bench]
) -> None:
    config = own("Adapted")
    bench = make_bench(job(config), folder=Path(folder))
    run_training(bench.session, job(config))
    expected = [0.05 * 1e-4 * 2 ** (step + 1) for step in range(7)]
    assert bench.script.column("effective_lr") == pytest.approx(expected)
    assert not [e for e in bench.script.of(Note) if "finds its own rate" in e.text]  # type: ignore[attr-defined]
    sweep = RangeTest(steps=5, optimizer=config)
    bench = make_bench(sweep, folder=inside(folder, "sweep"))
    run_range_test(bench.session, sweep)
    (note,) = bench.script.of(Note)
    assert "recipes_x:Adapted finds its own rate, which the rate of this range test multiplies" in (
        note.text  # type: ignore[attr-defined]
    )
    plain = make_bench(job(SGD), folder=inside(folder, "plain"))
    run_training(plain.session, job(SGD))
    assert all(event.effective_lr == [] for event in plain.script.of(Steps))  # type: ignore[attr-defined]


def test_a_rate_without_effect_is_said(folder: str, make_bench: Callable[..., Bench]) -> None:
    sweep = RangeTest(steps=3, optimizer=own("Deaf"))
    bench = make_bench(sweep, folder=Path(folder))
    run_range_test(bench.session, sweep)
    (note,) = bench.script.of(Note)
    assert "recipes_x:Deaf takes the same steps at any rate" in note.text  # type: ignore[attr-defined]


def test_embeddings_are_no_matrices() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))
    made: Any = make_optimizer(OptimizerConfig(name="muon", momentum=0.0), model, 0.02)
    muon, adamw = made.parts
    assert [p.shape for p in muon.param_groups[0]["params"]] == [(3, 4)]
    assert [tuple(p.shape) for p in adamw.param_groups[0]["params"]] == [(5, 4), (3,)]
