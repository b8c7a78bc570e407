"""The settings that users can set: one row each, read from the structs that hold them.

A row is a `described` annotation of a field, with the field's name, type and default. Checks,
command-line options and fields of the form are made from the rows. Fields without such an
annotation cannot be set by users.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.limits import Limits
from clr_tui.engine.words import exact_lr

REQUIRED = msgspec.NODEFAULT
"""The default of a setting that has none."""
Format = Literal["", "target", "optimizer", "entries", "scheduler", "parameters", "duration"]


@dataclass(frozen=True)
class Setting:
    """One setting, as users see it everywhere."""

    help: str
    """Its meaning and values: one line, without a full stop."""
    title: str = ""
    """Its label in the form, if not its name."""
    name: str = ""
    """Its name in errors and options, if not that of its field."""
    example: str = ""
    """A value as it is written; where not given, the default."""
    choices: Collection[str] = ()
    """All values that there are; of a Literal they need not be given."""
    words: Collection[str] = ()
    """Words that a number may be replaced by."""
    beginnings: tuple[str, ...] = ()
    """Beginnings of texts that a number may be replaced by; the rest is checked elsewhere."""
    empty: str = ""
    """The meaning of no value: "auto"."""
    rare: bool = False
    """Whether few users ever change it."""
    option: str = ""
    """Its command-line option, if not named like the setting."""
    metavar: str = ""
    format: Format = ""
    """The format of its text, if not given by its type: see `engine.settings.texts`."""
    derive: Callable[[Any], Any] | None = None
    """Computes the value from the struct's other settings if there is none."""
    by_name: bool = False
    """Whether it plays a part only where data and model are chosen by name: not in an own task."""
    limits: Limits = field(default_factory=Limits)
    path: tuple[str, ...] = ()
    """The field with its value, or a field and the field in it."""
    type: type = str
    default: Any = REQUIRED

    def value_in(self, config: msgspec.Struct) -> Any:
        """Its value in a struct that has it."""
        value: Any = config
        for part in self.path:
            value = getattr(value, part)
        return value

    def mistake(self, value: Any, name: str = "", field: str = "") -> UserError | None:
        """What is wrong with `value`, or None; `name` and `field` override the setting's name."""
        at = field or self.name
        if value is None or (value == "" and self.empty) or value in self.words:
            return None
        if isinstance(value, str) and self.beginnings and value.startswith(self.beginnings):
            return None
        if isinstance(value, str) and self.words:
            texts = (f"{beginning}..." for beginning in self.beginnings)
            return limits.choice_mistake(at, value, (*self.words, *texts, "a number"), name)
        if self.choices and value not in self.choices:
            return limits.choice_mistake(at, value, self.choices, name)
        return self.limits.mistake(at, value, name) if self.type in (int, float) else None


def described(help: str, **parts: Any) -> msgspec.Meta:
    """The annotation of a field that is a setting; `parts` are those of `Setting` and `Limits`.

    The limits are not those of msgspec, which would then refuse the `run.json` of a version that
    allowed more.
    """
    ends = {name: parts.pop(name) for name in Limits.__dataclass_fields__.keys() & parts.keys()}
    row = Setting(help, limits=Limits(**ends), **parts)
    return msgspec.Meta(description=help, extra={"setting": row})


@cache
def settings_of(config: type[msgspec.Struct]) -> tuple[Setting, ...]:
    """The settings of a struct, in the order of its fields, including those of nested structs."""
    found: list[Setting] = []
    for each in msgspec.structs.fields(config):
        row = _annotated(each)
        if row is None:
            continue
        found.append(row)
        if isinstance(row.type, type) and issubclass(row.type, msgspec.Struct):
            found += [
                replace(inner, path=(each.name, *inner.path)) for inner in settings_of(row.type)
            ]
    return tuple(found)


def setting_of(config: type[msgspec.Struct], name: str) -> Setting:
    """The setting `name` of a struct."""
    return next(row for row in settings_of(config) if row.name == name)


def mistakes_in(config: msgspec.Struct) -> Iterator[UserError]:
    """The mistakes of settings in `config` outside their limits or choices, in order."""
    for row in settings_of(type(config)):
        mistake = row.mistake(row.value_in(config))
        if mistake is not None:
            yield mistake


def _annotated(found: msgspec.structs.FieldInfo) -> Setting | None:
    kind, *notes = get_args(found.type) if hasattr(found.type, "__metadata__") else (found.type,)
    row: Setting
    for note in notes:
        if isinstance(note, msgspec.Meta) and note.extra and "setting" in note.extra:
            row = note.extra["setting"]
            break
    else:
        return None
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not types.NoneType)
    choices = row.choices
    if get_origin(kind) is Literal:
        kind, choices = str, get_args(kind)
    default = found.default
    if default is REQUIRED and found.default_factory is not REQUIRED:
        default = found.default_factory()
    name = row.name or found.name
    return replace(
        row,
        name=name,
        title=row.title or name.replace("_", " "),
        example=row.example or (exact_lr(default) if isinstance(default, float) else str(default)),
        path=(found.name,),
        type=get_origin(kind) or kind,
        choices=choices,
        default=default,
    )
