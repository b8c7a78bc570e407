"""Without a screen, a run that failed in a user's own code prints the lines of that code."""

from __future__ import annotations

import io

from comparison_logs import comparison_config
from made_runs import make_sweep

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.tui.cli.progress import ProgressLines

TRACEBACK = [
    'File "/home/me/mytask.py", line 12, in step',
    "    return loss_of(model(x), y)",
    'File "/home/me/losses.py", line 3, in loss_of',
    "    raise ValueError('\x1b[31mbad')",
    "ValueError: \x1b[31mbad",
]


def test_the_lines_come_before_the_sentence(cli, runs) -> None:
    message = "ValueError: bad (losses.py:3, in loss_of)"
    ending = [ev.RunFinished(outcome="failed", message=message, traceback=TRACEBACK)]
    run = make_sweep(runs, steps=0, ending=ending)
    result = cli("attach", run.id)
    assert (result.code, result.out) == (1, "")
    *lines, sentence = result.err.splitlines()
    assert lines == [line.replace("\x1b", "�") for line in TRACEBACK]
    assert sentence == f"clr-tui: {run.id} failed: {message}"


def test_trials_that_fail_alike_print_them_once() -> None:
    history, said = RunHistory(comparison_config()), io.StringIO()
    lines = ProgressLines(said, in_place=False, clock=lambda: 0.0)
    for trial in range(3):
        event = ev.TrialFinished(
            trial=trial, outcome="failed", step=0, reason="bad", traceback=TRACEBACK
        )
        history.apply(event)
        lines.show(history, [event])
    assert said.getvalue().count("mytask.py") == 1
    assert said.getvalue().count("failed: bad") == 3
