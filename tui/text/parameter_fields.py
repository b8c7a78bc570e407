"""The form's fields of a user's task: one for each parameter of its function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import Value
from clr_tui.engine.settings.table import Setting
from clr_tui.engine.settings.task_files import TaskFunction
from clr_tui.engine.settings.task_parameters import FIELD, Parameter, write
from clr_tui.tui.text.form_fields import FormField, Values

NONE = "none"
_KINDS = {bool: "on or off", int: "a whole number", float: "a number", str: "text"}


def parameter_fields(
    function: TaskFunction | None, given: Mapping[str, Value]
) -> tuple[FormField, ...]:
    """Return the fields of a function; `given` are the values with which the form opens."""
    return tuple(_field(each) for each in _parameters(function, given))


def parameter_texts(given: Mapping[str, Value]) -> dict[str, str]:
    """Return the texts of values, by field."""
    return {f"{FIELD}.{name}": _text(value) for name, value in given.items()}


def read_parameters(
    values: Values,
    function: TaskFunction | None,
    given: Mapping[str, Value],
    errors: dict[str, str],
) -> dict[str, Value]:
    """Read the fields; those with the function's own default are left out.

    Args:
        values: the texts of the form.
        function: None while the file has not been read: then `given` is returned.
        given: the values with which the form opened. A text that is unchanged keeps its value.
        errors: mistakes are added to it, by field.
    """
    if function is None:
        return dict(given)
    found: dict[str, Value] = {}
    for parameter in _parameters(function, given):
        text = values.get(parameter.field)
        before = parameter_texts(given).get(parameter.field)
        if parameter.name in given and text in (None, before):
            found[parameter.name] = given[parameter.name]  # to the last digit
        elif text is not None and _is_given(parameter, text):
            try:
                found[parameter.name] = parameter.read(text)
            except UserError as error:
                errors[parameter.field] = error.message
    return found


def _parameters(function: TaskFunction | None, given: Mapping[str, Value]) -> Iterable[Parameter]:
    if function is None:
        return ()
    names = dict.fromkeys([*(each.name for each in function.parameters), *given])
    found = (function.parameter(name) for name in names)
    return (each for each in found if each is not None)


def _is_given(parameter: Parameter, text: str) -> bool:
    if parameter.required:
        return bool(text.strip()) or parameter.type is str
    return text != _default(parameter) and (bool(text.strip()) or parameter.type is str)


def _field(parameter: Parameter) -> FormField:
    what = _KINDS.get(parameter.type, "") if parameter.type else ""
    what = f": {what}" if what and not parameter.choices else ""
    default = f" (default: {parameter.source})" if parameter.source else " (must be given)"
    setting = Setting(
        f"parameter {parameter.name} of your task{what}{default}",
        title=f"  {parameter.name}",
        name=parameter.field,
        example=parameter.source or "must be given",
        choices=_choices(parameter),
        default=_default(parameter),
    )
    return FormField(parameter.field, setting)


def _choices(parameter: Parameter) -> tuple[str, ...]:
    """The values to choose from; empty if the value is typed."""
    values = parameter.choices or ((True, False) if parameter.type is bool else ())
    words = tuple(map(_text, values))
    return (*words, NONE) if words and parameter.optional else words


def _default(parameter: Parameter) -> str:
    """The text that stands for the function's own default.

    If that is not a plain value, it is the source of the default if there are choices; otherwise
    empty, and the field shows the source as its placeholder.
    """
    words = _choices(parameter)
    if parameter.required:
        return words[0] if words else ""
    if parameter.default is None:
        return (NONE if parameter.source == "None" else parameter.source) if words else ""
    text = _text(parameter.default)
    return text if text.isprintable() else ""


def _text(value: Value) -> str:
    return NONE if value is None else write(value)
