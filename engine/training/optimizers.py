"""Making optimizers by name or import path."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.optim import ASGD, SGD, Adam, AdamW, Optimizer

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.config import OptimizerConfig, RunConfig
from clr_tui.engine.settings.optimizer_names import FIELD, check_optimizer

_FUSED = (SGD, Adam, AdamW)
"""Their fused kernels run on CUDA from torch 2.6 on; Adagrad's only in later releases."""


def try_optimizer(config: RunConfig) -> None:
    """Makes a job's optimizer once, to find mistakes early: UserError (field "optimizer")."""
    job: Any = config.job
    try_to_make(job.optimizer, config.folder)


def try_to_make(config: OptimizerConfig, folder: str = "") -> None:
    """Makes an optimizer over a dummy parameter; raises what `make_optimizer` raises."""
    make_optimizer(config, [nn.Parameter(torch.zeros(2, 2))], folder)


def make_optimizer(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter], folder: str = ""
) -> Optimizer:
    """Makes an optimizer over those `parameters` that require a gradient.

    Its learning rate is a placeholder: a schedule or a sweep sets the rate before each step, and no
    optimizer of torch remembers its initial rate. On CUDA the update is one fused kernel if there
    is one and the options allow it. No update waits for the device, except that of `adafactor`,
    which waits for each parameter.

    Optimizers use the rate differently. `rprop` uses that of the first step as the size of this
    step, and ignores later ones. `asgd` makes step i + 1 with the rate of step i. `adafactor`
    (torch's) makes step t, from 1, at no more than 1 / sqrt(t).

    Args:
        folder: an additional folder to import modules from.

    Raises:
        UserError: there is no such class, or it cannot be made with these options (field
            "optimizer").
    """
    mistakes = check_optimizer(config)
    if mistakes:
        raise mistakes[0]
    trainable = [p for p in parameters if p.requires_grad]
    optimizer_class: Any = _class(config.name, folder)
    options = _options(config)
    if trainable[0].is_cuda:
        if optimizer_class in _FUSED and not options.keys() & _KINDS:
            options["fused"] = True
        if optimizer_class is ASGD:  # else it waits for the device several times a parameter
            options.setdefault("capturable", True)
    try:
        optimizer: Optimizer = optimizer_class(trainable, lr=1.0, **options)
    except Exception as error:  # classes from anywhere may raise anything
        raise _mistake(f"optimizer '{config.name}' cannot be made: {_error_line(error)}") from error
    if not all("lr" in group for group in optimizer.param_groups):
        raise _mistake(f"optimizer '{config.name}' has no lr that can be set at each step")
    return optimizer


def default_lr(config: OptimizerConfig, folder: str = "") -> float:
    """The default learning rate of the optimizer's class.

    Raises:
        UserError: it has none, or there is no such class (field "optimizer").
    """
    signature = inspect.signature(_class(config.name, folder).__init__)
    lr = signature.parameters["lr"].default if "lr" in signature.parameters else None
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not lr > 0:
        raise _mistake(f"optimizer '{config.name}' has no default rate: give one with lr=")
    return float(lr)


_KINDS = frozenset({"fused", "foreach"})


def _options(config: OptimizerConfig) -> dict[str, Any]:
    options: dict[str, Any] = {"momentum": config.momentum} if config.name == "sgd" else {}
    if config.weight_decay:
        options["weight_decay"] = config.weight_decay
    for name, value in config.options.items():
        # JSON has only lists, and writes 0.0 as 0; torch requires tuples of floats.
        if isinstance(value, (list, tuple)):
            options[name] = tuple(one if one is None else float(one) for one in value)
        else:
            options[name] = value
    return options


def _class(name: str, folder: str) -> type[Optimizer]:
    if ":" in name:
        return _from_path(name, folder)
    for candidate in vars(torch.optim).values():
        if _is_optimizer(candidate) and candidate.__name__.lower() == name:
            return candidate  # type: ignore[no-any-return]
    raise _mistake(f"torch {torch.__version__} has no optimizer '{name}'")


def _from_path(path: str, folder: str) -> type[Optimizer]:
    module_name, _, class_name = path.partition(":")
    module = _module(module_name, folder)
    found: Any = getattr(module, class_name, None)
    if found is None:
        near = did_you_mean(class_name, [n for n, v in vars(module).items() if _is_optimizer(v)])
        raise _mistake(f"module '{module_name}' has no '{class_name}'{near}")
    if not _is_optimizer(found):
        raise _mistake(f"'{path}' is not a subclass of torch.optim.Optimizer")
    return found  # type: ignore[no-any-return]


def _is_optimizer(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Optimizer) and value is not Optimizer


def _module(name: str, folder: str) -> ModuleType:
    # Last: a file there must not shadow an installed package of the same name.
    if folder and folder not in sys.path:
        sys.path.append(folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _mistake(f"module '{name}' cannot be imported: {_error_line(error)}") from error
        where = f"'{folder}' and " if folder else ""
        raise _mistake(
            f"no module '{error.name}' in {where}the installed packages of {sys.executable}"
        ) from error
    # A user's module may raise anything, or even exit.
    except (Exception, SystemExit) as error:
        raise _mistake(f"module '{name}' cannot be imported: {_error_line(error)}") from error


def _error_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _mistake(message: str) -> UserError:
    return UserError(message, FIELD)
