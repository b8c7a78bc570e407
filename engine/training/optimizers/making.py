"""Making an optimizer over a model's parameters, at its real rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Literal

from torch import nn
from torch.optim import ASGD, SGD, Adam, AdamW, Optimizer

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.training.optimizers.classes import mistake, optimizer_class
from clr_tui.engine.training.optimizers.matrices import (
    ADAMW_SHARE,
    MatricesAndAdamW,
    flagged_groups,
    split,
)
from clr_tui.engine.words import listed

_FUSED = (SGD, Adam, AdamW)
"""Their fused kernels run on CUDA from torch 2.6 on; Adagrad's only in later releases."""
_KINDS = frozenset({"fused", "foreach"})
ADAMW = "adamw_"
"""The prefix of options for the parameters that are not matrices."""
_WRAPPED = "optimizer"
_BASE = "base_optimizer"
"""Names of constructor parameters for a wrapped optimizer: an instance, or its class. `_BASE` is an
instance if the constructor takes no parameters."""
_PARAMETERS = "params"

Form = Literal["parameters", "flagged groups", "matrices", "flat matrices"]
"""The parameters that a class is given: all; two groups with `use_muon`; or only the matrices, with
kernels of convolutions as they are or flattened, while AdamW trains the rest."""
_FLAG = "use_muon"
Groups = list[dict[str, Any]]
"""Parameter groups, as torch's optimizers take them."""


def forms(found: type[Optimizer]) -> tuple[Form, ...]:
    """The forms to try, the likeliest first; flagged groups if a constructor looks for flags."""
    usual: tuple[Form, ...] = ("parameters", "matrices", "flat matrices")
    made_by = [vars(one).get("__init__") for one in found.__mro__]  # or by that of a base class
    codes = [one.__code__ for one in made_by if isinstance(one, FunctionType)]
    return ("flagged groups", *usual) if any(_mentions(one, _FLAG) for one in codes) else usual


def _mentions(code: CodeType, text: str) -> bool:
    """Whether `text` is a constant of the code or of a loop within it."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return text in code.co_consts or any(_mentions(one, text) for one in inner)


def construct(
    config: OptimizerConfig,
    model: nn.Module,
    lr: float,
    form: Form,
    folder: str = "",
    groups: Groups | None = None,
) -> Optimizer:
    """Makes an optimizer over those parameters of `model` that require a gradient, at rate `lr`.

    On CUDA the update is one fused kernel if there is one and the options allow it.

    Raises:
        UserError: there is no such class (field "optimizer").
        Exception: whatever its constructor raises.
    """
    found = optimizer_class(config.name, folder)
    options = _options(config)
    trainable = [p for p in model.parameters() if p.requires_grad]
    if form == "parameters":
        every = scaled(groups, lr) if groups else trainable
        return _over(found, every, options, model, lr, folder)
    if groups:
        raise mistake(f"'{config.name}' groups the parameters itself: leave out those of the task")
    rest = {k.removeprefix(ADAMW): v for k, v in options.items() if k.startswith(ADAMW)}
    own = {k: v for k, v in options.items() if not k.startswith(ADAMW)}
    matrices, others = split(model)
    if form == "flagged groups":
        return _flagged(found, flagged_groups(matrices, others, lr), options, lr)
    if not matrices:
        raise ValueError("the model has no matrices")

    def make(parameters: list[nn.Parameter]) -> Optimizer:
        return _over(found, parameters, own, model, lr, folder)

    adamw = _fast(AdamW, {"lr": ADAMW_SHARE * lr, **rest}, trainable)
    return MatricesAndAdamW(matrices, others, make, flat=form == "flat matrices", adamw=adamw)


def scaled(groups: Groups, lr: float) -> Groups:
    """Groups whose rates are factors, relative to the first that has one, at the rate `lr`."""
    first = next((group["lr"] for group in groups if "lr" in group), 1.0)
    return [{**group, "lr": lr * group.get("lr", first) / first} for group in groups]


def _over(
    found: type[Optimizer],
    parameters: list[nn.Parameter] | Groups,
    options: dict[str, Any],
    model: nn.Module,
    lr: float,
    folder: str,
) -> Optimizer:
    """Calls the constructor with what its parameters ask for, by their names."""
    taken = inspect.signature(found).parameters
    arguments: dict[str, Any] = dict(options)
    wrapped = _BASE if _BASE in taken and _PARAMETERS not in taken else _WRAPPED
    if wrapped in taken:
        return _around(found, wrapped, parameters, arguments, lr, folder)
    if isinstance(arguments.get(_BASE), str):
        arguments[_BASE] = optimizer_class(_name(arguments[_BASE]), folder)
    if _needs(found, _BASE) and _BASE not in arguments:
        raise mistake(_lacks_base(found, _BASE))
    if "model" in taken:
        arguments["model"] = model
    arguments = _fast(found, arguments, parameters)
    every: Any = parameters
    grouped = bool(parameters) and isinstance(parameters[0], dict)
    if "lr" in taken or any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        arguments["lr"] = lr
    elif not grouped:
        every = [{"params": parameters, "lr": lr}]
    place = _PARAMETERS if _PARAMETERS in taken else next(iter(taken))
    if place != "model":
        arguments[place] = every
    if lacking := [name for name in taken if _needs(found, name) and name not in arguments]:
        given = ", ".join(f"{name}=..." for name in lacking)
        said = f"'{found.__name__}' needs {listed(lacking)}: give ({given}) after its name"
        raise mistake(said)
    make: Callable[..., Optimizer] = found
    return make(**arguments)


def _around(
    found: type[Optimizer],
    place: str,
    parameters: list[nn.Parameter] | Groups,
    arguments: dict[str, Any],
    lr: float,
    folder: str,
) -> Optimizer:
    """An optimizer that wraps another, such as Lookahead, and passes unknown options to it.

    Args:
        place: the name of the parameter for the other one.
    """
    wrapped = arguments.pop(place, None)
    if not isinstance(wrapped, str):
        raise mistake(_lacks_base(found, place))
    taken = inspect.signature(found).parameters
    own = {name: value for name, value in arguments.items() if name in taken}
    others = {name: value for name, value in arguments.items() if name not in taken}
    inner: Callable[..., Optimizer] = optimizer_class(_name(wrapped), folder)
    made: Callable[..., Optimizer] = found
    return made(**{place: inner(parameters, lr=lr, **others)}, **own)


def _flagged(
    found: type[Optimizer], groups: list[dict[str, Any]], options: dict[str, Any], lr: float
) -> Optimizer:
    """Passes options that the constructor takes to it, and the others to the groups."""
    taken = inspect.signature(found).parameters
    arguments = {name: value for name, value in options.items() if name in taken}
    if "lr" in taken:
        arguments["lr"] = lr
    for name, value in options.items():
        if name not in taken:
            matrices = not name.startswith(ADAMW)
            for group in groups:
                if group["use_muon"] is matrices:
                    group[name.removeprefix(ADAMW)] = value
    make: Callable[..., Optimizer] = found
    return make(groups, **arguments)


def _needs(found: type[Optimizer], name: str) -> bool:
    parameter = inspect.signature(found).parameters.get(name)
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return (
        parameter is not None
        and parameter.default is inspect.Parameter.empty
        and parameter.kind not in several
    )


def _lacks_base(found: type[Optimizer], name: str) -> str:
    return f"'{found.__name__}' works on top of another optimizer: name it, as in {name}='sgd'"


def _name(name: str) -> str:
    return name if ":" in name else name.lower()


def _fast(
    found: type[Optimizer], options: dict[str, Any], parameters: list[nn.Parameter] | Groups
) -> dict[str, Any]:
    """`options` with those that make torch's own classes fast on CUDA."""
    first: Any = next(iter(parameters), None)
    first = first["params"][0] if isinstance(first, dict) else first
    if first is None or not first.is_cuda:
        return options
    if found in _FUSED and not options.keys() & _KINDS:
        return {**options, "fused": True}
    if found is ASGD:  # else it waits for the device several times a parameter
        return {"capturable": True, **options}
    return options


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
