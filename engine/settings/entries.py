"""The entries of a comparison as text: `adam, adamw(weight_decay=0.05)+one-cycle, sgd+clr`.

An entry is an optimizer (a class of torch.optim in any case, or `package.module:Class`) with its
options in brackets; then, after a `+`, a learning-rate policy, or a class of
torch.optim.lr_scheduler with its options. `lr` and `base_lr` may be in the brackets of either.
Values are written as in Python.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.config import (
    ARTICLE,
    POLICIES,
    Compare,
    EntryConfig,
    OptimizerConfig,
    Option,
    Policy,
    Train,
)
from clr_tui.engine.settings.optimizer_names import check_optimizer, ignores_schedule
from clr_tui.engine.settings.table import setting_of
from clr_tui.engine.settings.torch_schedulers import FIELD as SCHEDULER
from clr_tui.engine.settings.torch_schedulers import (
    SCHEDULERS,
    check_scheduler,
    scheduler_named,
)

FIELD = "optimizers"
CLR = "clr"
"""The article's name of the triangular policy."""
RATES = ("lr", "base_lr")
OF_POLICY = (*RATES, "min_momentum")
"""The options of a policy; the rates may be given with the optimizer's too."""
LEARNING_RATE = setting_of(Train, "max_lr")
MAX_ENTRIES = 64
"""A comparison of more would be unreadable."""
_MAX_TEXT_LENGTH = 10_000
_MAX_SHOWN_LENGTH = 60
_MAX_EXACT_INT = 2**53
"""Larger whole numbers do not fit a float, and so not a run's file."""
_OPENING, _CLOSING = "([{", ")]}"
Options = dict[str, Any]


def parse_entries(text: str) -> list[EntryConfig]:
    """Parses comma-separated entries, keeping their order.

    The label of an entry is its normalised text: equal entries have equal labels, and a label
    parses to its entry.

    Raises:
        UserError: (field `optimizers`) for the first mistake in the text.
    """
    if len(text) > _MAX_TEXT_LENGTH:
        raise UserError(f"optimizers may take at most {_MAX_TEXT_LENGTH} characters", FIELD)
    entries = [_entry(part) for part in _split(text, ",")] if text.strip() else []
    for mistake in check_entries(entries):
        raise mistake
    return entries


def parse_optimizer(text: str) -> OptimizerConfig:
    """Parses an optimizer with options but no policy or rate, such as `adamw(weight_decay=0.05)`.

    The momentum of `sgd` defaults to 0.9, as in range tests and trainings. `check_optimizer` checks
    whether torch has such an optimizer with such options.

    Raises:
        UserError: (field `optimizer`) the text cannot be parsed.
    """
    try:
        (name, options), *more = [_bracket(part) for part in _split(text, "+")]
        if more:
            raise UserError(f"the policy is a setting of its own: leave out '+{more[0][0]}'")
        for rate in RATES:
            if rate in options:
                raise UserError(f"the learning rate is a setting of its own: leave out '{rate}'")
        return _optimizer(name, options, _shown(text.strip()), OptimizerConfig().momentum)
    except UserError as error:
        raise UserError(error.message, "optimizer") from None


def parse_scheduler(text: str, field: str = SCHEDULER) -> tuple[str, Options]:
    """Parses a class of torch.optim.lr_scheduler with its options.

    Raises:
        UserError: it cannot be parsed, or there is no such class with such options.
    """
    try:
        name, options = _bracket(text)
    except UserError as error:
        raise UserError(error.message, field) from None
    _scheduler(name, options, field)
    return scheduler_named(name) or name, options


def scheduler_text(text: str) -> str:
    """The text of a scheduler in the form that is kept; raises what `parse_scheduler` raises."""
    return _scheduler(*parse_scheduler(text), SCHEDULER)


def optimizer_text(config: OptimizerConfig) -> str:
    """The text of an optimizer; for sgd without momentum and weight decay, which are separate."""
    options = dict(config.options)
    if config.weight_decay and config.name != "sgd":
        options.setdefault("weight_decay", config.weight_decay)
    return config.name + _bracketed(options)


def optimizer_label(config: OptimizerConfig) -> str:
    """The text of an optimizer with all that differs from its class's defaults."""
    decay = {"weight_decay": config.weight_decay} if config.weight_decay else {}
    full = replace(config, options={**decay, **config.options})
    return _label(full, "constant", {})


def article_entries() -> list[EntryConfig]:
    """The six entries that the article compares."""
    return [_entry(text) for text in ARTICLE]


def tuned_entries(compare: Compare) -> list[EntryConfig]:
    """The entries whose rates come from a range test, in their order.

    They include every policy that moves between two bounds, as it has no default rate, but never an
    optimizer that ignores schedules: it ignores a sweep too.
    """
    every = compare.rates == "tuned"
    return [
        entry
        for entry in compare.entries
        if compare.lr_of(entry) is None
        and (entry.policy != "constant" or (every and not ignores_schedule(entry.optimizer)))
    ]


def entry_of(optimizer: OptimizerConfig) -> EntryConfig:
    """The entry of an optimizer of another run: with CLR, unless it ignores schedules."""
    options = dict(optimizer.options)
    if optimizer.weight_decay:
        options.setdefault("weight_decay", optimizer.weight_decay)
    momentum = optimizer.momentum if optimizer.name == "sgd" else OptimizerConfig().momentum
    plain = OptimizerConfig(name=optimizer.name, momentum=momentum, options=options)
    policy: Policy = "constant" if ignores_schedule(optimizer) else "triangular"
    return entry_at(EntryConfig(label="", optimizer=plain, policy=policy), None)


def entry_at(entry: EntryConfig, lr: float | None) -> EntryConfig:
    """The same entry at another rate (None: without one), with the label that parses to it."""
    rates = {"lr": lr, "base_lr": entry.base_lr, "min_momentum": entry.min_momentum}
    given = {key: value for key, value in rates.items() if value is not None}
    label = _label(entry.optimizer, entry.policy, given)
    if entry.scheduler:
        label = f"{label}+{entry.scheduler}"
    return replace(entry, label=label, lr=lr)


def check_entries(entries: Sequence[EntryConfig]) -> list[UserError]:
    """The mistakes in the entries of a comparison, all in the field `optimizers`."""
    if not entries:
        return [UserError("no optimizers are given: name at least one, such as adam", FIELD)]
    if len(entries) > MAX_ENTRIES:
        return [
            UserError(
                f"a comparison takes at most {MAX_ENTRIES} optimizers, not {len(entries)}", FIELD
            )
        ]
    mistakes = [mistake for entry in entries for mistake in _check(entry)]
    return [*mistakes, *_duplicates(entries)]


def _check(entry: EntryConfig) -> Iterator[UserError]:
    for mistake in check_optimizer(entry.optimizer):
        yield UserError(mistake.message, FIELD)
    momentum = setting_of(OptimizerConfig, "momentum")
    said = f"momentum of '{entry.label}'"
    if (outside := momentum.mistake(entry.optimizer.momentum, said, FIELD)) is not None:
        yield outside
    if entry.policy not in POLICIES:
        yield limits.choice_mistake(FIELD, entry.policy, (CLR, *POLICIES), "policy")
        return
    if entry.schedule != "constant" and (why := ignores_schedule(entry.optimizer)):
        yield UserError(f"'{entry.label}' cannot use a policy: {why}", FIELD)
    rates = zip(RATES, (entry.lr, entry.base_lr), strict=True)
    wrong = [
        one
        for key, lr in rates
        if (one := LEARNING_RATE.mistake(lr, f"{key} of '{entry.label}'", FIELD))
    ]
    low = setting_of(Train, "min_momentum")
    if outside := low.mistake(entry.min_momentum, f"min_momentum of '{entry.label}'", FIELD):
        wrong.append(outside)
    yield from wrong
    if entry.policy == "constant" and entry.min_momentum is not None:
        yield UserError(
            f"min_momentum of '{entry.label}' has no effect at a constant rate: leave it out", FIELD
        )
    if wrong or entry.base_lr is None:
        return
    if entry.policy == "constant":
        yield UserError(
            f"base_lr of '{entry.label}' has no effect at a constant rate: leave it out, or add a"
            " policy such as +clr",
            FIELD,
        )
    elif entry.lr is not None and entry.base_lr >= entry.lr:
        yield UserError(
            f"base_lr {entry.base_lr:g} of '{entry.label}' is not below its lr {entry.lr:g}", FIELD
        )


def _duplicates(entries: Sequence[EntryConfig]) -> Iterator[UserError]:
    for label, count in Counter(entry.label for entry in entries).items():
        if count > 1:
            yield UserError(f"'{label}' is given {count} times: give each entry once", FIELD)
    for number, entry in enumerate(entries):
        others = [one for one in entries[:number] if one.label != entry.label]
        same = next((one for one in others if replace(one, label=entry.label) == entry), None)
        if same is not None:
            yield UserError(
                f"'{same.label}' and '{entry.label}' are the same: leave one out", FIELD
            )


def _entry(text: str) -> EntryConfig:
    shown = _shown(text.strip())
    parts = _split(text, "+")
    if len(parts) > 2:
        raise UserError(f"'{shown}' has {len(parts) - 1} policies: an optimizer takes one", FIELD)
    name, options = _bracket(parts[0])
    policy: Policy = "constant"
    scheduler = ""
    given = {key: options.pop(key) for key in RATES if key in options}
    if len(parts) == 2:
        policy_name, rates = _bracket(parts[1])
        if scheduler_named(policy_name):
            taken = {key: rates.pop(key) for key in list(rates) if key == "lr"}
            scheduler = _scheduler(policy_name, rates, FIELD)
            given = _merged(given, taken, shown)
        else:
            policy = _policy(policy_name, shown)
            given = _merged(given, rates, shown)
    optimizer = _optimizer(name, options, shown)
    values = {key: _rate(key, given.get(key), shown) for key in OF_POLICY}
    label = _label(optimizer, policy, {k: v for k, v in values.items() if v is not None})
    if scheduler:
        label = f"{label}+{scheduler}"
    return EntryConfig(
        label=label, optimizer=optimizer, policy=policy, scheduler=scheduler, **values
    )


def _optimizer(name: str, options: Options, shown: str, momentum: float = 0.0) -> OptimizerConfig:
    """`momentum` is that of sgd if the options give none."""
    if not name:
        where = f" in '{shown}'" if shown else ": is there an extra comma?"
        raise UserError(f"an optimizer's name is missing{where}", FIELD)
    if "=" in name:
        raise UserError(
            f"'{_shown(name)}' gives an option outside round brackets: write name(key=value)", FIELD
        )
    if ":" not in name:
        name = name.lower()
    rest = {key: _option(key, value, shown) for key, value in options.items()}
    if name != "sgd":
        return OptimizerConfig(name=name, options=rest)
    given = rest.pop("momentum", momentum)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise UserError(f"momentum in '{shown}' must be a number, not {given!r}", FIELD)
    return OptimizerConfig(name=name, momentum=float(given), options=rest)


def _scheduler(name: str, options: Options, field: str) -> str:
    """The text of a scheduler of torch, with options in alphabetical order."""
    found = scheduler_named(name)
    if found is None:
        near = did_you_mean(name, SCHEDULERS) or ": give one such as StepLR(step_size=4)"
        raise UserError(f"torch has no scheduler '{_shown(name)}'{near}", field)
    check_scheduler(found, options, field)
    plain = {key: list(one) if isinstance(one, tuple) else one for key, one in options.items()}
    return found + _bracketed(plain)


def _policy(name: str, shown: str) -> Policy:
    if not name:
        raise UserError(f"a policy is missing after the + in '{shown}': add one such as clr", FIELD)
    known: dict[str, Policy] = {CLR: "triangular", **{policy: policy for policy in POLICIES}}
    if name.lower() not in known:
        if near := did_you_mean(name, SCHEDULERS):
            raise UserError(f"no policy '{_shown(name)}'{near}", FIELD)
        raise limits.choice_mistake(FIELD, name, known, "policy")
    return known[name.lower()]


def _merged(given: Options, rates: Options, shown: str) -> Options:
    for key in rates:
        if key not in OF_POLICY:
            raise UserError(
                "a policy takes only lr (its upper bound), base_lr and min_momentum, not"
                f" '{key}' in '{shown}'",
                FIELD,
            )
        if key in given:
            raise UserError(f"{key} is given twice in '{shown}'", FIELD)
    return {**given, **rates}


def _rate(key: str, value: Any, shown: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserError(f"{key} in '{shown}' must be a number above 0, not {value!r}", FIELD)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _option(key: str, value: Any, shown: str) -> Option:
    """The value of an optimizer's option, if a run's file can hold it."""
    if isinstance(value, (list, tuple)):
        return [None if one is None else float(_number(key, one, shown)) for one in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    return _number(key, value, shown)


def _number(key: str, value: Any, shown: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserError(
            f"{key}={_shown(repr(value))} in '{shown}' cannot be passed to an optimizer: give a"
            " number, True, False, None, a quoted string, or numbers in brackets",
            FIELD,
        )
    if not abs(value) < _MAX_EXACT_INT:
        raise UserError(f"{key} in '{shown}' is too large", FIELD)
    return int(value) if value == int(value) else value


def _label(optimizer: OptimizerConfig, policy: Policy, rates: Mapping[str, float]) -> str:
    """The entry's text, with options in alphabetical order and without defaults."""
    options: dict[str, Option] = dict(optimizer.options)
    if optimizer.name == "sgd" and optimizer.momentum != 0:
        options["momentum"] = optimizer.momentum
    if policy == "constant":
        return optimizer.name + _bracketed({**options, **rates})
    name = CLR if policy == "triangular" else policy
    return f"{optimizer.name}{_bracketed(options)}+{name}{_bracketed(rates)}"


def _bracketed(options: Mapping[str, Option]) -> str:
    inner = ",".join(f"{key}={_literal(value)}" for key, value in sorted(options.items()))
    return f"({inner})" if inner else ""


def _literal(value: Option) -> str:
    if isinstance(value, list):
        inner = ",".join(_literal(one) for one in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value).removesuffix(".0") if isinstance(value, float) else repr(value)


def _bracket(part: str) -> tuple[str, Options]:
    """The name before the brackets and the options in them: `adamw(weight_decay=0.05)`."""
    shown = _shown(part.strip())
    name, bracket, inner = part.strip().partition("(")
    source = f"f({inner}"
    call = _call(source) if bracket else None
    if call is None and bracket:
        raise UserError(f"'{shown}' cannot be read: write options as name(key=value)", FIELD)
    options: Options = {}
    for one in call.keywords if call else ():
        written = _source(source, one.value)
        if one.arg is None:
            raise UserError(f"'**{written}' in '{shown}' is not an option: write key=value", FIELD)
        if one.arg in options:
            raise UserError(f"{one.arg} is given twice in '{shown}'", FIELD)
        options[one.arg] = _value(one.value, f"{one.arg}={written}", shown)
    for nameless in call.args if call else ():
        written = _source(source, nameless)
        raise UserError(f"'{written}' in '{shown}' has no name: write options as key=value", FIELD)
    return name.strip(), options


def _call(text: str) -> ast.Call | None:
    """`text` as a Python call of `f`; None if it is not one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in strings, on stderr
            call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return call if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None


def _source(text: str, node: ast.expr) -> str:
    return _shown(ast.get_source_segment(text, node) or "")


def _value(node: ast.expr, written: str, shown: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise UserError(
            f"{written} in '{shown}' is not a value: give a number, True, False, None, a quoted"
            " string, or numbers in brackets",
            FIELD,
        ) from None


def _split(text: str, separator: str) -> list[str]:
    """The parts of `text` between the separators outside all brackets and quotes."""
    shown, parts, opened, quote, start = _shown(text.strip()), list[str](), list[str](), "", 0
    escaped = False
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote and not escaped else quote
            escaped = char == "\\" and not escaped
        elif char in "'\"":
            quote = char
        elif char in _CLOSING:
            if not opened or _OPENING.index(opened.pop()) != _CLOSING.index(char):
                raise UserError(f"unmatched '{char}' in '{shown}'", FIELD)
        elif char in _OPENING:
            opened.append(char)
        elif char == separator and not opened:
            parts.append(text[start:place])
            start = place + 1
    if quote or opened:
        what = "quote" if quote else "bracket"
        raise UserError(f"a {what} is not closed in '{shown}'", FIELD)
    return [*parts, text[start:]]


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}..."
