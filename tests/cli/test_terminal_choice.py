"""When a screen opens, on what, and what it leaves behind."""

from __future__ import annotations

import math
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from made_runs import make_sweep

from clr_tui.engine.log.rundir import find_run
from clr_tui.tui import app, launching
from clr_tui.tui.cli import main as command_line
from clr_tui.tui.cli.headless import name_of


class FakeApp:
    """Remembers how it was opened; leaves at once."""

    opened: ClassVar[dict[str, Any]] = {}
    fails: ClassVar[Exception | None] = None

    def __init__(self, runs: Path, **how: object) -> None:
        FakeApp.opened = {"runs": runs, **how}
        self.return_message: str | None = "range-test-digits-1 goes on"
        self.return_code = 0
        self.failure = FakeApp.fails

    def run(self) -> None:
        """Nothing to show."""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeApp.opened = {}
    monkeypatch.setattr(command_line, "on_terminal", lambda: True)
    monkeypatch.setattr(app, "ClrTuiApp", FakeApp)
    monkeypatch.setattr(launching, "launch", lambda run: 1)


@pytest.mark.usefixtures("terminal")
class TestOnATerminal:
    def test_a_mistake_in_the_app_is_one_sentence(self, cli, monkeypatch) -> None:
        monkeypatch.setattr(FakeApp, "fails", ZeroDivisionError("by 0"))
        result = cli()
        assert result.code == 1
        assert result.err.count("\n") == 1
        place = Path(result.err.strip().rpartition(" ")[2])
        assert "ZeroDivisionError: by 0" in place.read_text()
        place.unlink()

    def test_without_a_command_the_list_of_runs_opens(self, cli, runs: Path) -> None:
        result = cli()
        assert (result.code, result.out) == (0, "range-test-digits-1 goes on\n")
        assert FakeApp.opened["runs"] == runs
        assert FakeApp.opened["load"] is None

    @pytest.mark.parametrize(
        ("arguments", "run"),
        [
            (["range-test"], "range-test-digits-1"),
            (["train", "--max-lr", "1e-2"], "train-digits-1"),
        ],
    )
    def test_a_command_that_starts_a_run_opens_it_on_the_screen(
        self, cli, runs: Path, arguments: list[str], run: str
    ) -> None:
        assert cli(*arguments).code == 0
        assert FakeApp.opened["load"]() == find_run(runs, run)

    def test_attach_opens_the_run_on_the_screen(self, cli, runs: Path) -> None:
        run = make_sweep(runs)
        assert cli("attach").code == 0
        assert FakeApp.opened["load"]() == run

    def test_replay(self, cli, runs: Path) -> None:
        run = make_sweep(runs)
        cli("replay", run.id, "--speed", "8", "--at", "25%")
        assert FakeApp.opened["load"]().config == run.config()
        assert (FakeApp.opened["start_speed"], FakeApp.opened["start_at"]) == (8.0, 0.25)
        cli("replay", run.id, "--speed", "max")
        assert (FakeApp.opened["start_speed"], FakeApp.opened["start_at"]) == (math.inf, 0.0)

    @pytest.mark.parametrize("flag", ["--headless", "--json"])
    def test_headless_never_opens_a_screen(self, cli, runs: Path, flag: str) -> None:
        run = make_sweep(runs)
        for arguments in ([], ["attach", run.id], ["replay", run.id]):
            assert cli(*arguments, flag).code == 0
        assert FakeApp.opened == {}


@pytest.mark.parametrize(
    ("term", "expected"), [("xterm-256color", True), ("dumb", False), ("", False)]
)
def test_a_terminal_is_a_tty_that_is_not_dumb(
    monkeypatch: pytest.MonkeyPatch, term: str, expected: bool
) -> None:
    master, slave = pty.openpty()
    with open(slave) as stdin, open(os.dup(slave), "w") as stdout:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", stdout)
        monkeypatch.setenv("TERM", term)
        found = command_line.on_terminal()
        monkeypatch.setattr(sys, "stdout", None)
        without = command_line.on_terminal()
        monkeypatch.undo()
    os.close(master)
    assert found is expected
    assert without is False


def test_a_dumb_terminal_gets_text_without_escape_codes(runs: Path) -> None:
    make_sweep(runs)
    master, slave = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "clr_tui.tui", "attach", "--runs-dir", str(runs)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(slave)
    text = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the program has ended
            break
        if not data:
            break
        text += data
    os.close(master)
    assert done.wait(60) == 0
    assert b"bottom is recommended" in text
    assert b"\x1b" not in text


def test_a_run_elsewhere_is_named_by_its_path(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLR_TUI_RUNS", str(runs))
    here, there = make_sweep(runs), make_sweep(tmp_path / "else where")
    assert name_of(here) == here.id
    assert name_of(there) == f"'{there.path}'"
