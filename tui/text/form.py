"""Converts between the texts of the new-run form and the settings of a run."""

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
from clr_tui.engine.settings.task_files import TaskFunction
from clr_tui.tui.text.form_fields import FormField, Values, job_settings, kind_in, title_of
from clr_tui.tui.text.parameter_fields import parameter_texts, read_parameters

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Reading:
    """The settings read from the form; task and job are None if a text cannot be read."""

    task: TaskConfig | None
    job: Job | None
    errors: dict[str, str]
    """The error sentence of each wrong field."""

    @property
    def valid_job(self) -> Job | None:
        """The job if it has no errors, so that it can be drawn."""
        return None if self.errors else self.job


def read_form(
    values: Values,
    task: TaskConfig | None = None,
    job: Job | None = None,
    function: TaskFunction | None = None,
) -> Reading:
    """Read the texts; those unchanged since the form opened keep their value in `task` or `job`.

    `function` is that of the user's task whose parameters have fields.
    """
    kind = kind_in(values)
    given_task = task or TaskConfig()
    given = job if job is not None and kind_of(job) == kind else blank(JOBS[kind])
    before = {**values, **form_texts(given_task, given)}
    errors: dict[str, str] = {}
    read_task = _changed(given_task, _task_settings(), values, before, errors)
    own = given_task.parameters if values["task"] == before["task"] else {}
    parameters = read_parameters(values, function, own, errors) if read_task.task else {}
    read_task = replace(read_task, parameters=parameters)
    read_job = _changed(given, job_settings(kind), values, before, errors)
    if errors:
        return Reading(None, None, errors)
    for error in check_numbers(read_task, read_job):
        errors.setdefault(field_of(error.field, read_job), error.message)
    return Reading(read_task, read_job, errors)


def form_texts(task: TaskConfig, job: Job) -> dict[str, str]:
    """Return the texts for `task` and `job`, with which "run again" opens."""
    kind = kind_of(job)
    values = {"kind": title_of(kind)}
    for config, settings in ((task, _task_settings()), (job, job_settings(kind))):
        for name, setting in settings.items():
            values[name] = written.write(setting, setting.value_in(config))
    return {**values, **parameter_texts(task.parameters)}


def field_of(error_field: str | None, job: Job) -> str:
    """Return the form's field for a `UserError`'s field; "" if there is none."""
    for name, setting in job_settings(kind_of(job)).items():
        if setting.name == error_field:
            return name
    return error_field or ""


@cache
def blank(job: type[S]) -> S:
    """Make the job with which the form opens: defaults, else examples."""
    required = [setting for setting in settings_of(job) if setting.default is REQUIRED]
    return job(**{each.path[0]: written.read(each, each.example) for each in required})


def _task_settings() -> dict[str, Setting]:
    rows = settings_of(TaskConfig)
    return {setting.name: setting for setting in rows if setting.format != "parameters"}


def _changed(
    given: S, settings: dict[str, Setting], values: Values, before: Values, errors: dict[str, str]
) -> S:
    """Apply the texts of `settings` to `given`; mistakes are added to `errors`."""
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
    """Return the value of one setting; raises `UserError` if its text cannot be read."""
    field = FormField(name, setting)
    if not field.plays_a_part(values):
        gone = field.plays_a_part(before)
        return setting.default if gone else setting.value_in(given)
    if values[name] == before[name]:
        return setting.value_in(given)  # to the last digit
    value = written.read(setting, values[name])
    if setting.format == "entries":
        # Keep rates that no text shows, such as those of `--lr 0.01`.
        known = {entry.label: entry for entry in setting.value_in(given)}
        return [known.get(entry.label, entry) for entry in value]
    return value
