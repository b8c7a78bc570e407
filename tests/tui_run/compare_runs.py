"""Comparisons on disk, each at a point of its life, and what their screen shows."""

from __future__ import annotations

from pathlib import Path

from comparison_logs import TICK, comparison_events, write_run
from run_logs import START, Log

from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.compare.ranking_table import Ranking

LABELS = ("adam", "sgd+clr", "rmsprop")
SIX = ("adam", "sgd+clr", "rmsprop", "adamax", "adagrad", "adadelta")


def compare_log(folder: Path, labels=LABELS, *, upto: int | None = None, **told) -> Log:
    """A comparison's log; `upto` keeps so many of its events."""
    run = write_run(folder / "runs", labels, **told)
    lines = run.events_path.read_bytes().splitlines(keepends=True)[:upto]
    run.events_path.write_bytes(b"".join(lines))
    log = Log(run)
    log.clock.now = START + TICK * len(lines)
    return log


def upto_epoch(trial: int, epoch: int, **told) -> int:
    """How many events there are up to the end of an epoch of a trial."""
    events = comparison_events(LABELS, **told)
    return 1 + next(
        place
        for place, event in enumerate(events)
        if isinstance(event, ev.EpochFinished) and (event.trial, event.epoch) == (trial, epoch)
    )


def all_failed(folder: Path) -> Log:
    """None of the trials came to its end."""
    log = compare_log(folder, upto=4 + len(LABELS))  # the rates are known
    for trial in range(9):
        entry, seed = divmod(trial, 3)
        reason = "the loss is not finite at step 7"
        log.tell(
            ev.TrialStarted(
                trial=trial,
                seed=seed,
                label=LABELS[entry],
                entry=entry,
                total_steps=80,
                steps_per_epoch=10,
            ),
            ev.TrialFinished(trial=trial, outcome="failed", step=7, reason=reason),
        )
    return log.tell(ev.RunFinished(outcome="failed", message="all 9 trials failed"))


def table(pilot) -> Ranking:
    """The ranking of the screen in front."""
    return pilot.app.screen.query_one(Ranking)


def chart(pilot):
    """The chart of the screen in front."""
    return pilot.app.screen.query_one("#chart").chart


def place(pilot) -> tuple[int, int | None]:
    """Entry and trial of the row under the cursor."""
    row = table(pilot).selected
    return row.entry, row.trial
