"""The optimizers that can be asked for by name, and the options that each of them takes.

The classes of torch.optim in torch 2.6 to 2.14, known here without importing torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.config import OptimizerConfig, Option

FIELD = "optimizer"
ARTICLE = ("adagrad", "adadelta", "rmsprop", "adam", "adamax", "sgd+clr")
"""The six that the article compares, each as an entry of a comparison."""

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

    Of an import path (`package.module:Class`) no more than its form can be told. The fields
    `momentum` and `weight_decay` themselves are for the caller to look at.
    """
    if ":" in config.name:
        if not _PATH.fullmatch(config.name):
            return [_mistake(f"'{config.name}' is no import path: write package.module:Class")]
        return [*_refused(config)]
    if config.name in UNUSABLE:
        return [_mistake(f"optimizer '{config.name}' cannot be used: {UNUSABLE[config.name]}")]
    if config.name not in OPTIMIZERS:
        return [_unknown(config.name)]
    return [*_refused(config), *_unknown_options(config), *_values(config), *_together(config)]


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


def _values(config: OptimizerConfig) -> Iterator[UserError]:
    for option, value in config.options.items():
        if option not in OPTIMIZERS[config.name]:
            continue
        fits, words = _EXCEPTIONS.get((config.name, option)) or _RULES[option]
        if not fits(value):
            yield _mistake(f"{option} of '{config.name}' must be {words}, not {value!r}")


def _together(config: OptimizerConfig) -> Iterator[UserError]:
    options = config.options
    momentum = options.get("momentum", config.momentum)
    if options.get("nesterov") is True and (not momentum or options.get("dampening")):
        yield _mistake("nesterov=True of 'sgd' needs a momentum above 0, and dampening 0")
    if options.get("fused") is True and options.get("foreach") is True:
        yield _mistake(f"fused and foreach of '{config.name}' cannot both be True")


def _mistake(message: str) -> UserError:
    return UserError(message, FIELD)


def _number(value: Option) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _is(test: Callable[[float], bool]) -> Callable[[Option], bool]:
    def fits(value: Option) -> bool:
        number = _number(value)
        return number is not None and test(number)

    return fits


def _are(test: Callable[[float, float], bool]) -> Callable[[Option], bool]:
    def fits(value: Option) -> bool:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            return False
        one, other = _number(value[0]), _number(value[1])
        return one is not None and other is not None and test(one, other)

    return fits


_Rule = tuple[Callable[[Option], bool], str]
_SHARE: _Rule = (_is(lambda x: 0 <= x < 1), "a number from 0 to below 1")
_FROM_0: _Rule = (_is(lambda x: x >= 0), "a number of 0 or above")
_SWITCH: _Rule = (lambda value: isinstance(value, bool), "True or False")
_CHOICE: _Rule = (lambda value: value is None or isinstance(value, bool), "True, False or None")
_RULES: dict[str, _Rule] = {
    "alpha": _SHARE,
    "momentum": _SHARE,
    "rho": _SHARE,
    "betas": (
        _are(lambda a, b: 0 <= a < 1 and 0 <= b < 1),
        "two numbers, each from 0 to below 1",
    ),
    "etas": (
        _are(lambda a, b: 0 < a < 1 < b),
        "two numbers, the first between 0 and 1, the second above 1",
    ),
    "step_sizes": (_are(lambda a, b: 0 < a <= b), "two numbers above 0, the smaller first"),
    "eps": _FROM_0,
    "initial_accumulator_value": _FROM_0,
    "lambd": _FROM_0,
    "lr_decay": _FROM_0,
    "momentum_decay": _FROM_0,
    "t0": _FROM_0,
    "weight_decay": _FROM_0,
    "beta2_decay": (_is(lambda x: x <= 0), "a number of 0 or below"),
    "d": (_is(lambda x: x >= 1), "a number of 1 or above"),
    "dampening": (_is(lambda x: True), "a number"),
    "amsgrad": _SWITCH,
    "centered": _SWITCH,
    "decoupled_weight_decay": _SWITCH,
    "maximize": _SWITCH,
    "nesterov": _SWITCH,
    "foreach": _CHOICE,
    "fused": _CHOICE,
}
"""Of an option's value: whether it is possible, and the words for what would be."""
_EXCEPTIONS: dict[tuple[str, str], _Rule] = {
    ("adafactor", "eps"): (_are(lambda a, b: a >= 0 and b >= 0), "two numbers of 0 or above"),
    ("asgd", "alpha"): _FROM_0,
}
