"""What is told of runs that nobody looks at, in which way, and `clr-tui wait`."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_runs import make_sweep, make_training

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.summary import RunSummary
from clr_tui.engine.settings.config import RunConfig, TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.alerts import Alert, Alerts
from clr_tui.tui.cli.headless import wait
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.terminal_notes import check_way, run_command, sequence, teller

# What is told, and when.


@pytest.fixture
def told() -> list[Alert]:
    return []


@pytest.fixture
def alerts(told: list[Alert]) -> Alerts:
    return Alerts(told.append)


def sentences(told: list[Alert]) -> list[str]:
    return [alert.sentence for alert in told]


@pytest.mark.parametrize(
    ("state", "words", "sentence"),
    [
        ("done", "68.2 %, epoch 7", "a-1 is done: 68.2 %, epoch 7"),
        ("done", "", "a-1 is done"),
        ("failed", "ValueError: no.", "a-1 failed: ValueError: no"),
        ("stopped", "stopped by request", "a-1 was stopped: stopped by request"),
        ("lost", "", "a-1 was lost"),
    ],
)
def test_an_end_is_told_once(
    alerts: Alerts, told: list[Alert], state: str, words: str, sentence: str
) -> None:
    alerts.look("a-1", "running", "")
    assert told == []
    for _ in range(3):
        alerts.look("a-1", state, words)
    assert told == [Alert("a-1", state, sentence)]


def test_what_was_so_at_the_first_look_is_not_told(alerts: Alerts, told: list[Alert]) -> None:
    alerts.look("a-1", "done", "")
    alerts.look("b-1", "running", "", quiet="silent for 3 d", diverged="loss is not finite")
    alerts.look("b-1", "running", "", quiet="silent for 4 d", diverged="loss is not finite")
    assert told == []
    alerts.look("b-1", "lost", "")
    assert sentences(told) == ["b-1 was lost"]


def test_a_run_may_fall_silent_again_but_diverges_once(alerts: Alerts, told: list[Alert]) -> None:
    alerts.look("a-1", "running", "")
    for minutes in (1, 2, 3):
        alerts.look("a-1", "running", "", quiet=f"silent for {minutes} min")
    alerts.look("a-1", "running", "", diverged="loss is not finite")
    alerts.look("a-1", "running", "")
    alerts.look("a-1", "running", "", quiet="silent for 1 min", diverged="loss is not finite")
    assert sentences(told) == [
        "a-1 is silent for 1 min",
        "a-1 diverged: loss is not finite",
        "a-1 is silent for 1 min",
    ]


def test_the_end_of_a_run_that_is_waited_for_is_told_even_if_it_is_past(
    alerts: Alerts, told: list[Alert]
) -> None:
    alerts.expect("a-1")
    alerts.look("a-1", "done", "")
    assert sentences(told) == ["a-1 is done"]


def test_runs_are_told_apart(alerts: Alerts, told: list[Alert]) -> None:
    for run in ("a-1", "b-1"):
        alerts.look(run, "running", "")
    alerts.look("b-1", "done", "")
    assert [alert.run for alert in told] == ["b-1"]


def test_texts_of_logs_cannot_write_control_codes(alerts: Alerts, told: list[Alert]) -> None:
    alerts.look("a\x1b]52;c;aGk=\a-1", "running", "")
    alerts.look("a\x1b]52;c;aGk=\a-1", "failed", "x\x1b[2J\n\u202ey")
    assert sentences(told)[0].isprintable()


def test_a_summary_of_a_list_is_a_look(alerts: Alerts, told: list[Alert]) -> None:
    def summary(status: str, silent: float | None = None) -> RunSummary:
        return RunSummary(
            id="a-1",
            kind="train",
            task="digits",
            model="cnn",
            created=0.0,
            status=status,  # type: ignore[arg-type]
            message="why" if status == "failed" else "",
            headline="97 %",
            silent_seconds=silent,
        )

    for each in (summary("running"), summary("running", 185.0), summary("failed")):
        alerts.look_at_summary(each)
    assert sentences(told) == ["a-1 is silent for 3 min", "a-1 failed: why"]


def logged(*values: float) -> RunHistory:
    config = RunConfig(
        id="a-1", created=0.0, version="0", task=TaskConfig(data="a", model=""), job=LoggedRun()
    )
    history = RunHistory(config)
    history.apply(ev.RunStarted(time=0.0, run="a-1", kind="logged"))
    for i, value in enumerate(values):
        history.apply(ev.Logged(time=float(i), step=[i], values={"train_loss": [value]}))
    return history


def test_a_loss_that_stays_not_finite_is_a_divergence(alerts: Alerts, told: list[Alert]) -> None:
    nan = np.nan
    alerts.look_at_history("a-1", logged(0.5), "running", 1.0)
    alerts.look_at_history("a-1", logged(0.5, nan, nan, 0.5), "running", 4.0)  # a gap
    assert told == []
    alerts.look_at_history("a-1", logged(0.5, nan, nan, nan), "running", 4.0)
    alerts.look_at_history("a-1", logged(0.5, nan, nan, nan), "running", 400.0)
    assert sentences(told) == [
        "a-1 diverged: train_loss is not finite",
        "a-1 is silent for 6 min",
    ]


# In which way.

SENTENCE = "a-1 failed: CUDA; out of memory"
SAFE = "a-1 failed: CUDA, out of memory"


@pytest.mark.parametrize(
    ("way", "environment", "codes"),
    [
        ("bell", {"TERM": "xterm-256color"}, "\a"),
        ("desktop", {"TERM": "xterm-kitty"}, f"\x1b]9;{SAFE}\a"),
        ("desktop", {"TERM": "xterm-256color"}, f"\x1b]9;{SAFE}\a"),
        ("desktop", {"TERM": "foot"}, f"\x1b]777;notify;clr-tui;{SAFE}\a"),
        ("desktop", {"TERM": "rxvt-unicode-256color"}, f"\x1b]777;notify;clr-tui;{SAFE}\a"),
        (
            "desktop",
            {"TERM": "xterm-256color", "VTE_VERSION": "7600"},
            f"\x1b]777;notify;clr-tui;{SAFE}\a",
        ),
        ("osc777", {"TERM": "xterm-256color"}, f"\x1b]777;notify;clr-tui;{SAFE}\a"),
        ("osc9", {"TERM": "foot"}, f"\x1b]9;{SAFE}\a"),
        # Through tmux, here or on the machine that one came from; and its bell.
        (
            "desktop",
            {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"},
            f"\x1bPtmux;\x1b\x1b]9;{SAFE}\a\x1b\\\a",
        ),
        ("osc9", {"TERM": "tmux-256color"}, f"\x1bPtmux;\x1b\x1b]9;{SAFE}\a\x1b\\\a"),
        ("osc9", {"TERM": "screen", "STY": "1.pts"}, f"\x1bP\x1b]9;{SAFE}\a\x1b\\\a"),
        ("osc9", {"TERM": "screen-256color"}, f"\x1b]9;{SAFE}\a\a"),
        ("desktop", {"TERM": "linux"}, "\a"),
        ("desktop", {}, "\a"),
    ],
)
def test_the_bytes_of_each_way(way: str, environment: dict[str, str], codes: str) -> None:
    assert sequence(way, SENTENCE, environment) == codes


def test_a_note_is_short() -> None:
    assert len(sequence("osc9", "x" * 10_000, {"TERM": "xterm"})) < 300


def test_several_ways_are_all_taken(tmp_path: Path) -> None:
    written: list[str] = []
    command = f'cd "{tmp_path}"; echo "$CLR_TUI_EVENT $CLR_TUI_RUN" > out; mv out told'
    tell = teller(["bell", "osc9", command], written.append, {"TERM": "xterm"})
    tell(Alert("a-1", "done", "a-1 is done"))
    assert written == ["\a", "\x1b]9;a-1 is done\a"]
    assert wait_for(tmp_path / "told") == "done a-1\n"


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    return path.read_text()


def test_a_command_gets_the_sentence_as_data(tmp_path: Path) -> None:
    """Not as a part of the command, whatever is in it."""
    script = tmp_path / "tell"
    script.write_text('#!/bin/sh\nprintf "%s|%s" "$1" "$CLR_TUI_MESSAGE" > out && mv out told\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    evil = 'a-1 failed: $(touch hacked) "; touch hacked; `touch hacked`'
    run_command(f'cd "{tmp_path}" && ./tell "$1"', Alert("a-1", "failed", evil))
    assert wait_for(tmp_path / "told") == f"{evil}|{evil}"
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("way", ["bell", "desktop", "osc9", "osc777", "true", "notify-send $1"])
def test_ways_that_there_are(way: str) -> None:
    assert check_way(way) == way


@pytest.mark.parametrize(
    ("way", "words"),
    [("bel", "did you mean 'bell'"), ("nosuchcommand", "or a command"), (" ", "is empty")],
)
def test_a_way_that_is_none_is_said_at_once(
    way: str, words: str, cli: Callable[..., object]
) -> None:
    with pytest.raises(UserError, match=words):
        check_way(way)
    result = cli("attach", "--notify", way)
    assert result.code == 2  # type: ignore[attr-defined]
    assert words in result.err  # type: ignore[attr-defined]


def test_a_detached_start_has_nobody_to_tell(cli: Callable[..., object], runs: Path) -> None:
    result = cli("range-test", "--detach", "--notify", "bell")
    assert result.code == 2  # type: ignore[attr-defined]
    assert "--detach" in result.err  # type: ignore[attr-defined]
    assert not runs.exists()


# `clr-tui wait`.


@pytest.mark.parametrize(
    ("ending", "code", "word"),
    [
        ([ev.RunFinished(outcome="done")], 0, "done"),
        ([ev.RunFinished(outcome="stopped", message="enough")], 1, "stopped"),
        ([ev.RunFinished(outcome="failed", message="out of memory")], 1, "failed"),
        ([], 1, "lost"),
    ],
)
def test_wait_says_how_a_run_ended(
    cli: Callable[..., object], runs: Path, ending: list[ev.Event], code: int, word: str
) -> None:
    run = make_sweep(runs, ending=ending)
    result = cli("wait", run.id)
    assert (result.code, result.out) == (code, f"{run.id} is {word}\n")  # type: ignore[attr-defined]
    assert bool(result.err) == (code != 0)  # type: ignore[attr-defined]
    answer = json.loads(cli("wait", run.id, "--json").out)  # type: ignore[attr-defined]
    assert (answer["run"], answer["status"]) == (run.id, word)


class Ending(Interrupts):
    """Ends the run at the second wait, or is interrupted then."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self.waits = 0
        self._then = then

    def wait(self, seconds: float) -> None:
        self.waits += 1
        if self.waits == 2:
            self._then()


def test_wait_waits(
    runs: Path, hold: Callable[[RunDir], object], capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_training(runs, epochs=4, ending=[])
    worker = hold(run)
    told: list[Alert] = []
    with Ending(worker.end) as interrupts:  # type: ignore[attr-defined]
        assert wait(run, interrupts, json=False, alerts=Alerts(told.append)) == 1
    assert interrupts.waits >= 2
    assert capsys.readouterr().out == f"{run.id} is lost\n"
    assert [alert.what for alert in told] == ["lost"]


def test_ctrl_c_ends_waiting_and_not_the_run(
    runs: Path, hold: Callable[[RunDir], object], capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_training(runs, epochs=4, ending=[])
    hold(run)
    with Ending(lambda: os.kill(os.getpid(), signal.SIGINT)) as interrupts:
        assert wait(run, interrupts, json=False) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert "is still running" in said.err
    assert run.alive
