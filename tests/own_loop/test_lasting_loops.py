"""A full disk, a removed, moved or replaced folder: the training goes on, and so does its log."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from loops import Program, column, ending, events

import clr_tui
from clr_tui.engine.log import lasting_log
from clr_tui.engine.log.events import Event, Logged, Note, Paused
from clr_tui.engine.log.lasting_log import LastingLog
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events


def row(step: int) -> Logged:
    return Logged(step=[step], values={"loss": [float(step)]}, at=[0.0])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "events.jsonl"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def log(path: Path, warnings: list[str]) -> LastingLog:
    path.parent.mkdir()
    return LastingLog(path, warnings.append)


def steps_in(path: Path) -> list[int]:
    batch = read_events(path)
    assert batch.corrupt == 0
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    return [step for event in batch.events if isinstance(event, Logged) for step in event.step]


@pytest.fixture
def fill(log: LastingLog) -> Callable[[bool], None]:
    """Fills the disk, or makes room."""
    kept = os.dup(log.fileno())

    def fill(full: bool) -> None:
        disk = os.open("/dev/full", os.O_RDWR) if full else kept
        os.dup2(disk, log.fileno())

    return fill


needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


@pytest.fixture
def same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full in place of a log is not a log that was replaced."""
    monkeypatch.setattr(LastingLog, "_go_on_in_a_new_file", lambda self: None)


@needs_full
@pytest.mark.usefixtures("same_file")
def test_what_a_full_disk_refuses_is_written_when_there_is_room(
    log: LastingLog, path: Path, warnings: list[str], fill: Callable[[bool], None]
) -> None:
    log.write(row(0))
    fill(True)
    log.write(row(1))
    log.write(row(2), Paused())
    assert log.behind
    assert steps_in(path) == [0]
    assert len(warnings) == 1
    assert "is full" in warnings[0]
    fill(False)
    log.write(row(3))
    assert steps_in(path) == [0, 1, 2, 3]
    assert not log.behind
    fill(True)
    log.write(row(4))
    assert len(warnings) == 2  # it was well in between


@needs_full
@pytest.mark.usefixtures("same_file")
def test_what_does_not_fit_in_memory_is_dropped_and_counted_in_the_log(
    log: LastingLog,
    path: Path,
    fill: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lasting_log, "MAX_WAITING", 9)  # a step of one name is three values
    fill(True)
    log.write(Paused())
    for step in range(10):
        log.write(row(step))
    fill(False)
    log.write()
    found = read_events(path).events
    assert steps_in(path) == [7, 8, 9]
    assert [type(event) for event in found] == [Paused, Logged, Logged, Logged, Note]
    (note,) = [event for event in found if isinstance(event, Note)]
    assert note.text.startswith("7 steps that were logged could not be written")


def test_a_log_that_was_replaced_goes_on_in_the_new_file(
    log: LastingLog, path: Path, warnings: list[str]
) -> None:
    log.write(row(0))
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    os.replace(copy, path)  # as an editor does
    log.write(row(1))
    assert steps_in(path) == [0, 1]
    assert warnings == []


def test_a_folder_that_was_moved_is_written_to_where_it_is(
    log: LastingLog, path: Path, warnings: list[str]
) -> None:
    log.write(row(0))
    there = path.parent.rename(path.parent.with_name("there"))
    log.write(row(1))
    assert steps_in(there / path.name) == [0, 1]
    assert warnings == []


def test_a_folder_that_was_removed_is_a_warning_once(
    log: LastingLog, path: Path, warnings: list[str]
) -> None:
    log.write(row(0))
    shutil.rmtree(path.parent)
    for step in range(1, 5):
        log.write(row(step))
    assert len(warnings) == 1
    assert "was removed" in warnings[0]
    assert not path.parent.exists()


def test_a_log_that_was_truncated_goes_on(log: LastingLog, path: Path) -> None:
    log.write(row(0), row(1))
    os.truncate(path, 0)
    log.write(row(2))
    batch = read_events(path)
    assert [type(event) for event in batch.events] == [Logged]
    assert batch.corrupt == 0


def test_a_training_ends_well_after_its_folder_was_removed(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(loss=1.0)
        shutil.rmtree(tmp_path / run.id)
        run.log(loss=2.0)
        with pytest.warns(RuntimeWarning, match="was removed"):
            run.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_real_limit_of_a_file_is_outlived(tmp_path: Path) -> None:
    """The limit refuses a part of a line, as a disk does that fills up within it."""
    program = Program(
        tmp_path,
        """
        import resource, signal, sys, threading
        import clr_tui
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        def wait_for(size):
            while True:
                found = run_log.stat().st_size
                if size(found):
                    return found
                threading.Event().wait(0.02)

        run = clr_tui.start("a")
        from pathlib import Path
        import os
        run_log = Path(os.environ["CLR_TUI_RUNS"]) / run.id / "events.jsonl"
        run.log(loss=0.0)
        size = wait_for(lambda size: b"loss" in run_log.read_bytes())
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
        caught = []
        import warnings
        warnings.showwarning = lambda message, *_: caught.append(str(message))
        for i in range(1, 1000):
            run.log(loss=float(i))
        while not caught:
            threading.Event().wait(0.02)
        assert run_log.stat().st_size == size, run_log.stat()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        run.finish()
        print(len(caught), caught[0])
        """,
    )
    done = program.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 clr-tui: a-1: ")
    assert "the training goes on" in done.stdout
    run = program.only_run
    assert column(run, "loss") == [(i, float(i)) for i in range(1000)]
    assert ending(run).outcome == "done"


@needs_full
@pytest.mark.usefixtures("same_file")
def test_an_end_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    run = clr_tui.start("a", runs_dir=tmp_path)
    assert run._loop_log is not None
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, run._loop_log._log.fileno())
    os.close(full)
    with pytest.warns(RuntimeWarning) as caught:
        run.finish()
    assert "is full" in str(caught[0].message)
    assert "the end of a-1 could not be written" in str(caught[1].message)


def test_events_of_all_kinds_wait(log: LastingLog, path: Path) -> None:
    before: list[Event] = [row(0), Paused(), Note(level="info", text="x")]
    log.write(*before)
    assert [type(event) for event in read_events(path).events] == [Logged, Paused, Note]
    assert events(RunDir(path.parent), Note)[0].text == "x"
