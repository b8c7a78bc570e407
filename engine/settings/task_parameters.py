"""The parameters of the function that makes a user's task, and their values as text."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import Value
from clr_tui.engine.settings.limits import choice_mistake, shown

FIELD = "parameters"
_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0")
_MAX_INT = 2**63
"""`run.json` holds integers of 64 bits."""


@dataclass(frozen=True)
class Parameter:
    """A keyword parameter, with whatever the file says about its values."""

    name: str
    default: Value = None
    """Also None if the default is not a number, a text, True, False or a list of these."""
    type: type[bool] | type[int] | type[float] | type[str] | None = None
    """From the annotation, else from the default; None if neither says it."""
    source: str = ""
    """The default as it is written in the file; empty if the parameter must be given."""
    annotated: bool = False
    """Whether `type` comes from an annotation."""
    optional: bool = False
    """Whether None is allowed too."""
    choices: tuple[Value, ...] = ()
    """The only values, of a `Literal`."""

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return not self.source

    @property
    def field(self) -> str:
        """The field of its mistakes: `parameters.width`."""
        return f"{FIELD}.{self.name}"

    def read(self, text: str) -> Value:
        """Parses a value as typed; raises UserError (`field`) if it is not one for this parameter.

        If no type is known, text that is not a Python literal is used unchanged.
        """
        typed = text.strip()
        if self.optional and typed.lower() == "none":
            return None
        if self.choices:
            return self._chosen(typed)
        value: Value = text
        if self.type is not str:
            value = _literal(typed) if self.type is None else self._converted(typed)
        if mistake := self.mistake(value):
            raise mistake
        return value

    def mistake(self, value: Value) -> UserError | None:
        """What is wrong with a value for this parameter; None if nothing is."""
        if value is None and (self.optional or self.type is None):
            return None
        if self.choices:
            return None if value in self.choices else self._not_a_choice(write(value))
        if isinstance(value, str) and not _is_utf8(value):
            words = f"{self.name} must be UTF-8, not {shown(value)!a}"
            return UserError(words, self.field)
        if not _fits_a_file(value):
            words = f"{self.name} must be a finite number of usual size, not {shown(write(value))}"
            return UserError(words, self.field)
        is_bool = isinstance(value, bool)
        fits = self.type is None or isinstance(value, self.type)
        fits = fits or (self.type is float and isinstance(value, int))
        fits = fits and (not is_bool or self.type in (bool, None))
        return None if fits else self._wrong(write(value))

    def _converted(self, typed: str) -> Value:
        if self.type is bool:
            if typed.lower() not in (*_TRUE, *_FALSE):
                raise self._wrong(typed)
            return typed.lower() in _TRUE
        for kind in (int, float) if self.type is int else (float,):
            try:
                number = kind(typed)
            except ValueError:
                continue
            whole = self.type is int and math.isfinite(number) and number == int(number)
            return int(number) if whole else number
        raise self._wrong(typed)

    def _chosen(self, typed: str) -> Value:
        for choice in self.choices:
            if typed in (write(choice), str(choice)):
                return choice
        raise self._not_a_choice(typed)

    def _not_a_choice(self, said: str) -> UserError:
        return choice_mistake(self.field, said, [write(each) for each in self.choices], self.name)

    def _wrong(self, said: str) -> UserError:
        what = {bool: "on or off", int: "a whole number", float: "a number", str: "text"}
        why = "" if self.annotated else f" like its default {shown(self.source)}"
        assert self.type is not None
        more = ""
        if self.type is int and not self.annotated:
            more = f" (for other numbers write '{self.name}: float = {self.source}' in the file)"
        words = f"{self.name} must be {what[self.type]}{why}, not '{shown(said)}'{more}"
        return UserError(words, self.field)


def write(value: Value) -> str:
    """The text of a value, which `Parameter.read` parses as the same value."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return f"[{', '.join(map(repr, value))}]"
    return str(value)


def _literal(text: str) -> Value:
    """The number, None, True, False, quoted text or list that `text` is; else `text` itself."""
    try:
        value: Any = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return text
    return as_value(value, otherwise=text)


def as_value(value: Any, otherwise: Value = None) -> Value:
    """A Python literal as a value that `run.json` can hold; `otherwise` for all others."""
    if isinstance(value, (list, tuple)):
        flat = all(one is None or isinstance(one, (bool, int, float, str)) for one in value)
        return list(value) if flat else otherwise
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return otherwise


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # the bytes of a command line may be anything
        return False
    return True


def _fits_a_file(value: Value) -> bool:
    if isinstance(value, list):
        return all(map(_fits_a_file, value))
    if isinstance(value, int):
        return -_MAX_INT <= value < _MAX_INT
    return not isinstance(value, float) or math.isfinite(value)
