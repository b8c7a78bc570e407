"""The kinds of run: their names in the UI, what each provides, and where that is.

Parts are given as "module:name" and imported on demand, so that this table costs `clr-tui --help`
next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from clr_tui.engine.by_name import named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.cli.parsing import Parser
    from clr_tui.tui.sources import NamedSource, Source
    from clr_tui.tui.text.event_lines import EventLines
    from clr_tui.tui.text.page import Table


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

    title: Callable[[RunConfig, RunHistory], list[str]]
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
    conclusions: Callable[[RunHistory, Any], list[str]] = lambda _history, _report: []
    """`(history, report)`: what the result says, in sentences, for its page."""
    tables: Callable[[RunHistory, Any], list[Table]] = lambda _history, _report: []
    """`(history, report)`: its results as tables, for its page."""
    what_next: Callable[[str, Any], str] = lambda _run, _report: ""
    """`(run, report)`: a sentence that suggests the next command; `run` is the run's name."""


class Kind(NamedTuple):
    """One kind of run; `name` is its name in the engine."""

    name: str
    title: str
    """Such as "range test"."""
    phrase: str
    """The title with its article: "a range test"."""
    usage: str
    """What follows `clr-tui NAME` in the usage line."""
    purpose: str
    """What the command does: its line in `clr-tui --help`."""
    stopping: str
    """What stopping a run means, a sentence."""
    how: str
    """The text below the keys in the help of the screen."""
    command: str
    """Place of its `Command`; empty if no command starts such runs."""
    screen: str
    """Place of its subclass of `RunScreen`."""
    display: str
    """Place of its `Display`."""
    curves: bool = True
    """Whether its screen has the keys for smoothing and for comparing optimizers."""

    def load_command(self) -> Command:
        """Imports its command-line options."""
        return cast(Command, named(self.command))

    def load_display(self) -> Display:
        """Imports what is shown of its runs outside their screen."""
        return cast(Display, named(self.display))

    def load_screen(self) -> Callable[[Source, RunConfig, RunDir | None], Any]:
        """Imports its screen class, untyped so that the command line needs no Textual."""
        return cast("Callable[[Source, RunConfig, RunDir | None], Any]", named(self.screen))


_HERE = "clr_tui.tui.kinds"
_RANGE_TEST = Kind(
    name="range-test",
    title="range test",
    phrase="a range test",
    usage="[OPTION]...",
    purpose="sweep the learning rate to find its bounds",
    stopping="The sweep ends after the current step; its results so far are kept.",
    how=(
        "The loss falls where the learning rate is useful and rises where it is too large. The two "
        "marks are base_lr and max_lr of cyclical training: set max_lr near the lowest losses, "
        "before they turn up (bottom is two thirds across them), and base_lr about 6 times lower. "
        "The bar at the bottom is the interval of the best max_lr. If the curve gives no answer, "
        "the line above the keys says why. Then press t."
    ),
    command=f"{_HERE}.range_test.command:COMMAND",
    screen=f"{_HERE}.range_test.screen:RangeTestScreen",
    display=f"{_HERE}.range_test.display:DISPLAY",
)
_TRAIN = Kind(
    name="train",
    title="training",
    phrase="a training",
    usage="--from RUN | --max-lr X [OPTION]...",
    purpose="train with cyclical learning rates between two bounds",
    stopping="The training ends after the current step and saves a checkpoint.",
    how=(
        "The learning rate climbs from base_lr to max_lr and back, a cycle at a time (Smith 2017). "
        "What is measured in mid-cycle is not final: it is best where the rate has come down, at "
        "the end of a cycle. The best epoch on validation and the last one are both kept as "
        "checkpoints (a comparison keeps none), and both are measured on the test part at the end."
    ),
    command=f"{_HERE}.train.command:COMMAND",
    screen=f"{_HERE}.train.screen:TrainingScreen",
    display=f"{_HERE}.train.display:DISPLAY",
)
_COMPARE = Kind(
    name="compare",
    title="comparison",
    phrase="a comparison",
    usage="[OPTION]...",
    purpose="train several optimizers with several seeds each and compare them",
    stopping="All its trials end after the current step; their results so far are kept.",
    how=(
        "Each optimizer trains from the same seeds: the same initial weights, the same order of "
        "data. A line is the mean over seeds, its band the 95% interval of that mean; optimizers "
        "share a rank where the seeds cannot tell them apart. Epochs are chosen on validation, "
        "the table reports test. Open a trial to see its learning rate, loss and metric. A grid of "
        "rates is shown by rate: f switches to the curves and back."
    ),
    command=f"{_HERE}.compare.command:COMMAND",
    screen=f"{_HERE}.compare.screen:ComparisonScreen",
    display=f"{_HERE}.compare.display:DISPLAY",
    curves=False,
)
_LOGGED = Kind(
    name="logged",
    title="logged run",
    phrase="a logged run",
    usage="",
    purpose="",
    stopping="The loop ends when it asks for its next batch.",
    how=(
        "A chart for each name that was logged; values of training and validation share one, and "
        "so do learning rates. The faint line is what was logged, the strong one is smoothed to "
        "both sides, so that it lags nowhere. The bar on the left marks the chosen chart, which "
        "enter enlarges and y switches. How a log is viewed is remembered."
    ),
    command="",
    screen=f"{_HERE}.logged.screen:LoggedScreen",
    display=f"{_HERE}.logged.display:DISPLAY",
    curves=False,
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (_RANGE_TEST, _TRAIN, _COMPARE, _LOGGED)}


def kinds_with_command() -> dict[str, Kind]:
    """The kinds of run that a command starts."""
    return {name: kind for name, kind in KINDS.items() if kind.command}


def load_screen_together() -> Callable[[Sequence[NamedSource]], Any]:
    """Imports the screen of several runs of any kinds, untyped as above."""
    place = f"{_HERE}.logged.together:TogetherScreen"
    return cast("Callable[[Sequence[NamedSource]], Any]", named(place))
