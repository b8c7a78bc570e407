"""The optimizers that can be asked for by name, and the options that each of them takes.

The classes of torch.optim in torch 2.6 to 2.14, known here without importing torch.
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
    "nadam": _ADAM | {"momentum_decay", "decoupled_weight_decay"},
    "radam": _ADAM | {"decoupled_weight_decay"},
    "rmsprop": _ALL | {"alpha", "eps", "weight_decay", "momentum", "centered"},
    "rprop": _ALL | {"etas", "step_sizes"},
    "sgd": _ALL | {"momentum", "dampening", "weight_decay", "nesterov", "fused"},
}
"""Name -> keyword arguments, those of `REFUSED` left out."""
_SWITCHES = frozenset(
    {"amsgrad", "centered", "decoupled_weight_decay", "foreach", "fused", "maximize", "nesterov"}
)
_PAIRS = frozenset({"betas", "etas", "step_sizes"})

UNUSABLE = {
    "lbfgs": "it computes the loss several times a step, and a step of training here does so once",
    "muon": "it updates matrices alone, and convolutions, biases and norms are none",
    "sparseadam": "it takes sparse gradients alone, and those of images are dense",
}
"""Further classes of torch.optim, and why they cannot train here."""

REFUSED = {
    "lr": "the rate is given apart",
    "params": "they are those of the model",
    "differentiable": "nothing here differentiates the update",
    "capturable": "nothing here captures CUDA graphs",
}
"""Keyword arguments that no optimizer is given here, and why."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def check_optimizer(config: OptimizerConfig) -> list[UserError]:
    """The mistakes in an optimizer's name and options, as far as they show without torch.

    Only the form of an import path (`package.module:Class`) is checked. The fields `momentum` and
    `weight_decay` themselves are the caller's to check.
    """
    if ":" in config.name:
        if not _PATH.fullmatch(config.name):
            return [_mistake(f"'{config.name}' is no import path: write package.module:Class")]
        return [*_refused(config)]
    if config.name in UNUSABLE:
        return [_mistake(f"optimizer '{config.name}' cannot be used: {UNUSABLE[config.name]}")]
    if config.name not in OPTIMIZERS:
        return [_unknown(config.name)]
    return [*_refused(config), *_unknown_options(config), *_kinds(config)]


def ignores_schedule(config: OptimizerConfig) -> str:
    """A sentence where no policy and no sweep moves this optimizer's rate; else empty.

    Rprop (Riedmiller & Braun 1993) takes the rate as the size of its very first step, and from
    then on adapts the size of each weight's step by the signs of its gradients.
    """
    if config.name != "rprop":
        return ""
    return "rprop takes its rate as the size of its first step alone: no schedule moves it later"


def _unknown(name: str) -> UserError:
    if "." in name:
        return _mistake(f"no optimizer '{name}': an import path is written package.module:Class")
    return limits.choice(FIELD, name, list(OPTIMIZERS))


def _refused(config: OptimizerConfig) -> Iterator[UserError]:
    for option in config.options:
        if option in REFUSED:
            yield _mistake(f"'{option}' is no option of '{config.name}' here: {REFUSED[option]}")


def _unknown_options(config: OptimizerConfig) -> Iterator[UserError]:
    taken = OPTIMIZERS[config.name]
    given = [*config.options, *(["weight_decay"] if config.weight_decay else [])]
    for option in dict.fromkeys(given):
        if option not in taken and option not in REFUSED:
            hint = did_you_mean(option, sorted(taken)) or f": it takes {', '.join(sorted(taken))}"
            yield _mistake(f"optimizer '{config.name}' takes no '{option}'{hint}")


def _kinds(config: OptimizerConfig) -> Iterator[UserError]:
    """Values of the wrong kind, such as one number for both betas. Limits are left to torch."""
    for option, value in config.options.items():
        if option not in OPTIMIZERS[config.name]:
            continue
        if option in _SWITCHES:
            fits, words = value is None or isinstance(value, bool), "True or False"
        elif option in _PAIRS or (config.name, option) == ("adafactor", "eps"):
            fits, words = isinstance(value, (list, tuple)) and len(value) == 2, "two numbers"
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
