"""What the texts of the new-run form ask for, and the texts that ask for a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings import texts as written
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import JOBS, Job, TaskConfig, kind_of
from clr_tui.engine.settings.table import REQUIRED, Setting, settings_of
from clr_tui.tui.text.form_fields import FormField, Values, job_settings, kind_in, title_of

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Reading:
    """What the form asks for; task and job are None where a text cannot be read."""

    task: TaskConfig | None
    job: Job | None
    errors: dict[str, str]
    """The sentence by the name of its field."""

    @property
    def sound(self) -> Job | None:
        """The job where all is right, so that its numbers can be reckoned with and drawn."""
        return None if self.errors else self.job


def read(values: Values, task: TaskConfig | None = None, job: Job | None = None) -> Reading:
    """What `values`, a text for every field, ask for.

    Args:
        values: the texts.
        task: what the form began with: texts that are as they were mean what they meant.
        job: likewise.
    """
    kind = kind_in(values)
    given_task = task or TaskConfig()
    given = job if job is not None and kind_of(job) == kind else blank(JOBS[kind])
    before = {**values, **texts(given_task, given)}
    errors: dict[str, str] = {}
    read_task = _changed(given_task, _task_settings(), values, before, errors)
    read_job = _changed(given, job_settings(kind), values, before, errors)
    if errors:
        return Reading(None, None, errors)
    for error in check_numbers(read_task, read_job):
        errors.setdefault(field_of(error.field, read_job), error.message)
    return Reading(read_task, read_job, errors)


def texts(task: TaskConfig, job: Job) -> dict[str, str]:
    """The texts that ask for `task` and `job`: what "run again" opens with."""
    kind = kind_of(job)
    found = {"kind": title_of(kind)}
    for config, settings in ((task, _task_settings()), (job, job_settings(kind))):
        for name, setting in settings.items():
            found[name] = written.write(setting, setting.value_in(config))
    return found


def field_of(error_field: str | None, job: Job) -> str:
    """The field of the form that a `UserError`'s field means; "" where none does."""
    for name, setting in job_settings(kind_of(job)).items():
        if setting.name == error_field:
            return name
    return error_field or ""


@cache
def blank(job: type[S]) -> S:
    """A job as the form begins with it: its defaults, and examples where there is none."""
    required = [setting for setting in settings_of(job) if setting.default is REQUIRED]
    return job(**{each.path[0]: written.read(each, each.example) for each in required})


def _task_settings() -> dict[str, Setting]:
    return {setting.name: setting for setting in settings_of(TaskConfig)}


def _changed(
    given: S, settings: dict[str, Setting], values: Values, before: Values, errors: dict[str, str]
) -> S:
    """`given` with what the texts of its settings say; mistakes are added to `errors`."""
    changes: dict[str, Any] = {}
    for name, setting in settings.items():
        try:
            value = _value(name, setting, given, values, before)
        except UserError as error:
            errors[name] = error.message
            continue
        outer, *inner = setting.path
        if inner:
            value = replace(changes.get(outer, getattr(given, outer)), **{inner[0]: value})
        changes[outer] = value
    changed = replace(given, **changes)
    empty = [each for each in settings.values() if each.derive and each.value_in(changed) is None]
    return replace(changed, **{each.path[0]: each.derive(changed) for each in empty if each.derive})


def _value(
    name: str, setting: Setting, given: msgspec.Struct, values: Values, before: Values
) -> Any:
    """The value of one setting.

    Raises:
        UserError: its text cannot be read.
    """
    field = FormField(name, setting)
    if not field.plays_a_part(values):
        gone = field.plays_a_part(before)
        return setting.default if gone else setting.value_in(given)
    if values[name] == before[name]:
        return setting.value_in(given)  # to the last digit
    value = written.read(setting, values[name])
    if setting.format == "entries":
        # Their rates may have come from elsewhere: `--lr 0.01` is in no text.
        known = {entry.label: entry for entry in setting.value_in(given)}
        return [known.get(entry.label, entry) for entry in value]
    return value
