"""How to make and step an optimizer, found by trying it on a model of a few weights.

Signatures do not say whether a class takes vectors, needs a closure, or wants gradients that can be
differentiated; its first step does. Trying also finds what cannot be used before any data is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig, RunConfig
from clr_tui.engine.settings.optimizer_names import OPTIMIZERS, check_optimizer
from clr_tui.engine.training.optimizers.classes import class_rate, mistake, optimizer_class
from clr_tui.engine.training.optimizers.making import Form, Groups, construct, forms
from clr_tui.engine.training.optimizers.matrices import MATRIX_RATE
from clr_tui.engine.training.optimizers.modes import set_mode
from clr_tui.engine.training.optimizers.rates import (
    RememberedRate,
    note_ratios,
    remembered_rate,
    set_rate,
)
from clr_tui.engine.training.optimizers.stepping import Stepping, steppings, take_step
from clr_tui.engine.training.randomness import global_state, set_global_state
from clr_tui.engine.user_frames import in_one_line

_STEPS = 3
PLAIN = OPTIMIZERS.keys() - {"lbfgs", "muon"}
"""Classes of torch that are made over all parameters and stepped once."""


@dataclass(frozen=True)
class Recipe:
    """How a class is made and stepped."""

    form: Form = "parameters"
    stepping: Stepping = "once"
    contiguous: bool = False
    """Whether it views parameters or gradients as vectors, which those of kernels that lie
    channels last cannot be."""
    ignores_rate: bool = False
    """Whether its steps are the same at any rate, as for Adafactor with relative steps."""

    def arrange(self, model: nn.Module) -> None:
        """Lays the weights of `model` out as the class needs them."""
        if self.contiguous:
            model.to(memory_format=torch.contiguous_format)


def try_optimizer(config: RunConfig) -> None:
    """Makes and steps a job's optimizer, to find mistakes early: UserError (field "optimizer")."""
    job: Any = config.job
    try_to_make(job.optimizer, config.folder)


def try_to_make(config: OptimizerConfig, folder: str = "") -> None:
    """Makes an optimizer over a few weights; raises what `make_optimizer` raises."""
    with _no_trace():
        make_optimizer(config, _few_weights(), None, folder)


def make_optimizer(
    config: OptimizerConfig,
    model: nn.Module,
    lr: float | None = None,
    folder: str = "",
    *,
    groups: Groups | None = None,
) -> Optimizer:
    """Makes an optimizer over those parameters of `model` that require a gradient.

    It is made at its real rate, as some classes read their rate only in the constructor. For
    the same reason a policy's optimizer is made at the upper bound, and that of a sweep at the
    class's own rate. `set_rate` and schedules change the rate, keeping the ratios of groups.

    No update of torch's own optimizers waits for the device, except that of `adafactor`, which
    waits for each parameter, and of `lbfgs`.

    Optimizers use the rate differently. `rprop` uses that of the first step as the size of this
    step, and ignores later ones. `asgd` makes step i + 1 with the rate of step i. `adafactor`
    (torch's) makes step t, from 1, at no more than 1 / sqrt(t).

    Args:
        lr: the rate; None for the class's own.
        folder: an additional folder to import modules from.
        groups: parameter groups to use instead of one; their rates are factors of `lr`.

    Raises:
        UserError: there is no such class, or it cannot be made with these options, or not used
            here (field "optimizer").
    """
    found = recipe(config, folder)
    rate = own_rate(config, folder) if lr is None else lr
    try:
        optimizer = construct(config, model, rate, found.form, folder, groups)
    except UserError:
        raise
    except Exception as error:  # classes from anywhere may raise anything
        message = f"optimizer '{config.name}' cannot be made: {in_one_line(error)}"
        raise mistake(message) from error
    if not all("lr" in group for group in optimizer.param_groups):
        raise mistake(f"optimizer '{config.name}' has no lr that can be set at each step")
    note_ratios(optimizer, rate)
    set_mode(optimizer, "train")
    return optimizer


def own_rate(config: OptimizerConfig, folder: str = "") -> float:
    """The rate of a class if none is given: its default, or that of Muon's examples."""
    return class_rate(optimizer_class(config.name, folder)) or MATRIX_RATE


def remembers(
    config: OptimizerConfig,
    optimizer: Optimizer,
    model: nn.Module,
    folder: str = "",
    groups: Groups | None = None,
) -> RememberedRate:
    """The copies of its rate in `optimizer`, made by `make_optimizer` at the class's own rate."""
    if ":" not in config.name:  # none of torch's
        return RememberedRate()
    rate = own_rate(config, folder)
    with _no_trace():
        twin = construct(config, model, 2 * rate, recipe(config, folder).form, folder, groups)
    return remembered_rate(optimizer, rate, twin, 2 * rate)


def recipe(config: OptimizerConfig, folder: str = "") -> Recipe:
    """How the class is made and stepped; tried once per process.

    Raises:
        UserError: as `make_optimizer`.
    """
    mistakes = check_optimizer(config)
    if mistakes:
        raise mistakes[0]
    if config.name in PLAIN:
        return Recipe()
    key = (msgspec.json.encode(config), folder)
    if key not in _FOUND:
        with _no_trace():
            _FOUND[key] = _search(config, folder)
    return _FOUND[key]


_FOUND: dict[tuple[bytes, str], Recipe] = {}


def _search(config: OptimizerConfig, folder: str) -> Recipe:
    first: UserError | None = None
    found = optimizer_class(config.name, folder)
    for form in forms(found):
        for stepping in steppings(found) if form == "parameters" else ("once",):
            for contiguous in (False, True):
                candidate = Recipe(form, stepping, contiguous)
                error = _failure(candidate, config, folder)
                if error is None:
                    ignores = _ignores_rate(candidate, config, folder)
                    return replace(candidate, ignores_rate=ignores)
                first = first or error
    assert first is not None
    raise first


def _failure(candidate: Recipe, config: OptimizerConfig, folder: str) -> UserError | None:
    """Why an optimizer cannot be made or stepped in this way."""
    rate = own_rate(config, folder)
    model = _few_weights()
    candidate.arrange(model)
    said = "made"
    try:
        optimizer = construct(config, model, rate, candidate.form, folder)
        said = "used here"
        _train(model, optimizer, candidate.stepping, rate, rate)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - classes from anywhere may raise anything
        return mistake(f"optimizer '{config.name}' cannot be {said}: {in_one_line(error)}")
    return None


def _ignores_rate(candidate: Recipe, config: OptimizerConfig, folder: str) -> bool:
    """Whether it moves the weights, and equally at another rate and another constructor's rate.

    An optimizer that moves nothing in its first steps proves nothing.
    """
    rate = own_rate(config, folder)
    weights = [list(_few_weights().parameters())]
    for made_with, run_at in ((rate, rate), (rate / 2, rate / 6)):
        model = _few_weights()
        candidate.arrange(model)
        try:
            optimizer = construct(config, model, made_with, candidate.form, folder)
            _train(model, optimizer, candidate.stepping, made_with, run_at)
        except Exception:  # noqa: BLE001 - it refuses the other rate, so it reads it
            return False
        weights.append(list(model.parameters()))
    start, one, other = weights
    return all(map(torch.equal, one, other)) and not all(map(torch.equal, start, one))


def _train(
    model: nn.Module, optimizer: Optimizer, stepping: Stepping, made_with: float, lr: float
) -> None:
    """A few steps at rate `lr` as a training makes them, of an optimizer made with another."""
    if not all("lr" in group for group in optimizer.param_groups):
        return  # `make_optimizer` says so
    note_ratios(optimizer, made_with)
    set_mode(optimizer, "train")
    scheduler = LambdaLR(optimizer, lambda step: lr)
    inputs = torch.randn(6, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(6) % 3

    def gradients(*, graph: bool = False, again: bool = False) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = nn.functional.cross_entropy(model(inputs), targets)
            loss.backward(create_graph=graph)  # type: ignore[no-untyped-call]
        return loss

    model.train()
    for _ in range(_STEPS):
        take_step(optimizer, stepping, gradients)
        scheduler.step()
    set_mode(optimizer, "eval")
    set_mode(optimizer, "train")
    set_rate(optimizer, lr)


def _few_weights() -> nn.Module:
    """A model with a parameter of each usual shape, laid out as models of images are.

    Always with the same weights; `_no_trace` restores the generator.
    """
    torch.default_generator.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
    )
    return model.to(memory_format=torch.channels_last)


@contextmanager
def _no_trace() -> Iterator[None]:
    """Restores the global generators, so that trying changes no curve."""
    cpu = torch.device("cpu")
    state = global_state(cpu)
    try:
        yield
    finally:
        set_global_state(state, cpu)
