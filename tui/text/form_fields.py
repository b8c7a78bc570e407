"""The fields of the new-run form: one per setting of the task and of each kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from clr_tui.engine.kinds import startable_kinds
from clr_tui.engine.settings.config import AROUND, GRID, JOBS, TaskConfig
from clr_tui.engine.settings.table import REQUIRED, Setting, settings_of
from clr_tui.engine.settings.texts import OFF, ON, write
from clr_tui.tui.kinds.registry import KINDS

Values = Mapping[str, str]
"""The text of every field, by its name."""
FOLDED, UNFOLDED = "hidden", "shown"


@dataclass(frozen=True)
class FormField:
    """A line of the form."""

    name: str
    """The setting's name; prefixed with the kind if another kind uses that name differently."""
    setting: Setting
    kinds: tuple[str, ...] = ()
    """The kinds of job that have it; empty means all."""

    @property
    def id(self) -> str:
        """The id of its widget, which takes fewer characters than a name in Python."""
        return "".join(
            char if char.isascii() and (char.isalnum() or char == "_") else f"-{ord(char):x}"
            for char in self.name
        )

    @property
    def hint(self) -> str:
        """The setting's help as a sentence."""
        return f"{self.setting.help[:1].upper()}{self.setting.help[1:]}."

    @property
    def default(self) -> str:
        """The text with which the form opens: the setting's default, or else its example."""
        setting = self.setting
        return setting.example if setting.default is REQUIRED else write(setting, setting.default)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from; empty if the value is typed."""
        if self.setting.type is bool:
            return (ON, OFF)
        nothing = (self.setting.empty,) if self.setting.choices and self.setting.empty else ()
        return (*nothing, *self.setting.choices)

    @property
    def placeholder(self) -> str:
        """The text shown while the field is empty."""
        return self.setting.empty or self.setting.example

    def plays_a_part(self, values: Values) -> bool:
        """Return whether the job depends on it, given the other fields."""
        if self.kinds and kind_in(values) not in self.kinds:
            return False
        if self.setting.by_name and values["task"].strip():
            return False
        when = _WHEN.get(self.name)
        return when is None or when(values)


def kind_in(values: Values) -> str:
    """Return the chosen kind of job."""
    return next(name for name in startable_kinds() if title_of(name) == values["kind"])


def title_of(kind: str) -> str:
    """Return the title of a kind."""
    return KINDS[kind].title if kind in KINDS else kind


def _uses_sgd(values: Values) -> bool:
    return values["optimizer"].partition("(")[0].strip().lower() == "sgd"


def _policy_has(*words: str) -> Callable[[Values], bool]:
    """Return whether a policy whose name contains one of `words` is chosen."""

    def chosen(values: Values) -> bool:
        asked = job_settings(kind_in(values)).keys() & {"policy", "optimizers"}
        return any(word in values[name] for name in asked for word in words)

    return chosen


_WHEN: dict[str, Callable[[Values], bool]] = {
    "epochs": lambda values: not (values["steps"].strip() or values["time"].strip()),
    "steps": lambda values: not values["time"].strip(),
    "seeds": lambda values: not values["time"].strip(),
    "compare_seeds": lambda values: not values["compare_time"].strip(),
    "policy": lambda values: not values["scheduler"].strip(),
    "gamma": _policy_has("exp-range"),
    "warmup": _policy_has("cosine", "warmup"),
    "decay": _policy_has("warmup"),
    "halving": lambda values: values["lr"].strip().lower().startswith((GRID, AROUND)),
    "momentum": _uses_sgd,
    "weight_decay": _uses_sgd,  # other optimizers take it in parentheses
    "study": lambda values: values["study"] in ("none", values["model"]),
}
"""When a field plays a part in a job of its kind, if not always."""


def job_settings(kind: str) -> dict[str, Setting]:
    """Return the settings of a kind of job by field name; kinds share fields of equal settings."""
    found: dict[str, Setting] = {}
    first = {setting.name: setting for setting in settings_of(TaskConfig)}
    for each, job in JOBS.items():
        for setting in settings_of(job):
            name = setting.name
            if first.setdefault(name, setting) != setting:
                name = f"{each.replace('-', '_')}_{name}"
            if each == kind:
                found[name] = setting
    return found


def form_fields(devices: tuple[str, ...] = ()) -> tuple[FormField, ...]:
    """Return all fields, rare ones after the one that unfolds them; `devices` are torch's names."""
    kinds = Setting(
        "find learning rate bounds, train between them, or compare optimizers",
        title="kind",
        choices=tuple(map(title_of, startable_kinds())),
        default=title_of(startable_kinds()[0]),
    )
    more = Setting(
        "show or hide settings that are rarely changed",
        title="more settings",
        choices=(FOLDED, UNFOLDED),
        default=FOLDED,
    )
    asked = [
        FormField(each.name, _on(each, devices))
        for each in settings_of(TaskConfig)
        if each.format != "parameters"
    ]
    asked += _of_jobs()
    usual = [field for field in asked if not field.setting.rare]
    rare = [field for field in asked if field.setting.rare]
    return (FormField("kind", kinds), *usual, FormField("more", more), *rare)


def _on(setting: Setting, devices: tuple[str, ...]) -> Setting:
    """Offer the machine's devices as choices of the setting `device`."""
    return replace(setting, choices=("auto", *devices)) if setting.name == "device" else setting


def _of_jobs() -> list[FormField]:
    kinds: dict[str, list[str]] = {}
    rows: dict[str, Setting] = {}
    for kind in reversed(startable_kinds()):
        for name, setting in job_settings(kind).items():
            kinds.setdefault(name, []).insert(0, kind)
            rows[name] = setting
    fields = [FormField(name, rows[name], tuple(kinds[name])) for name in kinds]
    return sorted(fields, key=lambda field: len(field.kinds) > 1)
