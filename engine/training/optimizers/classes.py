"""Finding the class of an optimizer by its name or import path."""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType
from typing import Any

import torch
from torch.optim import Optimizer

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.settings.optimizer_names import FIELD
from clr_tui.engine.user_frames import in_one_line


def optimizer_class(name: str, folder: str = "") -> type[Optimizer]:
    """The class that `name` means: one of torch.optim in lower case, or `package.module:Class`.

    Args:
        folder: an additional folder to import modules from.

    Raises:
        UserError: there is no such class (field "optimizer").
    """
    if ":" in name:
        return _from_path(name, folder)
    for candidate in vars(torch.optim).values():
        if _is_optimizer(candidate) and candidate.__name__.lower() == name:
            return candidate  # type: ignore[no-any-return]
    raise mistake(f"torch {torch.__version__} has no optimizer '{name}'")


def default_lr(config: OptimizerConfig, folder: str = "") -> float:
    """The default learning rate of the optimizer's class.

    Raises:
        UserError: it has none, or there is no such class (field "optimizer").
    """
    lr = class_rate(optimizer_class(config.name, folder))
    if lr is None:
        raise mistake(f"optimizer '{config.name}' has no default rate: give one with lr=")
    return lr


def class_rate(made: type[Optimizer]) -> float | None:
    """The default of a constructor's `lr`; None if it has none."""
    parameters = inspect.signature(made.__init__).parameters
    lr = parameters["lr"].default if "lr" in parameters else None
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not lr > 0:
        return None
    return float(lr)


def mistake(message: str) -> UserError:
    """An error in the field of the optimizer."""
    return UserError(message, FIELD)


def _from_path(path: str, folder: str) -> type[Optimizer]:
    module_name, _, class_name = path.partition(":")
    module = _module(module_name, folder)
    found: Any = getattr(module, class_name, None)
    if found is None:
        near = did_you_mean(class_name, [n for n, v in vars(module).items() if _is_optimizer(v)])
        raise mistake(f"module '{module_name}' has no '{class_name}'{near}")
    if not _is_optimizer(found):
        raise mistake(f"'{path}' is not a subclass of torch.optim.Optimizer")
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
            raise mistake(f"module '{name}' cannot be imported: {in_one_line(error)}") from error
        where = f"'{folder}' and " if folder else ""
        raise mistake(
            f"no module '{error.name}' in {where}the installed packages of {sys.executable}"
        ) from error
    # A user's module may raise anything, or even exit.
    except (Exception, SystemExit) as error:
        raise mistake(f"module '{name}' cannot be imported: {in_one_line(error)}") from error
