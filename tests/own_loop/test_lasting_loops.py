"""Whatever happens to the disk and the folder, a training goes on, and so does its log.

tests/faults/test_disk_log.py has the log alone.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from loops import Program, column, ending

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import EventWriter


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


def test_an_end_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = clr_tui.start("a", runs_dir=tmp_path)

    def refuse(*_arguments: object) -> None:
        raise UserError("the disk of '/runs' is full")

    monkeypatch.setattr(EventWriter, "write", refuse)
    with pytest.warns(RuntimeWarning) as caught:
        run.finish()
    assert "is full" in str(caught[0].message)
    assert "the end of a-1 could not be written" in str(caught[1].message)


def test_a_log_replaced_just_before_the_end_has_all_of_it(tmp_path: Path) -> None:
    run = clr_tui.start("a", runs_dir=tmp_path)
    run.log(loss=0.0)
    log = RunDir(tmp_path / run.id).events_path
    shutil.copy(log, tmp_path / "copy")
    os.replace(tmp_path / "copy", log)
    run.log(loss=1.0)
    run.finish()
    assert column(RunDir(tmp_path / run.id), "loss") == [(0, 0.0), (1, 1.0)]
    assert ending(RunDir(tmp_path / run.id)).outcome == "done"
