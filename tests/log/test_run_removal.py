"""Removing runs: their own files go, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import RunStarted
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.removal import removal_message, remove_run
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest

NewRun = Callable[..., RunDir]
CHECKPOINTS = ("best.pt", "last.pt", "step-120.pt", ".best.pt.4711", ".step-9.pt.12")


def start(run: RunDir, *, pid: int = 1, host: str = "") -> None:
    """A log of ours."""
    writer = EventWriter(run.events_path)
    writer.write(RunStarted(run=run.id, kind="range-test", pid=pid, host=host))
    writer.close()


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_removing_takes_all_files(new_run: NewRun, runs: Path) -> None:
    run = new_run(job=RangeTest(steps=5))
    start(run)
    run.checkpoints.mkdir()
    for name in CHECKPOINTS:
        (run.checkpoints / name).write_bytes(b"x")
    for name in ("commands.jsonl", "worker.lock", "worker.log", ".run.json.123"):
        (run.path / name).touch()
    assert remove_run(run) == []
    assert list_runs(runs) == []
    assert not run.path.exists()
    assert removal_message(run, []) == f"{run.id} was removed"


def test_what_is_not_the_runs_own_is_kept_and_named(new_run: NewRun, runs: Path) -> None:
    run = new_run()
    start(run)
    (run.checkpoints).mkdir()
    (run.checkpoints / "last.pt").touch()
    foreign = ["best.pt", "events.jsonl.bak", "notes/a.txt", "checkpoints/mine.pt"]
    for name in foreign:
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_text("mine")
    kept = remove_run(run)
    assert kept == ["best.pt", "events.jsonl.bak", "notes", "checkpoints/mine.pt"]
    assert everything(run.path) == {*foreign, "notes", "checkpoints"}
    assert list_runs(runs) == []
    assert removal_message(run, kept).endswith(": best.pt, events.jsonl.bak, notes and 1 more")


@pytest.mark.parametrize("content", ["{}", '{"scripts": {}}', "no JSON", '{"id": "x"}'])
def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "run.json").write_text(content)
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"p' is not a run of clr-tui"):
        remove_run(RunDir(folder))
    assert everything(folder) == {"run.json", "thesis.tex"}


def test_a_run_with_a_damaged_run_json_is_known_by_its_name_or_its_log(new_run: NewRun) -> None:
    named, renamed = new_run(), new_run()
    start(renamed)
    renamed = RunDir(renamed.path.rename(renamed.path.with_name("keep me")))
    for run in (named, renamed):
        run.config_path.write_text("{")
        assert remove_run(run) == []
        assert not run.path.exists()


def test_a_run_elsewhere_under_another_name_is_a_run(new_run: NewRun, tmp_path: Path) -> None:
    run = RunDir(new_run().path.rename(tmp_path / "old one"))
    remove_run(run)
    assert not run.path.exists()


def test_a_link_to_a_run_is_not_followed(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run()
    link = tmp_path / "link"
    link.symlink_to(run.path)
    with pytest.raises(UserError, match=f"link' is a link to '{run.path}': remove the run there"):
        remove_run(RunDir(link))
    assert everything(run.path) == {"run.json"}


def test_links_within_a_run_are_not_followed(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run()
    weights, log = tmp_path / "weights", tmp_path / "log"
    weights.mkdir()
    (weights / "last.pt").touch()
    log.touch()
    run.checkpoints.symlink_to(weights)
    run.log_path.symlink_to(log)
    assert remove_run(run) == ["checkpoints"]
    assert (weights / "last.pt").exists()
    assert log.exists()


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: os.symlink("nowhere", path)])
def test_a_lock_that_is_no_file_does_not_keep_a_run(
    new_run: NewRun, put: Callable[[Path], None], deadline: None
) -> None:
    run = new_run()
    put(run.lock_path)
    assert remove_run(run) == []
    assert not run.path.exists()
    assert not (run.path.parent / "nowhere").exists()


def test_a_folder_in_place_of_a_log_is_kept(new_run: NewRun) -> None:
    run = new_run()
    (run.events_path / "mine").mkdir(parents=True)
    assert remove_run(run) == ["events.jsonl"]
    assert (run.events_path / "mine").exists()


def test_a_living_run_is_kept(new_run: NewRun) -> None:
    run = new_run()
    lock = acquire(run.lock_path)
    with pytest.raises(UserError, match="stop it first"):
        remove_run(run)
    os.close(lock)
    remove_run(run)


@pytest.mark.skipif(not os.path.exists("/proc/self/cwd"), reason="no /proc here")
@pytest.mark.parametrize("at_home", [True, False])
def test_a_living_run_whose_lock_is_gone_is_kept(
    new_run: NewRun, tmp_path: Path, at_home: bool
) -> None:
    """Also one that works in the folder of the user whose task it runs."""
    run = new_run()
    waits = [sys.executable, "-c", "input()", *([] if at_home else [str(run.path)])]
    folder = run.path if at_home else tmp_path
    with subprocess.Popen(waits, stdin=subprocess.PIPE, cwd=folder) as worker:
        start(run, pid=worker.pid, host=os.uname().nodename)
        with pytest.raises(UserError, match="is running: stop it first"):
            remove_run(run)
        assert everything(run.path) == {"run.json", "events.jsonl"}
        worker.communicate(b"\n")
    remove_run(run)
    assert not run.path.exists()


@pytest.mark.skipif(not os.path.exists("/proc/self/cwd"), reason="no /proc here")
def test_a_worker_that_has_ended_its_run_keeps_nothing(new_run: NewRun) -> None:
    run = new_run()
    waits = [sys.executable, "-c", "input()", str(run.path)]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, cwd="/") as worker:
        start(run, pid=worker.pid, host=os.uname().nodename)
        remove_run(run)
        worker.communicate(b"\n")
    assert not run.path.exists()


def test_a_process_with_the_id_of_a_worker_long_gone_keeps_nothing(new_run: NewRun) -> None:
    run = new_run()
    start(run, pid=os.getpid(), host=os.uname().nodename)
    remove_run(run)
    assert not run.path.exists()
