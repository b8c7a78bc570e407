"""Makes the page of a run's result, for all kinds of runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Data, Report
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.settings.table import settings_of
from clr_tui.engine.settings.texts import write
from clr_tui.engine.version import package_version
from clr_tui.tui.cli.printing import charts_of
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.page import Page, Table
from clr_tui.tui.text.status import log_notices, status_of, title_of

_MOST_SEEDS = 50


def page_of(history: RunHistory, report: Report, *, alive: bool) -> Page:
    """Make the page of a run so far; `report` is the run's."""
    display = KINDS[history.config.kind].load_display()
    conclusions = [*display.conclusions(history, report), *log_notices(history)]
    if report.message:
        conclusions.insert(0, f"{report.status}: {plain(report.message)}")
    background = (
        _pairs("Settings", _settings(history.config)),
        _pairs("Made with", _machine(history)),
        _pairs("Data", _data(report.data) if report.data else {}),
        Table("Notes", ("",), tuple((plain(note),) for note in report.notes)),
    )
    return Page(
        title=plain(report.run),
        what=title_of(history.config, history),
        state=status_of(history, alive=alive).words,
        conclusions=tuple(conclusions),
        charts=tuple(charts_of(history, report)),
        tables=tuple(table for table in display.tables(history, report) if table.rows),
        background=tuple(table for table in background if table.rows),
    )


def _pairs(heading: str, pairs: dict[str, str]) -> Table:
    rows = tuple((plain(name), plain(value)) for name, value in pairs.items() if value)
    return Table(heading, ("", ""), rows, verbatim=frozenset({0, 1}))


def _settings(config: RunConfig) -> dict[str, str]:
    """What was asked for, by name; what a user's loop or another tool says of itself."""
    given: dict[str, str] | None = getattr(config.job, "config", None)
    if given is not None:
        return given
    parts = [config.job] if not config.task.model else [config.task, config.job]
    found = {}
    for part in parts:
        for setting in settings_of(type(part)):
            value = setting.value_in(part)
            found[setting.name] = write(setting, value) if value != {} else ""
    return found


def _machine(history: RunHistory) -> dict[str, str]:
    config, started, device = history.config, history.started, history.device
    begun = history.first_time
    return {
        "clr-tui": config.version or f"{package_version()} (read the log)",
        "torch": device.torch if device else "",
        "device": f"{device.name} ({device.device})" if device else "",
        "precision": history.precision,
        "host": started.host if started else "",
        "started": _date(begun) if begun and begun > 1e6 else "",
        "seeds": _seeds(trial.seed for trial in history.trials.values() if trial.role == "train"),
    }


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _seeds(seeds: Iterable[int]) -> str:
    known = sorted(set(seeds))
    more = f" and {len(known) - _MOST_SEEDS} more" if len(known) > _MOST_SEEDS else ""
    return ", ".join(map(str, known[:_MOST_SEEDS])) + more


def _data(data: Data) -> dict[str, str]:
    counts = {"training": data.train, "validation": data.validation, "test": data.test}
    found = {f"{part} {data.samples}": numbers.count(count) for part, count in counts.items()}
    classes = "" if data.classes is None else str(len(data.classes))
    return {**found, "classes": classes, "skipped files": str(data.skipped or "")}
