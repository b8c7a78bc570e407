import msgspec
import pytest
from comparison_logs import comparison_config, comparison_history
from view_histories import run_config, sweep_history

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, TaskConfig, Train
from clr_tui.tui.kinds.compare.progress import comparison_status_words
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.status import (
    failure_words,
    notices,
    paused_or_stopped_words,
    progress_bar,
    status_of,
    title_of,
    waiting_words,
)

CONFIG = run_config(job=RangeTest())
STARTED = ev.RunStarted(run="r-1", kind="range-test")
TRIAL = ev.TrialStarted(trial=0, seed=0, total_steps=10, steps_per_epoch=5)


def history_of(*events) -> RunHistory:
    history = RunHistory(CONFIG)
    for event in events:
        history.apply(event)
    return history


@pytest.mark.parametrize(
    ("events", "alive", "state"),
    [
        ([], True, "starting"),
        ([STARTED], True, "starting"),
        ([STARTED, ev.Progress(what="decoding images", done=1, total=9)], True, "preparing"),
        ([STARTED, TRIAL], True, "running"),
        ([STARTED, TRIAL, ev.Paused()], True, "paused"),
        ([STARTED, TRIAL, ev.Paused(), ev.Continued()], True, "running"),
        ([STARTED, TRIAL], False, "lost"),
        ([], False, "lost"),
        ([STARTED, ev.RunFinished(outcome="failed", message="x")], False, "failed"),
        ([STARTED, TRIAL, ev.RunFinished(outcome="stopped")], False, "stopped"),
        ([STARTED, TRIAL, ev.RunFinished(outcome="done")], True, "done"),
    ],
)
def test_states(events, alive, state):
    status = status_of(history_of(*events), alive=alive)
    assert status.state == state
    assert status.words.endswith(state)
    assert status.ended == (state in ("done", "stopped", "failed", "lost"))


def test_states_differ_by_more_than_colour():
    symbols = {
        status_of(history_of(*events), alive=alive).words[0]
        for events, alive in [
            ([STARTED], True),
            ([STARTED, TRIAL], True),
            ([STARTED, TRIAL, ev.Paused()], True),
            ([STARTED, TRIAL], False),
            ([STARTED, ev.RunFinished(outcome="failed")], False),
            ([STARTED, ev.RunFinished(outcome="stopped")], False),
            ([STARTED, ev.RunFinished(outcome="done")], False),
        ]
    }
    assert len(symbols) == 7


def test_waiting_words_describe_the_current_work():
    assert "importing torch" in waiting_words(history_of(), "starting")
    progress = ev.Progress(what="decoding images", done=1200, total=3670)
    assert waiting_words(history_of(progress), "preparing") == "decoding images 1200 of 3670"
    assert progress_bar(history_of(progress), "preparing", 12) == "━━━━────────"
    assert progress_bar(history_of(), "preparing", 12) == ""
    assert "failed" in waiting_words(history_of(), "failed")


def test_a_paused_run_says_how_it_goes_on():
    assert "press space to continue" in waiting_words(
        history_of(STARTED, TRIAL, ev.Paused()), "paused"
    )
    assert (
        paused_or_stopped_words(sweep_history(done=False), "paused")
        == "Paused: press space to continue."
    )
    assert paused_or_stopped_words(sweep_history(done=False), "running") == ""


def test_work_in_one_piece_has_neither_a_count_nor_a_bar():
    compiling = history_of(ev.Progress(what="compiling the model", done=0, total=1))
    assert waiting_words(compiling, "preparing") == "compiling the model ..."
    assert EventLines().progress_line(compiling) == "compiling the model ..."
    assert progress_bar(compiling, "preparing", 12) == ""


@pytest.mark.parametrize("state", ["paused", "failed", "lost", "stopped", "done"])
def test_an_idle_run_has_no_progress_bar(state):
    assert progress_bar(history_of(ev.Progress(what="x", done=1, total=3)), state, 12) == ""


def test_progress_beyond_its_total_fills_the_bar():
    odd = history_of(ev.Progress(what="x", done=99, total=9))
    assert progress_bar(odd, "preparing", 8) == "━" * 8


def test_a_lost_run_says_where_its_output_is():
    said = failure_words(history_of(STARTED), "lost", "/runs/r-1/worker.log")
    assert "vanished" in said
    assert "Press r to run it again" in said
    assert said.endswith("/runs/r-1/worker.log")
    said = failure_words(history_of(STARTED), "lost", "log", resumable=True)
    assert "Press R to resume it, r to run it again" in said


def test_a_failed_run_says_why():
    history = history_of(STARTED, ev.RunFinished(outcome="failed", message="no \x1b[1mmemory"))
    said = failure_words(history, "failed", "log")
    assert "memory" in said
    assert "\x1b" not in said


def test_a_run_without_trouble_says_nothing():
    assert failure_words(history_of(STARTED, TRIAL), "running", "log") == ""


def test_log_damage_is_reported():
    history = history_of(
        STARTED,
        ev.CommandRefused(command="set-bounds", reason="base_lr is above max_lr"),
        ev.Note(level="info", text="all is well"),
        ev.Note(level="warning", text="a.jpg could not be read"),
        ev.Note(level="warning", text="b.jpg could not be read"),
    )
    history.feed(Batch(corrupt=2, unknown={"party": 3}, newer_schema=9))
    said = notices(history)
    assert len(said) == 5
    assert "newer clr-tui (schema 9)" in said[0]
    assert said[1].startswith("2 lines")
    assert "party" in said[2]
    assert said[3] == "set-bounds was refused: base_lr is above max_lr"
    assert said[4] == "b.jpg could not be read (and 1 more)"
    assert notices(history_of(STARTED)) == []


def test_titles():
    assert title_of(CONFIG, sweep_history()) == (
        "range test  digits · CNN · SGD(momentum 0.9) · batch 64"
    )
    config = run_config(
        task=TaskConfig(data="/data/my [flowers]/", model="resnet34", batch_size=8),
        job=RangeTest(seeds=3, optimizer=OptimizerConfig(momentum=0.0)),
    )
    assert title_of(config, RunHistory(config)) == (
        "range test  my [flowers] · ResNet34 · SGD · batch 8 · seeds 3"
    )


def test_an_imported_curve_is_called_so():
    config = msgspec.structs.replace(CONFIG, version="", task=TaskConfig(data="curve", model=""))
    assert title_of(config, RunHistory(config)) == "range test  curve · imported curve"


def test_a_comparison_s_title_tells_its_size() -> None:
    history = comparison_history(seeds=1, epochs=1)
    assert title_of(history.config, history) == "comparison  flowers · CNN · 1 epoch · 1 seed"
    config = comparison_config(epochs=10)
    whole = msgspec.structs.replace(config.job, whole_cycles=True)
    config = msgspec.structs.replace(config, job=whole)
    assert title_of(config, RunHistory(config)) == "comparison  flowers · CNN · 16 epochs · 3 seeds"


def test_other_optimizers_are_named_as_they_were_asked_for() -> None:
    config = run_config(job=RangeTest(optimizer=OptimizerConfig(name="adamw")))
    assert "· CNN · adamw · batch 64" in title_of(config, RunHistory(config))


def status_texts(history: RunHistory, *, alive: bool = True) -> str:
    return comparison_status_words(history, status_of(history, alive=alive))


def test_the_title_of_a_comparison_counts_its_trials() -> None:
    config = comparison_config()
    history = RunHistory(config)
    assert status_texts(history) == "◌ starting"
    history.apply(ev.TrialStarted(trial=0, seed=0, total_steps=10, steps_per_epoch=5, entry=0))
    assert status_texts(history) == "● running"
    history.apply(ev.Overall(done=1, failed=1, stopped=1, running=2, total=9, fraction=0.3))
    assert status_texts(history) == "● 3 of 9 trials"
    history.apply(
        ev.Overall(done=2, failed=1, stopped=1, running=2, total=9, fraction=0.3, eta_seconds=65.0)
    )
    assert status_texts(history) == "● 4 of 9 trials  left 1:05"
    history.apply(ev.Paused())
    assert status_texts(history) == "‖ paused  4 of 9 trials"
    assert status_texts(history, alive=False) == "? lost"
    history.apply(ev.RunFinished(outcome="done"))
    assert status_texts(history) == "✓ done"


def test_a_comparison_waits_for_its_first_epoch() -> None:
    history = RunHistory(comparison_config())
    assert waiting_words(history, "failed", "epoch") == "The run failed before its first epoch."
    history.apply(TRIAL)
    assert "first epoch" in waiting_words(history, "running", "epoch")


@pytest.mark.parametrize(
    "config", [CONFIG, run_config(job=Train(max_lr=0.1, base_lr=0.01)), comparison_config()]
)
def test_a_preview_promises_nothing_of_a_run_that_has_ended(config):
    preview = KINDS[config.kind].load_display().preview
    history = RunHistory(config)
    history.apply(ev.RunStarted(run=config.id, kind=config.kind))
    assert preview(history, True).empty == "The worker is starting (importing torch)."
    assert preview(history, False).empty.startswith("The worker vanished before its first ")
    history.apply(ev.RunFinished(outcome="failed", message="x"))
    assert preview(history, False).empty.startswith("The run failed before its first ")


def test_a_silent_run_says_so_with_the_time():
    begun = [
        msgspec.structs.replace(event, time=float(i)) for i, event in enumerate((STARTED, TRIAL))
    ]
    history = history_of(*begun)
    assert status_of(history, alive=True, now=30.0).words == "● running"
    assert status_of(history, alive=True, now=42.0).words == "● running, silent for 40 s"
    silent = status_of(history, alive=True, now=200.0)
    assert (silent.state, silent.role) == ("running", "suggestion")
    assert silent.words == "● running, silent for 3 min"
    assert status_of(history, alive=True).words == "● running"  # a recording is not asked
    assert status_of(history, alive=False, now=200.0).words.endswith("lost")
    paused = history_of(*begun, ev.Paused(time=2.0), ev.DeviceUsage(time=1e6))
    assert status_of(paused, alive=True, now=1e6).quiet == ""
    assert status_of(paused, alive=True, now=1e6 + 90).quiet == "silent for 1 min"


def test_a_silent_comparison_says_so_beside_its_trials():
    history = comparison_history(running=True)
    at = (history.last_time or 0.0) + 1e6
    status = status_of(history, alive=True, now=at)
    assert comparison_status_words(history, status).endswith(
        "trials, silent for 11 d on here"
    )  # its host
