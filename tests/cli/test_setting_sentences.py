"""A setting is one row: its option, its field in the form and its check agree, whatever it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import startable_kinds
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import JOBS, RangeTest, TaskConfig
from clr_tui.engine.settings.table import REQUIRED, Setting, described, settings_of
from clr_tui.tui.cli.job_options import add_settings, help_of, option_of, with_options
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.cli.parsing import Parser
from clr_tui.tui.text.bounds import read_bounds
from clr_tui.tui.text.form import form_texts, read_form
from clr_tui.tui.text.form_fields import form_fields, job_settings, title_of

ROWS = [
    (kind, name, setting)
    for kind in startable_kinds()
    for name, setting in (
        *((each.name, each) for each in settings_of(TaskConfig) if each.format != "parameters"),
        *job_settings(kind).items(),
    )
]
NEEDED = {"train": ["--max-lr", "1e-2"]}
STRANGE = {int: ["-1", "0", "9" * 30, "x"], float: ["-1", "0", "nan", "inf", "1e300", "x"]}


def ids(value: object) -> str | None:
    return value.name if isinstance(value, Setting) else None


def defaults(kind: str, name: str = "") -> dict[str, str]:
    """The fields of a form in which the field `name` plays a part."""
    values = {field.name: field.default for field in form_fields(("cpu",))}
    policy = "warmup-stable-decay" if name in ("warmup", "decay") else "exp-range"
    chosen = {"policy": policy, "optimizers": f"adam+{policy}(lr=0.1), adam"}
    return values | {"kind": title_of(kind)} | chosen


@pytest.mark.parametrize(("kind", "name", "setting"), ROWS, ids=ids)
def test_every_setting_has_an_option_and_a_field(kind: str, name: str, setting: Setting) -> None:
    parser = build_parser()
    with pytest.raises(UserError):
        parser.parse([kind, "--no-such-option"])
    options = [o for action in parser.commands[kind]._actions for o in action.option_strings]
    assert option_of(setting) in options
    (field,) = [field for field in form_fields() if field.name == name]
    assert replace(field.setting, choices=()) == replace(setting, choices=())
    assert field.hint[1:-1] == setting.help[1:]
    assert setting.help in help_of(setting)
    assert len(field.hint) <= 78  # the form's last line but one, at 80 columns


def outside() -> list[tuple[str, str, Setting, str]]:
    found = []
    for kind, name, setting in ROWS:
        for text in STRANGE.get(setting.type, []):
            try:
                value = setting.type(text)
            except ValueError:
                continue  # how it cannot be read is said in words of the place
            if setting.mistake(value) is not None:
                found.append((kind, name, setting, text))
    return found


@pytest.mark.parametrize(("kind", "name", "setting", "text"), outside(), ids=ids)
def test_a_limit_is_met_with_one_sentence_everywhere(
    cli, kind: str, name: str, setting: Setting, text: str
) -> None:
    needed = [] if setting.name == "max_lr" else NEEDED.get(kind, [])
    result = cli(kind, *needed, f"{option_of(setting)}={text}")
    assert result.code == 2
    errors = read_form(defaults(kind, name) | {name: text}).errors
    assert result.err == f"clr-tui: {errors[name]}\n"
    assert errors[name].startswith(f"{setting.name} must be ")


@pytest.mark.parametrize("text", ["-1", "0", "nan", "inf", "1e300", "1e-40"])
def test_the_dialog_of_bounds_says_it_too(text: str) -> None:
    values = defaults("train") | {"base_lr": text}
    assert read_bounds(text, "3.6e-3")[1] == read_form(values).errors


class Slow(RangeTest, frozen=True, kw_only=True, tag_field="kind", tag="range-test"):
    patience: Annotated[
        int, described("steps without progress", ge=2, unit="steps", example="9")
    ] = 7


def test_a_setting_is_added_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOBS, "range-test", Slow)
    (setting,) = [each for each in settings_of(Slow) if each.name == "patience"]
    sentence = "patience must be at least 2 steps, not 1"
    (wrong,) = check_numbers(TaskConfig(), Slow(patience=1))
    assert (wrong.message, wrong.field) == (sentence, "patience")

    parser = Parser()
    add_settings(parser, settings_of(Slow))
    assert help_of(setting) == "steps without progress (default: 7)"
    assert with_options(Slow(), parser.parse(["--patience", "3"])) == Slow(patience=3)
    with pytest.raises(UserError, match="--patience 'x' is not a whole number; give one such as 9"):
        parser.parse(["--patience", "x"])

    values = {field.name: field.default for field in form_fields()}
    assert values["patience"] == "7"
    assert read_form(values | {"patience": "3"}).job == Slow(patience=3)
    assert read_form(values | {"patience": "1"}).errors == {"patience": sentence}
    assert form_texts(TaskConfig(), Slow(patience=4))["patience"] == "4"


def test_what_cannot_be_left_out_has_an_example() -> None:
    for _, _, setting in ROWS:
        if setting.default is REQUIRED or setting.type in (int, float):
            assert setting.example


def test_no_number_may_be_without_an_end() -> None:
    for _, _, setting in ROWS:
        if setting.type is float:
            assert setting.mistake(math.nan) is not None
            assert setting.mistake(math.inf) is not None
