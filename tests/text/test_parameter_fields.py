"""Fields of a user's task's parameters, as texts and as values."""

from __future__ import annotations

import pytest

from clr_tui.engine.settings.task_files import TaskFunction, task_function
from clr_tui.tui.text.parameter_fields import parameter_fields, parameter_texts, read_parameters


def function(tmp_path, parameters: str) -> TaskFunction:
    path = tmp_path / "mine.py"
    path.write_text(f"def task({parameters}): ...\n", encoding="utf-8")
    return task_function(str(path))


def read(found: TaskFunction, given=None, **texts: str) -> dict:
    """The values of a form that opens with `given`, with these texts typed."""
    fields = parameter_fields(found, given or {})
    opened = parameter_texts(given or {})
    values = {field.name: opened.get(field.name, field.default) for field in fields}
    values |= {f"parameters.{name}": text for name, text in texts.items()}
    errors: dict[str, str] = {}
    result = read_parameters(values, found, given or {}, errors)
    assert errors == {}
    return result


@pytest.mark.parametrize(
    "parameter",
    [
        "x=1",
        "x=0.1 + 0.2",
        "x: int = 3",
        "x: float = 3",
        "x=True",
        "x: bool = False",
        "x: bool | None = None",
        "x: str = ''",
        "x: str = ' a '",
        "x='a\\nb'",
        "x=None",
        "x=[1, 2]",
        "x=(1, 2.5)",
        "x: int | None = None",
        "x: Literal['a', 'b'] = 'b'",
        "x: Literal[1, 2, None] = None",
        "x: Literal[1, 2] = default()",
        "x=default()",
        "x={}",
    ],
)
def test_a_form_that_is_not_touched_gives_nothing(tmp_path, parameter) -> None:
    assert read(function(tmp_path, parameter)) == {}


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("x: int = 3", "4", 4),
        ("x: float = 3", "4", 4.0),
        ("x=True", "off", False),
        ("x: bool | None = True", "none", None),
        ("x: str = 'a'", "", ""),
        ("x=[1, 2]", "[3]", [3]),
        ("x: int | None = 2", "none", None),
        ("x: Literal[1, 2] = 1", "2", 2),
        ("x: Literal['a', None] = 'a'", "none", None),
        ("x: Literal['a', 'b']", "a", "a"),
        ("x: bool", "on", True),
        ("x: str", "", ""),
        ("x=default()", "adam", "adam"),
    ],
)
def test_a_text_gives_its_value(tmp_path, parameter, text, value) -> None:
    (result,) = read(function(tmp_path, parameter), x=text).values()
    assert result == value
    assert type(result) is type(value)


def test_an_emptied_field_means_the_default(tmp_path) -> None:
    assert read(function(tmp_path, "x: int = 3"), x=" ") == {}


@pytest.mark.parametrize("value", [0.1 + 0.2, 7, True, None, "a\nb", [1.5, None], "none"])
def test_a_value_that_was_given_stays_to_the_last_digit(tmp_path, value) -> None:
    assert read(function(tmp_path, "x=1"), {"x": value}) == {"x": value}


def test_a_parameter_that_the_file_lost_is_no_longer_given(tmp_path) -> None:
    assert read(function(tmp_path, "y=1"), {"x": 1}) == {}
    assert read(function(tmp_path, "y=1, **more"), {"x": 1}) == {"x": 1}


def test_while_the_file_is_not_read_all_stays(tmp_path) -> None:
    assert read_parameters({}, None, {"x": 1}, {}) == {"x": 1}


def test_a_mistake_is_told_of_its_field(tmp_path) -> None:
    errors: dict[str, str] = {}
    found = function(tmp_path, "x: int = 1")
    assert read_parameters({"parameters.x": "z"}, found, {}, errors) == {}
    assert list(errors) == ["parameters.x"]


def test_ids_are_what_a_widget_takes(tmp_path) -> None:
    fields = parameter_fields(function(tmp_path, "größe=1, _a=2"), {})
    ids = [field.id for field in fields]
    assert len(set(ids)) == 2
    assert all(id_.isascii() and "." not in id_ for id_ in ids)
