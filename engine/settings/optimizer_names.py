"""The optimizers that can be chosen by name and the options that each takes.

The classes of torch.optim in torch 2.6 to 2.14, listed here to avoid importing torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.config import OptimizerConfig

FIELD = "optimizer"

_ALL = frozenset({"foreach", "maximize"})
_ADAM = _ALL | {"betas", "eps", "weight_decay"}
OPTIMIZERS: dict[str, frozenset[str]] = {
    "adadelta": _ALL | {"rho", "eps", "weight_decay"},
    "adafactor": _ALL | {"beta2_decay", "eps", "d", "weight_decay"},
    "adagrad": _ALL | {"lr_decay", "weight_decay", "initial_accumulator_value", "eps", "fused"},
    "adam": _ADAM | {"amsgrad", "fused", "decoupled_weight_decay"},
    "adamw": _ADAM | {"amsgrad", "fused"},
    "adamax": _ADAM,
    "asgd": _ALL | {"lambd", "alpha", "t0", "weight_decay"},
    "lbfgs": frozenset(
        {
            "max_iter",
            "max_eval",
            "tolerance_grad",
            "tolerance_change",
            "history_size",
            "line_search_fn",
            "maximize",
        }
    ),
    "muon": frozenset(
        {
            "weight_decay",
            "momentum",
            "nesterov",
            "ns_coefficients",
            "eps",
            "ns_steps",
            "adjust_lr_fn",
            *(f"adamw_{name}" for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")),
        }
    ),
    "nadam": _ADAM | {"momentum_decay", "decoupled_weight_decay"},
    "radam": _ADAM | {"decoupled_weight_decay"},
    "rmsprop": _ALL | {"alpha", "eps", "weight_decay", "momentum", "centered"},
    "rprop": _ALL | {"etas", "step_sizes"},
    "sgd": _ALL | {"momentum", "dampening", "weight_decay", "nesterov", "fused"},
}
"""Name -> keyword arguments, without those in `REFUSED`.

Of `muon`, those that begin with `adamw_` are for the parameters that are no matrices.
"""
_SWITCHES = frozenset(
    {
        "adamw_amsgrad",
        "amsgrad",
        "centered",
        "decoupled_weight_decay",
        "foreach",
        "fused",
        "maximize",
        "nesterov",
    }
)
_PAIRS = frozenset({"betas", "adamw_betas", "etas", "step_sizes"})
_WORDS = {"line_search_fn", "adjust_lr_fn"}
"""Options that are words; torch checks which."""

UNUSABLE = {
    "sparseadam": "it only takes sparse gradients, but those of most layers are dense",
}
"""Other classes of torch.optim, and why they cannot be used here."""

REFUSED = {
    "lr": "the rate is a separate setting",
    "params": "they are the model's parameters",
    "differentiable": "nothing here differentiates the update",
    "capturable": "nothing here captures CUDA graphs",
}
"""Keyword arguments that cannot be set here, and why."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def check_optimizer(config: OptimizerConfig) -> list[UserError]:
    """The mistakes in an optimizer's name and options that can be found without torch.

    Of an import path (`package.module:Class`) only the form is checked. Checking the fields
    `momentum` and `weight_decay` is up to the caller.
    """
    if ":" in config.name:
        if not _PATH.fullmatch(config.name):
            return [_mistake(f"'{config.name}' is not an import path: write package.module:Class")]
        return [*_refused(config)]
    if config.name in UNUSABLE:
        return [_mistake(f"optimizer '{config.name}' cannot be used: {UNUSABLE[config.name]}")]
    if "." in config.name:
        path = "write an import path as package.module:Class"
        return [_mistake(f"no optimizer '{config.name}': {path}")]
    if config.name not in OPTIMIZERS:
        mistake = limits.choice_mistake(FIELD, config.name, list(OPTIMIZERS))
        return [_mistake(f"{mistake.message}, or package.module:Class")]
    return [*_refused(config), *_unknown_options(config), *_kinds(config)]


def ignores_schedule(config: OptimizerConfig) -> str:
    """A sentence if no policy or sweep can change this optimizer's rate; else empty.

    Rprop (Riedmiller & Braun 1993) uses the rate as the size of its first step, and from then on
    adapts the step size of each weight by the signs of its gradients.
    """
    if config.name != "rprop":
        return ""
    return "rprop uses its rate only as the size of its first step, so a schedule has no effect"


def _refused(config: OptimizerConfig) -> Iterator[UserError]:
    for option in config.options:
        if option in REFUSED:
            yield _mistake(f"'{option}' of '{config.name}' cannot be set here: {REFUSED[option]}")


def _unknown_options(config: OptimizerConfig) -> Iterator[UserError]:
    taken = OPTIMIZERS[config.name]
    given = [*config.options, *(["weight_decay"] if config.weight_decay else [])]
    for option in dict.fromkeys(given):
        if option not in taken and option not in REFUSED:
            hint = did_you_mean(option, sorted(taken)) or f": it takes {', '.join(sorted(taken))}"
            yield _mistake(f"optimizer '{config.name}' takes no '{option}'{hint}")


def _kinds(config: OptimizerConfig) -> Iterator[UserError]:
    """Values of the wrong type, such as one number for both betas. Torch checks their limits."""
    for option, value in config.options.items():
        if option not in OPTIMIZERS[config.name]:
            continue
        if option in _SWITCHES:
            fits, words = value is None or isinstance(value, bool), "True or False"
        elif option in _PAIRS or (config.name, option) == ("adafactor", "eps"):
            fits, words = isinstance(value, (list, tuple)) and len(value) == 2, "two numbers"
        elif option == "ns_coefficients":
            fits, words = isinstance(value, (list, tuple)) and len(value) == 3, "three numbers"
        elif option in _WORDS:
            fits, words = value is None or isinstance(value, str), "a quoted word or None"
        elif option == "max_eval" and value is None:
            continue
        else:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
            words = "a number"
        if not fits:
            yield _mistake(f"{option} of '{config.name}' must be {words}, not {value!r}")
    if config.options.get("nesterov") is True and not config.options.get(
        "momentum", config.momentum
    ):
        yield _mistake(f"nesterov=True of '{config.name}' needs a momentum above 0")


def _mistake(message: str) -> UserError:
    return UserError(message, FIELD)
