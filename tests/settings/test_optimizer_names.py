"""The table of optimizers against torch's own signatures; mistakes in names and options."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import ARTICLE, EntryConfig, OptimizerConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.optimizer_names import (
    OPTIMIZERS,
    REFUSED,
    UNUSABLE,
    check_optimizer,
    ignores_schedule,
)
from clr_tui.engine.training.optimizers.matrices import MatricesAndAdamW
from clr_tui.engine.training.optimizers.recipes import make_optimizer

LATER = {("adam", "decoupled_weight_decay"), ("lbfgs", "maximize")}
"""Options that came after torch 2.6, the oldest that is supported."""
LATER_CLASSES = {"muon"}


def torchs() -> dict[str, type[torch.optim.Optimizer]]:
    found = {
        name.lower(): value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, torch.optim.Optimizer)
    }
    return {name: value for name, value in found.items() if value is not torch.optim.Optimizer}


def messages(name: str, **options: Any) -> list[str]:
    return [mistake.message for mistake in check_optimizer(made(name, **options))]


def made(name: str, **options: Any) -> OptimizerConfig:
    return OptimizerConfig(name=name, momentum=0.0, options=options)


def test_every_optimizer_of_torch_is_known() -> None:
    known = OPTIMIZERS.keys() | UNUSABLE.keys()
    assert torchs().keys() - known == set()
    assert known - torchs().keys() <= LATER_CLASSES
    assert not OPTIMIZERS.keys() & UNUSABLE.keys()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_options_are_those_of_torch(name: str) -> None:
    if name not in torchs():
        pytest.skip(f"this torch has no {name}")
    parameters = set(inspect.signature(torchs()[name].__init__).parameters)
    assert {"lr", "params"} <= parameters
    has = parameters - {"self"} - REFUSED.keys()
    own = {option for option in OPTIMIZERS[name] if not option.startswith("adamw_")}
    assert has - own == set()
    assert {(name, option) for option in own - has} <= LATER


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torchs_own_defaults_are_possible_values(name: str) -> None:
    if name not in torchs():
        pytest.skip(f"this torch has no {name}")
    parameters = inspect.signature(torchs()[name].__init__).parameters
    options = {
        option: list(value.default) if isinstance(value.default, tuple) else value.default
        for option, value in parameters.items()
        if option in OPTIMIZERS[name]
    }
    assert messages(name, **options) == []
    make_optimizer(made(name, **options), nn.ParameterList([nn.Parameter(torch.zeros(2, 2))]))


def test_adafactors_own_eps_can_be_written() -> None:
    (entry,) = parse_entries("adafactor(eps=(None,1e-3))")
    assert entry.label == "adafactor(eps=(None,0.001))"
    assert entry.optimizer.options == {"eps": [None, 0.001]}
    assert msgspec.json.decode(msgspec.json.encode(entry), type=EntryConfig) == entry
    optimizer = make_optimizer(
        entry.optimizer, nn.ParameterList([torch.nn.Parameter(torch.zeros(2))])
    )
    assert optimizer.param_groups[0]["eps"] == (None, 0.001)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, -0.5, 0, 0.0, 0.5, 0.9, 1, 1.0, 1.5, 60.0, float("nan"), float("inf")]),
    st.sampled_from(["0.9", ""]),
    st.lists(st.sampled_from([-0.1, 0.0, 0.4, 0.9, 1.0, 1.3, 55.0]), max_size=3),
)


@st.composite
def configs(draw: st.DrawFn) -> OptimizerConfig:
    name = draw(st.sampled_from(sorted(OPTIMIZERS)))
    options = draw(
        st.dictionaries(st.sampled_from(sorted(OPTIMIZERS[name])), VALUES, min_size=1, max_size=3)
    )
    momentum = draw(st.sampled_from([0.0, 0.9]))
    return OptimizerConfig(name=name, momentum=momentum, options=options)


@given(configs())
def test_any_options_make_an_optimizer_or_a_sentence(config: OptimizerConfig) -> None:
    caught = None
    try:
        optimizer = make_optimizer(config, nn.ParameterList([nn.Parameter(torch.zeros(2, 2))]))
    except UserError as error:
        caught = error
    if caught is None:
        made = optimizer.parts[0] if isinstance(optimizer, MatricesAndAdamW) else optimizer
        assert type(made) is torchs()[config.name]
        return
    assert caught.field == "optimizer"
    assert f"'{config.name}'" in caught.message
    assert "\n" not in caught.message


def test_the_articles_six_are_entries() -> None:
    entries = [parse_entries(text)[0] for text in ARTICLE]
    assert len(entries) == 6
    assert all(check_optimizer(entry.optimizer) == [] for entry in entries)
    assert [entry.policy for entry in entries] == ["constant"] * 5 + ["triangular"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("adamx", "did you mean 'adamax'?"),
        ("AdamW", "did you mean 'adamw'?"),
        ("qqqq", "choose from adadelta, adafactor, adagrad, adam,"),
        ("", "choose from"),
        ("torch.optim.Adam", "write an import path as package.module:Class"),
        ("sparseadam", "sparse gradients"),
        ("my module:Adam", "is not an import path"),
        ("module:", "is not an import path"),
        (":Adam", "is not an import path"),
        ("a:b:C", "is not an import path"),
        ("a..b:C", "is not an import path"),
        ("a:1C", "is not an import path"),
    ],
)
def test_names_that_cannot_be(name: str, words: str) -> None:
    (mistake,) = check_optimizer(made(name))
    assert words in mistake.message
    assert mistake.field == "optimizer"
    assert f"'{name}'" in mistake.message


@pytest.mark.parametrize("path", ["a:B", "package.module:Class", "_x.y1:Z_2", "modül:Klasse"])
def test_a_well_formed_import_path_passes(path: str) -> None:
    assert messages(path, anything="goes", betas=[3.0]) == []
    assert "the rate is a separate setting" in messages(path, lr=0.1)[0]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("adam", {"beta": [0.9, 0.99]}, "takes no 'beta'; did you mean 'betas'?"),
        ("rprop", {"qqqqqq": 1}, "it takes etas, foreach, maximize, step_sizes"),
        ("adam", {"lr": 0.1}, "'lr' of 'adam' cannot be set here: the rate is a separate setting"),
        ("adam", {"capturable": True}, "CUDA graphs"),
        ("sgd", {"differentiable": True}, "nothing here differentiates the update"),
        ("adam", {"betas": [0.9]}, "betas of 'adam' must be two numbers"),
        ("adam", {"betas": 0.9}, "must be two numbers"),
        ("adafactor", {"eps": 1e-3}, "eps of 'adafactor' must be two numbers, not 0.001"),
        ("adamw", {"weight_decay": "much"}, "must be a number, not 'much'"),
        ("adamw", {"weight_decay": True}, "must be a number, not True"),
        ("rmsprop", {"centered": 1}, "must be True or False, not 1"),
        ("sgd", {"nesterov": True}, "nesterov=True of 'sgd' needs a momentum above 0"),
    ],
)
def test_options_that_cannot_be(name: str, options: dict[str, Any], words: str) -> None:
    (message,) = messages(name, **options)
    assert words in message


def test_every_mistake_is_found_in_the_order_given() -> None:
    found = messages("adam", lr=1.0, bets=1.0, eps="small", weight_decay=None)
    assert [
        f"'{word}'" in text or text.startswith(word)
        for word, text in zip(["lr", "bets", "eps", "weight_decay"], found, strict=True)
    ] == [True] * 4


def test_weight_decay_of_the_settings_needs_a_class_that_takes_it() -> None:
    decayed = OptimizerConfig(name="rprop", weight_decay=0.1)
    assert "takes no 'weight_decay'" in check_optimizer(decayed)[0].message
    assert check_optimizer(OptimizerConfig(name="adamax", weight_decay=0.1)) == []


def test_nesterov_takes_the_momentum_of_the_settings() -> None:
    config = OptimizerConfig(name="sgd", momentum=0.9, options={"nesterov": True})
    assert check_optimizer(config) == []


def test_only_rprop_ignores_its_schedule() -> None:
    assert [name for name in OPTIMIZERS if ignores_schedule(made(name))] == ["rprop"]
