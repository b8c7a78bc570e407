"""`--notify` on real terminals: the bytes that reach them, with and without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Home
from terminal import Terminal

import clr_tui

NOTE = b"\x1b]9;loop-1 is done: loss 0.25, step 0\a"
WRAPPED = b"\x1bPtmux;\x1b" + NOTE + b"\x1b\\\a"


@pytest.fixture
def run(home: Home) -> Iterator[clr_tui.Run]:
    """A run of a loop in this process."""
    with clr_tui.start("loop", runs_dir=home.runs) as run:
        run.log(loss=0.25)
        yield run


def sees(terminal: Terminal, code: bytes) -> bool:
    for _ in range(600):
        if code in bytes(terminal.output):
            return True
        terminal.read(0.1)
    return False


@pytest.mark.parametrize(("tmux", "code"), [("", NOTE), ("/tmp/tmux-0/default,1,0", WRAPPED)])
def test_the_screen_of_a_run_sends_a_note_at_its_end(
    home: Home, run: clr_tui.Run, tmux: str, code: bytes
) -> None:
    home.env.pop("TMUX", None)
    if tmux:
        home.env["TMUX"] = tmux
    terminal = home.open("attach", run.id, "--notify", "desktop")
    terminal.wait_for("running")
    run.finish()
    assert sees(terminal, code)
    terminal.wait_for("done")
    assert bytes(terminal.output).count(NOTE) == 1
    terminal.press("q")
    assert terminal.wait_for_exit() == 0


def test_the_list_of_runs_sends_a_note_too(home: Home, run: clr_tui.Run) -> None:
    home.env.pop("TMUX", None)
    terminal = home.open("--notify", "osc9")
    terminal.wait_for("running")
    run.finish()
    assert sees(terminal, NOTE)


@pytest.mark.parametrize("command", [["attach", "--headless"], ["wait"]])
def test_a_command_without_a_screen_sends_it_to_its_terminal(
    home: Home, run: clr_tui.Run, command: list[str]
) -> None:
    home.env.pop("TMUX", None)
    terminal = home.open(*command, "--notify", "desktop", "--notify", "bell")
    run.finish()
    assert sees(terminal, NOTE + b"\a")
    assert terminal.wait_for_exit() == 0


def test_without_the_option_nothing_is_sent(home: Home, run: clr_tui.Run) -> None:
    terminal = home.open("attach", run.id)
    terminal.wait_for("running")
    run.finish()
    terminal.wait_for("done")
    assert b"\x1b]9;" not in bytes(terminal.output)
    assert b"\x1b]777;" not in bytes(terminal.output)


def test_a_command_is_started_from_a_screen(home: Home, run: clr_tui.Run, tmp_path: Path) -> None:
    told = tmp_path / "told"
    terminal = home.open("attach", run.id, "--notify", f'echo "$CLR_TUI_MESSAGE" >> "{told}"')
    terminal.wait_for("running")
    run.finish()
    for _ in range(600):
        if told.exists() and told.read_text():
            break
        terminal.read(0.1)
    assert told.read_text() == "loop-1 is done: loss 0.25, step 0\n"
