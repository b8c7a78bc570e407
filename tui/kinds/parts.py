"""What a kind of run provides to the command line and the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.cli.parsing import Parser
    from clr_tui.tui.text.event_lines import EventLines


class Command(NamedTuple):
    """The command that starts runs of one kind."""

    description: str
    """Shown above the options in its help."""
    examples: str
    add_options: Callable[[Parser], None]
    settings: Callable[[argparse.Namespace, Path], tuple[TaskConfig, Job, str | None]]
    """`(options, folder of runs) -> (task, job, id of the run given as --from)`; raises `UserError`
    if the options make no sense."""


class Display(NamedTuple):
    """What is shown of a run outside its screen; reports are the engine's for its kind."""

    title: Callable[[RunConfig], list[str]]
    """The parts of its title after data and model. The names in a task are empty if the log does
    not record them."""
    charts: Callable[[RunHistory, Any], list[Chart]]
    """`(history, report)`: from top to bottom, as the screen first shows them."""
    lines: Callable[[RunHistory, Any, int], list[str]]
    """`(history, report, width)`: the printed result below its title, at most `width` wide."""
    preview: Callable[[RunHistory, bool], Chart]
    """`(history, alive)`: the most telling chart, for the list of runs."""
    progress: Callable[[], EventLines]
    """Makes the lines of a run that is followed without a screen."""
    sketch: Callable[[Any], Chart]
    """`(job)`: the learning rate of a job that has not started, over its length."""
    length: Callable[[Any], str] = lambda _job: ""
    """`(job)`: what the form adds to the length of such a job; empty: nothing."""
    files: Callable[[RunHistory, Any], dict[str, Callable[[], str]]] = lambda _history, _report: {}
    """`(history, report)`: makers of its own text files, keyed by the option of `export`."""
    what_next: Callable[[str, Any], str] = lambda _run, _report: ""
    """`(run, report)`: a sentence that suggests the next command; `run` is the run's name."""
