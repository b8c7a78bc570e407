"""Every optimizer of torch, and import paths: schedules move it, it can be kept and put back."""

from __future__ import annotations

import copy
import inspect
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from training_bench import make_task

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.settings.optimizer_names import OPTIMIZERS
from clr_tui.engine.training.optimizers import recipes
from clr_tui.engine.training.optimizers.classes import default_lr
from clr_tui.engine.training.optimizers.recipes import make_optimizer
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.schedules import PolicyRate, make_scheduler
from clr_tui.engine.training.trainee import Trainee, make_trainee

NAMES = sorted(OPTIMIZERS.keys() - {"lbfgs", "muon"})
"""Those that are stepped once, over all parameters."""


def torchs(name: str) -> Callable[..., Optimizer]:
    """torch's class, found without what is tested."""
    return next(v for k, v in vars(torch.optim).items() if k.lower() == name)


def made(name: str, **options: Any) -> OptimizerConfig:
    return OptimizerConfig(name=name, momentum=0.0, options=options)


def small_model() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def backward(model: nn.Module, step: int) -> None:
    """Gradients of a batch of its own for each step."""
    generator = torch.Generator().manual_seed(step)
    batch = torch.randn(8, 5, generator=generator)
    model.zero_grad()
    nn.functional.cross_entropy(model(batch), torch.arange(8) % 3).backward()


def train(model: nn.Module, optimizer: Optimizer, rates: list[float] | None = None) -> None:
    for step in range(12):
        if rates:
            optimizer.param_groups[0]["lr"] = rates[step]
        backward(model, step)
        optimizer.step()


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def policy_rate(policy: Any, lr: float) -> PolicyRate:
    return PolicyRate(policy, base_lr=lr / 6, max_lr=lr, step_size=4.0, total_steps=12)


def scheduled(name: str, rate: PolicyRate) -> nn.Module:
    model = small_model()
    optimizer = make_optimizer(made(name), model)
    scheduler = make_scheduler(optimizer, rate)
    for step in range(12):
        backward(model, step)
        optimizer.step()
        scheduler.step()
    return model


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_schedule_is_the_rate_of_the_constructor(name: str) -> None:
    """Bit for bit: no optimizer remembers the placeholder."""
    lr = 0.0123
    plain = small_model()
    train(plain, torchs(name)(plain.parameters(), lr=lr))
    assert not equal(plain, small_model())
    assert equal(scheduled(name, policy_rate("constant", lr)), plain)


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_sets_the_rate_of_each_step(name: str) -> None:
    """Bit for bit as if someone set the rate by hand on torch's own optimizer."""
    rate = policy_rate("triangular", 0.0123)
    rates = [rate(step) for step in range(12)]
    plain = small_model()
    train(plain, torchs(name)(plain.parameters(), lr=rates[0]), rates)
    assert equal(scheduled(name, rate), plain)
    constant = scheduled(name, policy_rate("constant", rates[0]))
    assert equal(constant, plain) == (name == "rprop")


@pytest.mark.parametrize("name", NAMES)
def test_torchs_default_rate(name: str) -> None:
    optimizer = torchs(name)([torch.zeros(1, requires_grad=True)])
    assert default_lr(made(name)) == optimizer.param_groups[0]["lr"]


def test_the_default_rates_of_the_article() -> None:
    rates = {"adagrad": 0.01, "adadelta": 1.0, "rmsprop": 0.01, "adam": 0.001, "adamax": 0.002}
    assert {name: default_lr(made(name)) for name in rates} == rates


def make(name: str) -> Trainee:
    return make_trainee(make_task(), made(name), batch_size=10, seed=0, precision="float32")


def everything(trainee: Trainee) -> list[Tensor]:
    """Weights and the optimizer's state, cloned."""
    state = trainee.optimizer.state_dict()["state"]
    kept = [
        value for key in sorted(state) for value in state[key].values() if isinstance(value, Tensor)
    ]
    return [t.detach().clone() for t in (*trainee.model.state_dict().values(), *kept)]


def steps(trainee: Trainee, lr: float, count: int = 3) -> list[float]:
    trainee.model.train()
    losses = []
    for _ in range(count):
        trainee.optimizer.param_groups[0]["lr"] = lr
        losses.append(trainee.step()[0].item())
    return losses


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("begun", [False, True])
def test_a_sweep_leaves_the_optimizer_as_found(name: str, begun: bool) -> None:
    trainee = make(name)
    if begun:
        steps(trainee, 0.01)
    before = everything(trainee)
    groups = copy.deepcopy(
        [{k: v for k, v in g.items() if k != "params"} for g in trainee.optimizer.param_groups]
    )
    with left_as_found(trainee):
        torch.manual_seed(0)
        inside = steps(trainee, 0.02)
        assert not all(map(torch.equal, before, everything(trainee)))
    after = everything(trainee)
    assert len(before) == len(after)
    assert all(map(torch.equal, before, after))
    assert groups == [
        {k: v for k, v in g.items() if k != "params"} for g in trainee.optimizer.param_groups
    ]
    torch.manual_seed(0)
    assert steps(trainee, 0.02) == inside


@pytest.mark.parametrize("name", NAMES)
def test_its_state_goes_through_a_file_of_plain_values(name: str) -> None:
    one, other = make(name), make(name)
    steps(one, 0.01)
    file = io.BytesIO()
    state = [one.model.state_dict(), one.optimizer.state_dict(), one.batches.state_dict()]
    torch.save(state, file)
    file.seek(0)
    model, optimizer, batches = torch.load(file, weights_only=True)
    other.model.load_state_dict(model)
    other.optimizer.load_state_dict(optimizer)
    other.batches.load_state_dict(batches)
    torch.manual_seed(0)
    expected = steps(one, 0.01)
    torch.manual_seed(0)
    assert steps(other, 0.01) == expected


def test_options_reach_the_class() -> None:
    parameters = nn.ParameterList([nn.Parameter(torch.zeros(2))])
    config = OptimizerConfig(name="adamw", options={"betas": [0, 0.5], "weight_decay": 0.25})
    group = make_optimizer(config, parameters).param_groups[0]
    assert (group["betas"], group["weight_decay"]) == ((0.0, 0.5), 0.25)
    decayed = OptimizerConfig(name="sgd", momentum=0.8, weight_decay=0.125)
    group = make_optimizer(decayed, parameters).param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.8, 0.125)
    # The momentum of the settings is that of sgd alone; a decay of 0 leaves the class its own.
    assert make_optimizer(OptimizerConfig(name="rmsprop"), parameters).defaults["momentum"] == 0
    assert make_optimizer(OptimizerConfig(name="adamw"), parameters).defaults["weight_decay"] > 0


def test_frozen_weights_are_left_out() -> None:
    frozen = nn.Parameter(torch.zeros(2), requires_grad=False)
    free = nn.Parameter(torch.zeros(2))
    (group,) = make_optimizer(made("adam"), nn.ParameterList([frozen, free])).param_groups
    assert group["params"] == [free] or group["params"][0] is free


class OnCuda(nn.Parameter):
    """Says that it lies on a GPU."""

    is_cuda = True


@pytest.mark.parametrize(
    ("name", "options", "fused"),
    [
        ("sgd", {}, True),
        ("adam", {}, True),
        ("adamw", {}, True),
        ("adamw", {"foreach": True}, None),
        ("adamw", {"fused": False}, False),
        ("adagrad", {}, None),
        ("torch.optim:AdamW", {}, True),
    ],
)
def test_optimizers_are_fused_on_cuda(
    name: str, options: dict[str, Any], fused: bool | None
) -> None:
    group = make_optimizer(
        made(name, **options), nn.ParameterList([OnCuda(torch.zeros(2))])
    ).param_groups[0]
    assert group["fused"] is fused


@pytest.mark.parametrize("name", ["adam", "rprop"])
def test_what_torch_refuses_at_last_is_a_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older torch, say, whose class takes less than the table says."""
    monkeypatch.setitem(OPTIMIZERS, name, OPTIMIZERS[name] | {"new"})
    monkeypatch.setattr(recipes, "check_optimizer", lambda config: [])
    message = mistake(made(name, new=1))
    assert message.startswith(f"optimizer '{name}' cannot be made: ")
    assert "unexpected keyword argument 'new'" in message


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("adam", {"betas": [0.9, 1.0]}, "Invalid beta parameter at index 1: 1.0"),
        ("adamw", {"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ("adamw", {"eps": float("nan")}, "Invalid epsilon value: nan"),
        (
            "sgd",
            {"nesterov": True, "momentum": 0.9, "dampening": 0.5},
            "Nesterov momentum requires",
        ),
        ("adam", {"fused": True, "foreach": True}, "cannot be `True` together"),
    ],
)
def test_what_torch_refuses_is_a_sentence(name: str, options: dict[str, Any], words: str) -> None:
    message = mistake(made(name, **options))
    assert message.startswith(f"optimizer '{name}' cannot be made: ")
    assert words in message


def test_a_class_that_an_older_torch_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Adafactor")
    assert mistake(made("adafactor")) == f"torch {torch.__version__} has no optimizer 'adafactor'"


def mistake(config: OptimizerConfig, folder: str = "") -> str:
    with pytest.raises(UserError) as caught:
        make_optimizer(config, nn.ParameterList([nn.Parameter(torch.zeros(2))]), folder=folder)
    assert caught.value.field == "optimizer"
    assert "\n" not in caught.value.message
    return caught.value.message


MODULE = """
from torch.optim import SGD, Optimizer

class Signs(Optimizer):
    def __init__(self, params, lr=0.25, *, power=1.0):
        if power < 0:
            raise ValueError("power must not\\nbe negative")
        super().__init__(params, {"lr": lr, "power": power})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.sub_(p.grad.sign(), alpha=group["lr"] * group["power"])

class NoRate(SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr)

class Rateless(Optimizer):
    def __init__(self, params, lr=None):
        super().__init__(params, {})

def factory(params, lr=0.1):
    return SGD(params, lr)

class Thing:
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    """A folder with modules of someone's own; forgotten afterwards."""
    (tmp_path / "own_optimizers_x").mkdir()
    (tmp_path / "own_optimizers_x" / "good.py").write_text(MODULE)
    (tmp_path / "own_optimizers_x" / "bad.py").write_text("1 +\n")
    (tmp_path / "own_optimizers_x" / "needy.py").write_text("import no_such_module_at_all\n")
    (tmp_path / "own_optimizers_x" / "quits.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "colorsys.py").write_text("raise RuntimeError('the wrong module')\n")
    path, modules = list(sys.path), set(sys.modules)
    yield str(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def own(name: str, **options: Any) -> OptimizerConfig:
    return made(f"own_optimizers_x.{name}", **options)


def test_a_class_of_ones_own(folder: str) -> None:
    parameter = nn.Parameter(torch.tensor([1.0, -1.0]))
    optimizer = make_optimizer(
        own("good:Signs", power=2.0), nn.ParameterList([parameter]), folder=folder
    )
    LambdaLR(optimizer, lambda step: 0.5)
    parameter.grad = torch.tensor([3.0, -4.0])
    optimizer.step()
    assert parameter.tolist() == [0.0, 0.0]
    assert default_lr(own("good:Signs"), folder) == 0.25


def test_installed_modules_come_before_modules_of_the_folder(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert "module 'colorsys' has no 'Signs'" in mistake(made("colorsys:Signs"), folder)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("good:Sings", "module 'own_optimizers_x.good' has no 'Sings'; did you mean 'Signs'?"),
        ("good:Thing", "is not a subclass of torch.optim.Optimizer"),
        ("good:factory", "is not a subclass of torch.optim.Optimizer"),
        ("good:Optimizer", "is not a subclass of torch.optim.Optimizer"),
        ("good:Rateless", "has no lr that can be set"),
        ("better:Signs", "no module 'own_optimizers_x.better' in '"),
        ("bad:Signs", "module 'own_optimizers_x.bad' cannot be imported: SyntaxError"),
        (
            "needy:Signs",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("quits:Signs", "cannot be imported: SystemExit: 3"),
    ],
)
def test_import_paths_that_lead_nowhere(folder: str, name: str, words: str) -> None:
    assert words in mistake(own(name), folder)


def test_no_such_package() -> None:
    message = mistake(made("no_such_package_q.module:Adam"))
    assert message.startswith("no module 'no_such_package_q' in the installed packages of ")


def test_its_constructor_refuses(folder: str) -> None:
    assert mistake(own("good:Signs", power=-1.0), folder) == (
        "optimizer 'own_optimizers_x.good:Signs' cannot be made: "
        "ValueError: power must not be negative"
    )
    assert "unexpected keyword argument 'speed'" in mistake(own("good:Signs", speed=1), folder)


@pytest.mark.parametrize("name", ["good:NoRate", "good:Rateless"])
def test_no_default_rate_asks_for_one(folder: str, name: str) -> None:
    with pytest.raises(UserError, match="has no default rate: give one with lr=") as caught:
        default_lr(own(name), folder)
    assert caught.value.field == "optimizer"


def test_rprop_keeps_the_size_of_its_first_step() -> None:
    """What `ignores_schedule` says: later rates change nothing."""
    assert "step_sizes" in inspect.signature(torch.optim.Rprop.__init__).parameters
    one, other = small_model(), small_model()
    train(one, make_optimizer(made("rprop"), one), [0.01] * 12)
    train(other, make_optimizer(made("rprop"), other), [0.01] + [5.0] * 11)
    assert equal(one, other)


def test_asgd_is_a_step_behind_its_schedule() -> None:
    one, other = small_model(), small_model()
    train(one, make_optimizer(made("asgd"), one), [0.01] * 11 + [5.0])
    train(other, make_optimizer(made("asgd"), other), [0.01] * 12)
    assert equal(one, other)


def test_adafactor_bounds_the_rate_by_the_step() -> None:
    one, other = small_model(), small_model()
    train(one, make_optimizer(made("adafactor"), one), [1.0] * 12)
    train(other, make_optimizer(made("adafactor"), other), [50.0] * 12)
    assert equal(one, other)
