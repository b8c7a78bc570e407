from __future__ import annotations

import json
import os
import pty
import re
import sys
from pathlib import Path

import pytest
from made_runs import make_sweep, make_training, write
from rich.cells import cell_len

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import CommandTail, Stop
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.cli.manage import HEADINGS, stop, summaries_of, table


class Scripted(Interrupts):
    """Does the next thing at each wait, instead of waiting."""

    def __init__(self, *things) -> None:
        super().__init__()
        self.things = list(things)

    def wait(self, seconds: float) -> None:
        self.things.pop(0)()


def test_ls_tells_what_a_person_looks_for(cli, runs: Path, hold) -> None:
    make_sweep(runs)
    make_sweep(runs, ending=[ev.RunFinished(outcome="failed", message="out of memory")])
    make_sweep(runs, ending=[])
    living = make_training(runs, epochs=4, ending=[])
    hold(living)
    lines = cli("ls").out.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == list(HEADINGS)
    rows = {line.split()[0]: line for line in lines[1:]}
    assert list(rows) == [
        "train-digits-1",
        "range-test-digits-3",
        "range-test-digits-2",
        "range-test-digits-1",
    ]
    assert " 50 %" in rows["train-digits-1"]
    # Its log was written long ago.
    assert re.search(r"silent .* for \d+ d: epoch 4", rows["train-digits-1"])
    assert "lost" in rows["range-test-digits-3"]
    assert "out of memory" in rows["range-test-digits-2"]
    assert "max_lr 1.0e-02" in rows["range-test-digits-1"]
    assert "done" in rows["range-test-digits-1"]
    assert lines[1].endswith("now")


def test_ls_as_json_is_one_object(cli, runs: Path) -> None:
    make_sweep(runs)
    found = json.loads(cli("ls", "--json").out)
    assert found["runs_dir"] == str(runs)
    (run,) = found["runs"]
    assert run["run"] == "range-test-digits-1"
    assert run["kind"] == "range-test"
    assert run["status"] == "done"
    assert run["headline"] == "max_lr 1.0e-02"


def test_ls_shows_no_control_characters(cli, runs: Path) -> None:
    make_sweep(runs, ending=[ev.RunFinished(outcome="failed", message="a\x1b[2Jb\nc")])
    result = cli("ls")
    assert "\x1b" not in result.out
    assert len(result.out.splitlines()) == 2


def test_the_table_fits_a_narrow_terminal_by_its_results(runs: Path) -> None:
    make_sweep(runs, ending=[ev.RunFinished(outcome="failed", message="a long story " * 20)])
    summaries = summaries_of(runs)
    lines = table(summaries, summaries[0].created + 7200, 100)
    assert max(map(len, lines)) <= 100
    assert "a long story" in lines[1]
    assert lines[1].endswith("2 h ago")
    assert "a long story " * 19 in table(summaries, 0.0, None)[1]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_the_table_fits_any_terminal(runs: Path, width: int) -> None:
    make_sweep(runs, task=TaskConfig(data="/pictures/数据集数据集"))
    make_sweep(runs, ending=[ev.RunFinished(outcome="failed", message="a long story " * 20)])
    (runs / "range-test-damaged-1").mkdir()
    (runs / "range-test-damaged-1" / "run.json").write_text("{")
    summaries = summaries_of(runs)
    lines = table(summaries, summaries[0].created + 7200, width)
    assert len(lines) == 4
    assert max(map(cell_len, lines)) <= width
    assert {"run", "status", "result"} <= set(lines[0].split())
    assert ("kind" in lines[0]) is (width > 80)
    if width >= 60:
        assert {line.split()[0] for line in lines[1:]} == {one.id for one in summaries}


def test_ls_loads_nothing_heavy(runs: Path) -> None:
    import subprocess

    make_sweep(runs)
    script = (
        "import sys\nfrom clr_tui.tui.cli.main import main\n"
        f"assert main(['ls', '--runs-dir', {str(runs)!r}]) == 0\n"
        "assert not {'torch', 'textual', 'numpy', 'rich.console'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=60)


def test_stop_waits_for_the_worker_to_end(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=40, ending=[])
    worker = hold(run)

    def ends() -> None:
        (command,) = CommandTail(run.commands_path).poll()
        assert isinstance(command, Stop)
        write(run, [ev.RunFinished(outcome="stopped", message="asked")])
        worker.end()

    nothing = [lambda: None] * 3
    summary = stop(runs, run.id, Scripted(*nothing, ends), clock=lambda: 0.0)
    assert summary is not None
    assert summary.status == "stopped"


def test_stop_gives_up_after_its_deadline(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=40, ending=[])
    hold(run)
    seconds = iter(range(100))
    waiting = Scripted(*[lambda: None] * 100)
    assert stop(runs, run.id, waiting, deadline=10, clock=lambda: next(seconds)) is None
    assert len(waiting.things) > 80


def test_stop_tells_how_it_ended(cli, runs: Path, hold, monkeypatch) -> None:
    run = make_sweep(runs, steps=40, ending=[])
    worker = hold(run)

    def ends(self: Interrupts, seconds: float) -> None:
        write(run, [ev.RunFinished(outcome="stopped")])
        worker.end()

    monkeypatch.setattr(Interrupts, "wait", ends)
    result = cli("stop", run.id, "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["status"] == "stopped"


def test_rm_with_yes(cli, runs: Path) -> None:
    run = make_sweep(runs)
    result = cli("rm", run.id, "-y")
    assert (result.code, result.out) == (0, f"{run.id} was removed\n")
    assert not run.path.exists()


def test_rm_asks(cli, runs: Path, monkeypatch) -> None:
    run = make_sweep(runs)
    for no in (b"n\n", b"\n", b"\x04"):
        result = answered(cli, run, no, monkeypatch)
        assert result.code == 1
        assert result.err.endswith(f"{run.id} was not removed\n")
        assert run.path.exists()
    result = answered(cli, run, b"y\n", monkeypatch)
    assert f"remove {run.id} with its log and checkpoints? [y/N]" in result.err
    assert result.code == 0
    assert not run.path.exists()


def answered(cli, run: RunDir, answer: bytes, monkeypatch):
    import os

    master, slave = pty.openpty()
    with open(slave) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(master, answer)
        result = cli("rm", run.id)
    os.close(master)
    return result


def test_pipes_in_the_runs_folder_hold_nothing_up(cli, runs: Path, deadline: None) -> None:
    """Neither those of a damaged run nor those of a folder that never was one."""
    run, other = make_sweep(runs), make_sweep(runs)
    (runs / "x").mkdir()
    os.mkfifo(runs / "x" / "run.json")
    other.lock_path.unlink(missing_ok=True)
    os.mkfifo(other.lock_path)
    result = cli("ls")
    assert result.code == 0
    assert {run.id, other.id, "x"} <= {line.split()[0] for line in result.out.splitlines()}
    assert cli("replay", run.id, "--headless").code == 0
    assert cli("attach", "x").err.endswith("not a file but a pipe\n")


@pytest.mark.parametrize("name", [".", "..", "absolute"])
def test_rm_leaves_folders_alone_that_are_no_runs(
    cli, tmp_path: Path, monkeypatch, name: str
) -> None:
    folder = tmp_path / "p"
    (folder / "inside").mkdir(parents=True)
    (folder / "run.json").write_text('{"scripts": {}}')
    (folder / "thesis.tex").write_text("mine")
    monkeypatch.chdir(folder / "inside" if name == ".." else folder)
    result = cli("rm", folder if name == "absolute" else name, "--yes")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"clr-tui: '{folder}' is not a run of clr-tui, although it holds a run.json: "
        "nothing was removed\n"
    )
    assert {path.name for path in folder.iterdir()} == {"inside", "run.json", "thesis.tex"}


def test_rm_never_takes_the_runs_folder(cli, runs: Path, monkeypatch) -> None:
    run = make_sweep(runs)
    (runs / "run.json").write_bytes(run.config_path.read_bytes())
    monkeypatch.chdir(runs)
    for name in (".", runs, f"{run.id}/.."):
        result = cli("rm", name, "--yes")
        assert result.code == 2
        assert "is the folder of all runs: name one run in it" in result.err
    assert run.path.exists()
    assert (runs / "run.json").exists()


def test_rm_names_what_it_keeps(cli, runs: Path) -> None:
    run, other = make_sweep(runs), make_sweep(runs)
    for one in (run, other):
        (one.path / "thesis.tex").write_text("mine")
    result = cli("rm", run.id, "--yes")
    assert result.code == 0
    assert result.out.startswith(f"{run.id} was removed; its folder stays")
    assert result.out.endswith(": thesis.tex\n")
    assert os.listdir(run.path) == ["thesis.tex"]
    found = json.loads(cli("rm", other.id, "--yes", "--json").out)
    assert found == {"removed": other.id, "kept": ["thesis.tex"]}
    assert cli("rm", run.id, "--yes").code == 2
