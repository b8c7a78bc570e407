"""The settings of runs of any kind by name, and those in which several runs differ."""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.engine.settings.table import settings_of
from clr_tui.engine.settings.texts import write
from clr_tui.tui.kinds.registry import KINDS

Settings = dict[str, str]
KIND = "kind"


def run_settings(config: RunConfig) -> Settings:
    """The settings of a run as text; those of a logged run as it gave them."""
    job = config.job
    if job is None or isinstance(job, LoggedRun):
        return dict(job.config) if job is not None else {}
    found = {KIND: KINDS[config.kind].title}
    for part in (config.task, job):
        for setting in settings_of(type(part)):
            found[setting.name] = write(setting, setting.value_in(part))
    return {name: text for name, text in found.items() if text}


def differences(runs: Sequence[Settings]) -> list[Settings]:
    """The settings of each run that another run has otherwise, or does not have.

    Of runs of several kinds only those that all kinds have: others say what kind it is.
    """
    names = dict.fromkeys(name for settings in runs for name in settings)
    if len({settings.get(KIND) for settings in runs}) > 1:
        names = {name: None for name in names if all(name in own for own in runs) or name == KIND}
    differing = [name for name in names if len({settings.get(name) for settings in runs}) > 1]
    return [{name: own[name] for name in differing if name in own} for own in runs]
