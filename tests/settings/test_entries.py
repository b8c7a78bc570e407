"""The contestants of a comparison as text, and back."""

from __future__ import annotations

import keyword

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import POLICIES, Compare, EntryConfig, OptimizerConfig
from clr_tui.engine.settings.entries import (
    MAX_ENTRIES,
    article_entries,
    check_entries,
    parse_entries,
    parse_optimizer,
)


def one(text: str) -> EntryConfig:
    (entry,) = parse_entries(text)
    return entry


def test_the_six_of_the_article_have_bare_names() -> None:
    entries = article_entries()
    assert [entry.label for entry in entries] == [
        "adagrad",
        "adadelta",
        "rmsprop",
        "adam",
        "adamax",
        "sgd+clr",
    ]
    assert {(entry.lr, entry.base_lr) for entry in entries} == {(None, None)}
    assert [entry.policy for entry in entries] == ["constant"] * 5 + ["triangular"]
    assert entries[-1].optimizer == OptimizerConfig(name="sgd", momentum=0.0)
    assert entries == parse_entries("adagrad,adadelta,rmsprop,adam,adamax,sgd+clr")
    assert check_entries(entries) == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("adam", "adam"),
        (" Adam ", "adam"),
        ("SGD+CLR", "sgd+clr"),
        ("sgd + triangular", "sgd+clr"),
        ("adam+constant", "adam"),
        ("adam()", "adam"),
        ("sgd(momentum=0)", "sgd"),
        ("sgd(momentum=0.0)+clr()", "sgd+clr"),
        ("sgd(momentum=.90)", "sgd(momentum=0.9)"),
        ("adamw(weight_decay=5e-2)+One-Cycle", "adamw(weight_decay=0.05)+one-cycle"),
        ("adam+cosine(min_momentum=.8, lr=1e-3)", "adam+cosine(lr=0.001,min_momentum=0.8)"),
        ("adamw(weight_decay=0.0)", "adamw(weight_decay=0)"),
        ("adam( eps=1e-6, amsgrad=True )", "adam(amsgrad=True,eps=1e-06)"),
        ("adam(betas=[.9, 0.99])", "adam(betas=(0.9,0.99))"),
        ("adam(lr=1e-3)", "adam(lr=0.001)"),
        ("sgd(lr=.1)+clr(base_lr=1e-2)", "sgd+clr(base_lr=0.01,lr=0.1)"),
        ("sgd+clr(lr=10)", "sgd+clr(lr=10)"),
        ("adam(lr=None)", "adam"),
        ("my.Own:Optim(mode='a,b(+')", "my.Own:Optim(mode='a,b(+')"),
        ("my:Optim(x=(1,))+exp-range", "my:Optim(x=(1,))+exp-range"),
    ],
)
def test_the_same_entry_has_the_same_label(text: str, label: str) -> None:
    assert one(text).label == label
    assert one(label) == one(text)


def test_where_options_and_rates_go() -> None:
    entry = one("sgd(momentum=0.9,nesterov=True,weight_decay=1e-4,lr=0.5)+triangular2(base_lr=0.1)")
    options = {"nesterov": True, "weight_decay": 1e-4}
    assert entry.optimizer == OptimizerConfig(name="sgd", momentum=0.9, options=options)
    assert (entry.policy, entry.lr, entry.base_lr) == ("triangular2", 0.5, 0.1)
    assert one("rmsprop(momentum=0.5)").optimizer.options == {"momentum": 0.5}
    assert one("adamw(weight_decay=0)").optimizer.options == {"weight_decay": 0}
    assert one("adam(fused=None,betas=(0,0.5))").optimizer.options == {
        "fused": None,
        "betas": [0.0, 0.5],
    }
    assert one("Some.Where:Class(Big='It\\'s')").optimizer == OptimizerConfig(
        name="Some.Where:Class", options={"Big": "It's"}
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_has_its_name(policy: str) -> None:
    assert one(f"adam+{policy}").policy == policy


def test_commas_and_pluses_within_brackets_and_quotes_part_nothing() -> None:
    entries = parse_entries("adam(betas=(0.9,0.99)),\n a:B(x='),+(',y=\"it's\",z=1e+3) , sgd+clr")
    assert [entry.label for entry in entries] == [
        "adam(betas=(0.9,0.99))",
        "a:B(x='),+(',y=\"it's\",z=1000)",
        "sgd+clr",
    ]


VALUES = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-(10**6), 10**6),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.text(max_size=8),
    st.lists(st.floats(-10, 10, allow_nan=False), max_size=3),
)
KEYS = st.from_regex(r"[a-z][a-z_]{1,6}", fullmatch=True).filter(
    lambda key: (
        key not in ("lr", "base_lr", "params", "differentiable", "capturable")
        and not keyword.iskeyword(key)
    )
)


@settings(max_examples=150, deadline=None)
@given(
    options=st.dictionaries(KEYS, VALUES, max_size=3),
    policy=st.sampled_from(POLICIES),
    lr=st.none() | st.floats(1e-9, 1e3),
)
def test_a_label_reads_as_its_entry(options, policy, lr) -> None:
    inner = ", ".join(f"{key} = {value!r}" for key, value in options.items())
    text = f"my.pack:Class({inner}) + {policy}({'' if lr is None else f'lr={lr!r}'})"
    entry = one(text)
    assert entry.optimizer.options == options
    assert (entry.policy, entry.lr) == (policy, lr)
    assert one(entry.label) == entry
    # And as what a run's file gives back.
    assert msgspec.json.decode(msgspec.json.encode(entry), type=EntryConfig) == entry


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no optimizers are given"),
        ("  ", "no optimizers are given"),
        ("adam,,sgd", "name is missing: is there an extra comma?"),
        ("adam,", "name is missing"),
        ("+clr", "name is missing in '+clr'"),
        ("adm", "no optimizer 'adm'; did you mean 'adam'?"),
        ("torch.optim.Adam", "package.module:Class"),
        ("a b:C", "'a b:C' is not an import path"),
        ("sparseadam", "'sparseadam' cannot be used"),
        ("adam(wieght_decay=1)", "takes no 'wieght_decay'; did you mean 'weight_decay'?"),
        ("adagrad(momentum=0.9)", "'adagrad' takes no 'momentum'"),
        ("adam(betas=0.9)", "two numbers"),
        ("adam(params=1)", "'params'"),
        ("adam+triangel", "no policy 'triangel'; did you mean 'triangular'?"),
        ("adam+zigzag", "no policy 'zigzag': choose from clr, triangular,"),
        ("adam+", "a policy is missing after the + in 'adam+'"),
        ("adam+clr+clr", "'adam+clr+clr' has 2 policies"),
        ("adam(", "a bracket is not closed in 'adam('"),
        ("adam(lr=1,sgd", "a bracket is not closed"),
        ("adam)", "unmatched ')' in 'adam)'"),
        ("adam(betas=(1,2]", "unmatched ']'"),
        ("a:B(x='1)", "a quote is not closed"),
        ("adam(lr=1)x", "'adam(lr=1)x' cannot be read"),
        ("adam(eps=1)(eps=2)", "cannot be read"),
        ("adam(lr=0.1 # tenth\n)x", "cannot be read"),
        ("adam lr=1", "'adam lr=1' gives an option outside round brackets"),
        ("adam,lr=0.1", "'lr=0.1' gives an option outside round brackets"),
        ("adam(0.1)", "'0.1' in 'adam(0.1)' has no name"),
        ("adam(**{'eps': 1})", "is not an option: write key=value"),
        ("adam(eps=abc)", "eps=abc in 'adam(eps=abc)' is not a value"),
        ("adam(eps=1+1)", "eps=1+1 in 'adam(eps=1+1)' is not a value"),
        ("adam(eps=__import__('os'))", "is not a value"),
        ("adam(eps={1: 2})", "eps={1: 2} in 'adam(eps={1: 2})' cannot be passed"),
        ("adam(eps=1j)", "cannot be passed"),
        ("adam(betas=(True,False))", "betas=True"),
        ("adam(eps=1e999)", "eps in 'adam(eps=1e999)' is too large"),
        ("adam(eps=1,eps=2)", "eps is given twice in 'adam(eps=1,eps=2)'"),
        ("adam(lr=1)+clr(lr=2)", "lr is given twice"),
        (
            "adam+clr(max_lr=1)",
            "a policy takes only lr (its upper bound), base_lr and min_momentum, not 'max_lr'",
        ),
        ("adam(lr=0)", "lr of 'adam(lr=0)' must be a number above 0, not 0"),
        ("adam(lr=-1)", "not -1"),
        ("adam(lr=1e999)", "not inf"),
        ("adam(lr=" + "9" * 400 + ")", "not inf"),
        ("adam(lr=1e-40)", "at least 1e-30"),
        ("adam(lr='1')", "lr in 'adam(lr='1')' must be a number above 0, not '1'"),
        ("adam(lr=True)", "not True"),
        (
            "adam+clr(lr=.1,base_lr=.1)",
            "base_lr 0.1 of 'adam+clr(base_lr=0.1,lr=0.1)' is not below",
        ),
        ("adam(base_lr=.1)", "base_lr of 'adam(base_lr=0.1)' has no effect at a constant rate"),
        ("sgd(momentum=2)", "momentum of 'sgd(momentum=2)' must be at least 0 and below 1, not 2"),
        ("sgd(momentum='x')", "momentum in 'sgd(momentum='x')' must be a number, not 'x'"),
        ("sgd(nesterov=True)", "nesterov"),
        ("adam,sgd,Adam", "'adam' is given 2 times"),
        ("sgd,sgd(momentum=0)", "'sgd' is given 2 times"),
        ("a:B(x=1),a:B(x=True)", "'a:B(x=1)' and 'a:B(x=True)' are the same"),
        (",".join(f"adam(eps={i})" for i in range(65)), "at most 64 optimizers, not 65"),
        ("x" * 20_000, "at most 10000 characters"),
        ("adam(x=" + "-" * 3000 + "1)", "adam(x=---"),
        ("adam(x=" + "(" * 500 + "1" + ")" * 500 + ")", "cannot be read"),
        ("adam(x=" + "9" * 6000 + ")", "adam(x=999"),
    ],
    ids=lambda value: value[:40],
)
def test_a_mistake_gets_one_sentence(text: str, words: str, recwarn) -> None:
    with pytest.raises(UserError) as caught:
        parse_entries(text)
    assert caught.value.field == "optimizers"
    assert words in caught.value.message
    assert len(caught.value.message) < 400
    assert not recwarn.list


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="adamsgd+clr(),=[]{}'\"\\#*:. 019e-\n\x00ü", max_size=40))
def test_any_text_is_entries_or_a_mistake(text: str) -> None:
    try:
        entries = parse_entries(text)
    except UserError:
        return
    assert entries
    assert parse_entries(",".join(entry.label for entry in entries)) == entries


def test_entries_from_elsewhere_are_checked_alike() -> None:
    adam = EntryConfig(label="adam", optimizer=OptimizerConfig(name="adam"))
    (mistake,) = check_entries([])
    assert "no optimizers are given" in mistake.message
    assert check_entries([adam]) == []
    labels = {"label": "my adam", "lr": 0.0}
    (mistake,) = check_entries([adam, msgspec.structs.replace(adam, **labels)])
    assert "lr of 'my adam' must be a number above 0" in mistake.message
    (mistake,) = check_entries([adam, msgspec.structs.replace(adam, label="again")])
    assert "'adam' and 'again' are the same" in mistake.message
    (mistake,) = check_entries([msgspec.structs.replace(adam, policy="x")])  # type: ignore[arg-type]
    assert "no policy 'x'" in mistake.message
    many = [msgspec.structs.replace(adam, label=str(i)) for i in range(MAX_ENTRIES + 1)]
    assert len(check_entries(many)) == 1


def test_an_optimizer_alone() -> None:
    assert parse_optimizer("SGD") == OptimizerConfig(name="sgd", momentum=0.9)
    assert parse_optimizer("sgd(momentum=0)") == OptimizerConfig(name="sgd", momentum=0.0)
    assert parse_optimizer("adamw(weight_decay=0.05)") == OptimizerConfig(
        name="adamw", options={"weight_decay": 0.05}
    )
    for text in ("adam+clr", "adam(lr=1)", "adam(", ""):
        with pytest.raises(UserError) as caught:
            parse_optimizer(text)
        assert caught.value.field == "optimizer"


def test_a_policy_that_could_move_nothing_is_refused():
    with pytest.raises(UserError, match=r"'rprop\+clr' cannot use a policy: rprop uses its"):
        parse_entries("rprop+clr")
    assert parse_entries("rprop")[0].policy == "constant"


def test_trials_are_numbered_entry_by_entry() -> None:
    job = Compare(entries=parse_entries("adam,sgd"), seeds=3)
    assert job.trials == 6
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [job.entry_and_seed(trial) for trial in range(6)] == places
    assert [job.trial_number(*place) for place in places] == list(range(6))
