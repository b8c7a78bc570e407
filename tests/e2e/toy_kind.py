"""A kind of run that no product file knows: it halves a loss at each step. Run as a script, this is
a worker that knows it too."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import msgspec

from clr_tui.engine.analysis.report import Report, common_fields
from clr_tui.engine.kinds import JOB_KINDS, JobKind
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import JOBS, TaskConfig
from clr_tui.engine.settings.table import described, settings_of
from clr_tui.tui.charts.chart import Axis, Chart, Series
from clr_tui.tui.cli.job_options import add_settings, with_options
from clr_tui.tui.cli.parsing import add_detach
from clr_tui.tui.kinds.registry import KINDS, Command, Display, Kind
from clr_tui.tui.text.event_lines import EventLines


class Toy(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="toy"):
    steps: Annotated[int, described("how often to halve the loss", ge=1)] = 5


@dataclass(frozen=True)
class ToyReport(Report):
    last_loss: float | None


def check(_task, _job):
    """Its only setting has its limits in the struct."""
    return ()


def try_early(_config) -> None:
    """There is nothing that torch could refuse."""


def run(work):
    from clr_tui.engine.training.session import Result

    steps = work.config.job.steps
    work.emit(ev.TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=steps))
    losses = [0.5**step for step in range(steps)]
    work.emit(
        ev.Steps(trial=0, step=list(range(steps)), lr=[0.1] * steps, loss=losses, elapsed=1.0)
    )
    return Result("done", headline=f"{steps} steps")


def report(history, *, live: bool) -> ToyReport:
    trial = history.trial
    loss = [] if trial is None else trial.loss
    last = float(loss[-1]) if len(loss) else None
    return ToyReport(
        **common_fields(history, live), steps=len(loss), diverged=False, last_loss=last
    )


def job_of_log(events) -> Toy:
    return Toy(steps=sum(len(e.step) for e in events if isinstance(e, ev.Steps)))


def chart(history) -> Chart:
    trial = history.trial
    if trial is None:
        return Chart(empty="nothing yet")
    return Chart(series=(Series(trial.step, trial.loss),), x=Axis(label="step"), title="toy loss")


def add_options(parser) -> None:
    add_settings(parser, settings_of(Toy))
    add_detach(parser)


def settings(args, _runs):
    return TaskConfig(), with_options(Toy(), args), None


COMMAND = Command("Halve a loss, step by step.", "clr-tui toy --steps 3", add_options, settings)
DISPLAY = Display(
    title=lambda config, _history: [f"{config.job.steps} halvings"],
    charts=lambda history, _report: [chart(history)],
    lines=lambda _history, report, _width: [f"the loss came down to {report.last_loss:g}"],
    preview=lambda history, _alive: chart(history),
    progress=EventLines,
    sketch=lambda _job: Chart(empty="a toy has no schedule"),
    length=lambda job: f"{job.steps} steps",
)
ENGINE_KIND = JobKind(
    check="toy_kind:check",
    try_early="toy_kind:try_early",
    run="toy_kind:run",
    report="toy_kind:report",
    headline="",
    standing="clr_tui.engine.log.standing:TRAINING",
    job_of_log="toy_kind:job_of_log",
)
TUI_KIND = Kind(
    name="toy",
    title="toy run",
    phrase="a toy run",
    usage="[--steps N]",
    purpose="halve a loss",
    stopping="It stops at once.",
    how="The loss halves at each step.",
    command="toy_kind:COMMAND",
    screen="toy_screen:ToyScreen",
    display="toy_kind:DISPLAY",
)
TABLES = ((JOBS, Toy), (JOB_KINDS, ENGINE_KIND), (KINDS, TUI_KIND))
"""Where a kind is named, and what there."""


if __name__ == "__main__":
    from clr_tui.engine import worker

    for table, entry in TABLES:
        table["toy"] = entry
    raise SystemExit(worker.main(sys.argv[1:]))
