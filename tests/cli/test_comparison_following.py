"""Following a comparison without a screen: a line a rate and a trial, and where it stands."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from comparison_logs import (
    LABELS,
    comparison_config,
    comparison_events,
    comparison_history,
    write_run,
)

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate
from clr_tui.tui.cli.headless import follow_and_print
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.cli.progress import ProgressLines
from clr_tui.tui.kinds.compare.progress import ComparisonLines


def lines_of_whole_log(**log) -> list[str]:
    """The lines of a log that is there whole."""
    history = comparison_history(**log)
    said = io.StringIO()
    lines = ProgressLines(said, in_place=False, clock=lambda: 0.0)
    lines.show(history, comparison_events(**log))
    return said.getvalue().splitlines()


def test_a_line_a_trial_and_not_a_line_an_epoch() -> None:
    lines = lines_of_whole_log()
    assert lines[0] == "compare-flowers-1 started"
    assert "2 trials side by side, 1 thread each (2 cores)" in lines
    assert "adam: learning rate 0.001, its default" in lines
    assert "sgd+clr: learning rate 6e-4 to 0.0036, as given" in lines
    ends = [line for line in lines if line.endswith(" of 9]")]
    assert [line.split(":")[0] for line in ends] == [
        f"{label} seed {seed}" for label in LABELS for seed in range(3)
    ]
    assert [line.rpartition("[")[2] for line in ends] == [f"{i} of 9]" for i in range(1, 10)]
    assert len(lines) == 4 + len(LABELS) + 9


def test_the_end_of_a_trial_shows_its_result() -> None:
    trial = comparison_history().trials[4]
    best = max(trial.validations().values(), key=lambda e: e.value("accuracy"))
    (line,) = [line for line in lines_of_whole_log() if line.startswith("sgd+clr seed 1:")]
    assert f": {100 * best.value('accuracy'):.1f} % in epoch {best.epoch}, " in line
    assert f" test {100 * (best.value('accuracy') - 0.004):.1f} %, 0:16  [5 of 9]" in line


def test_a_failure_names_its_trial_and_reason_once() -> None:
    lines = lines_of_whole_log(failed=(1, 2))
    reason = "the loss is not finite at step 40, learning rate 3.6e-03"
    assert [line for line in lines if "not finite" in line] == [
        f"sgd+clr seed 2: failed: {reason}  [6 of 9]"
    ]
    assert sum("9]" in line for line in lines) == 9


def test_an_unstarted_trial_has_a_name_too() -> None:
    """A process that dies as it starts, or an optimizer that cannot be made."""
    history, said = RunHistory(comparison_config(first_seed=40)), io.StringIO()
    failed = ev.TrialFinished(trial=4, outcome="failed", step=0, reason="it has no default rate")
    stopped = ev.TrialFinished(trial=5, outcome="stopped", step=0, reason="asked")
    for event in (failed, stopped):
        history.apply(event)
    ProgressLines(said, in_place=False, clock=lambda: 0.0).show(history, [failed, stopped])
    assert said.getvalue() == "sgd+clr seed 41: failed: it has no default rate  [1 of 9]\n"


def test_a_failed_sweep_is_reported() -> None:
    history, said = RunHistory(comparison_config(tuned=True)), io.StringIO()
    started = ev.TrialStarted(
        trial=9, seed=0, total_steps=100, steps_per_epoch=10, label="adam", entry=0, role="sweep"
    )
    failed = ev.TrialFinished(trial=9, outcome="failed", step=3, reason="out of memory")
    for event in (started, failed):
        history.apply(event)
    ProgressLines(said, in_place=False, clock=lambda: 0.0).show(history, [started, failed])
    assert said.getvalue() == "adam range test: failed: out of memory\n"


def test_the_cost_of_a_rate_is_reported_and_a_sweep_is_not_a_trial() -> None:
    lines = lines_of_whole_log(tuned=True)
    assert "rmsprop: learning rate 1.0e-02 by a range test of 100 steps, 0:04" in lines
    assert sum(line.endswith("of 9]") for line in lines) == 9


def test_a_rate_that_is_not_what_was_asked_for_says_why() -> None:
    history = RunHistory(comparison_config())
    event = ev.RateChosen(entry=0, lr=1e-3, source="default", note="The curve is flat.")
    said = io.StringIO()
    ProgressLines(said, in_place=False).show(history, [event])
    assert said.getvalue() == "adam: learning rate 0.001, its default. The curve is flat.\n"


def test_the_rates_of_a_grid_take_one_line_and_its_ends_one_each() -> None:
    job = at_each_rate(
        Compare(entries=parse_entries("adam,sgd+clr,rmsprop(lr=0.1)"), rates="grid:1e-3..0.1x3")
    )
    history, said = RunHistory(msgspec.structs.replace(comparison_config(), job=job)), io.StringIO()
    events = [ev.RateChosen(entry=i, lr=e.lr, source="given") for i, e in enumerate(job.entries)]
    started = ev.TrialStarted(
        trial=6, seed=0, entry=2, label="adam(lr=0.1)", total_steps=9, steps_per_epoch=1
    )
    ended = ev.EntryEnded(entry=2, epoch=4, reason="it is behind.")
    stopped = ev.TrialFinished(trial=6, outcome="stopped", step=4, reason="its rate ended early")
    events += [started, ended, stopped]
    for event in events:
        history.apply(event)
    ProgressLines(said, in_place=False).show(history, events)
    assert said.getvalue().splitlines() == [
        "adam and sgd+clr: 3 rates, grid:1e-3..0.1x3",
        "rmsprop(lr=0.1): learning rate 0.1, as given",
        "adam(lr=0.1) ended early: it is behind.",
    ]


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (ev.PoolReady(jobs=1, threads=2, devices=["cpu"]), "one trial at a time, 2 threads each"),
        (
            ev.PoolReady(jobs=4, threads=0, devices=["cuda:0", "cuda:1"], reason="2 GPUs"),
            "4 trials side by side on cuda:0, cuda:1 (2 GPUs)",
        ),
    ],
)
def test_how_trials_share_the_machine(pool: ev.PoolReady, words: str) -> None:
    said = io.StringIO()
    ProgressLines(said, in_place=False).show(RunHistory(comparison_config()), [pool])
    assert said.getvalue() == f"{words}\n"


def test_overall_progress_is_shown_in_one_line() -> None:
    history = comparison_history(running=True)
    assert ComparisonLines().progress_line(history) == "4 of 9 trials, 55.6 %, left 4:27"
    history.apply(ev.Paused())
    assert ComparisonLines().progress_line(history) == "4 of 9 trials, 55.6 %, paused"
    assert ComparisonLines().progress_line(comparison_history()) == ""


def test_which_rates_are_being_tuned() -> None:
    history = RunHistory(comparison_config(tuned=True))
    for event in comparison_events(tuned=True):
        if isinstance(event, ev.TrialFinished):
            break
        history.apply(event)
    history.apply(
        ev.Overall(
            done=0, failed=0, stopped=0, running=0, total=9, fraction=0.01, eta_seconds=600.0
        )
    )
    assert (
        ComparisonLines().progress_line(history) == "0 of 9 trials, 1.0 %, tuning adam, left 10:00"
    )


@pytest.mark.parametrize(("in_place", "lines"), [(False, [0, 1]), (True, [2, 2])])
def test_off_a_terminal_progress_is_printed_after_ten_silent_seconds(
    in_place: bool, lines: list[int]
) -> None:
    history = comparison_history(running=True)
    now, said = [0.0], io.StringIO()
    progress = ProgressLines(said, in_place=in_place, clock=lambda: now[0])
    for at, fraction in ((4.0, 0.6), (9.0, 0.61)):
        now[0] = at
        history.apply(msgspec.structs.replace(history.overall, fraction=fraction))
        progress.show(history, [])
    assert said.getvalue().count("of 9 trials") == lines[0]
    now[0] = 10.5
    progress.show(history, [])
    assert said.getvalue().count("of 9 trials") == lines[1]


def follow(run: RunDir, *, json: bool = True) -> int:
    with Interrupts() as interrupts:
        return follow_and_print(run, interrupts, owner=True, json=json)


def test_failed_trials_are_reported_though_the_run_is_done(runs: Path, capsys) -> None:
    run = write_run(runs, failed=(1, 0))
    assert follow(run) == 0
    assert f"clr-tui: {run.id}: 1 of 9 trials failed" in capsys.readouterr().err


def test_a_result_is_followed_by_what_keeps_it(runs: Path, capsys) -> None:
    run = write_run(runs)
    assert follow(run, json=False) == 0
    said = capsys.readouterr()
    assert f"`clr-tui export {run.id} --" in said.err
    assert "adam" in said.out


@pytest.mark.parametrize("outcome", ["failed", "stopped"])
def test_a_comparison_without_any_result_is_a_failure(runs: Path, capsys, outcome: str) -> None:
    run = write_run(runs, running=True)
    end = ev.RunFinished(outcome=outcome, message="all 9 trials failed", seq=10**6)
    with run.events_path.open("ab") as log:
        log.write(msgspec.json.encode(end) + b"\n")
    assert follow(run) == 1
    assert "all 9 trials failed" in capsys.readouterr().err


def test_a_comparison_whose_worker_is_gone_is_lost(runs: Path, capsys) -> None:
    run = write_run(runs, running=True)
    assert follow(run) == 1
    assert f"clr-tui: {run.id} was lost" in capsys.readouterr().err


def test_ls_shows_the_progress_of_a_comparison(cli, runs: Path, hold) -> None:
    run = write_run(runs, running=True)
    hold(run)
    row = cli("ls").out.splitlines()[1].split("  ")
    cells = [cell.strip() for cell in row if cell.strip()]
    assert cells[:5] == [run.id, "compare", "flowers, cnn", "silent", "56 %"]
    assert cells[5].endswith(" d on here: 4 of 9 trials")  # since its log was written
