"""`clr_tui.start` and `run.log`: what is logged is in the log, as of any other run."""

from __future__ import annotations

import json
import math
import os
import pickle
import socket
import sys
import threading
from pathlib import Path

import pytest
from loops import Program, column, ending, events, wait_until

import clr_tui
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import DeviceUsage, Logged, RunStarted
from clr_tui.engine.log.removal import check_removable
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.own_loop import loop_log, rows
from clr_tui.engine.settings.logged_config import LoggedRun


def folder(runs: Path, run: clr_tui.Run) -> RunDir:
    return RunDir(runs / run.id)


def test_a_run_is_listed_under_its_name_with_its_settings(tmp_path: Path) -> None:
    config = {"lr": 0.1, "model": {"depth": 50, "norm": None}, "é": "ü"}
    with clr_tui.start("resnet50 aug", config=config, runs_dir=tmp_path) as run:
        assert [each.id for each in list_runs(tmp_path)] == [run.id] == ["resnet50-aug-1"]
        assert folder(tmp_path, run).alive
        assert summarise(folder(tmp_path, run)).status == "running"
    job = folder(tmp_path, run).config().asked(LoggedRun)
    assert job.name == "resnet50 aug"
    assert job.config == {"lr": "0.1", "model.depth": "50", "model.norm": "None", "é": "ü"}
    assert not folder(tmp_path, run).alive
    summary = summarise(folder(tmp_path, run))
    assert (summary.status, summary.kind, summary.task) == ("done", "logged", "resnet50 aug")


@pytest.mark.parametrize(("argument", "told"), [("/a/train.py", "/a/train.py"), ("-c", "")])
def test_the_first_event_says_where_it_runs(
    argument: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [argument])
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        pass
    (started,) = events(folder(tmp_path, run), RunStarted)
    assert (started.host, started.pid) == (socket.gethostname(), os.getpid())
    assert started.script == told
    assert started.kind == "logged"


def test_every_value_is_in_the_log_at_its_step(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        for i in range(1000):
            run.log(lr=0.1, loss=1 / (i + 1))
            if i % 100 == 99:
                run.log(step=i, val_loss=i / 7, **{"val/accuracy": i})
    history = RunHistory(folder(tmp_path, run).config())
    history.feed(read_events(folder(tmp_path, run).events_path))
    logged = history.logged
    assert logged.names == ["lr", "loss", "val_loss", "val/accuracy"]
    assert logged.column("loss").step.tolist() == list(range(1000))
    assert logged.column("loss").value.tolist() == [1 / (i + 1) for i in range(1000)]
    assert logged.column("val_loss").step.tolist() == list(range(99, 1000, 100))
    assert logged.column("val_loss").value.tolist() == [i / 7 for i in range(99, 1000, 100)]
    assert logged.overtaken == 0
    assert (logged.column("loss").at >= events(folder(tmp_path, run), RunStarted)[0].time - 1).all()


def test_steps_count_on_from_the_last_one(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(loss=1.0)
        run.log(step=10, loss=2.0)
        run.log(loss=3.0)
    assert column(folder(tmp_path, run), "loss") == [(0, 1.0), (10, 2.0), (11, 3.0)]


def test_what_is_logged_can_be_read_while_the_loop_waits(tmp_path: Path) -> None:
    """A loop that logs once an hour: nothing else makes its values appear."""
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(loss=0.5)
        wait_until(lambda: column(folder(tmp_path, run), "loss") == [(0, 0.5)])


def test_values_that_are_not_finite_are_null(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        for value in (1.0, math.nan, math.inf, -math.inf):
            run.log(loss=value)
    assert column(folder(tmp_path, run), "loss") == [(0, 1.0), (1, None), (2, None), (3, None)]


def test_what_is_no_number_is_left_out_with_one_warning(tmp_path: Path) -> None:
    class Bad:
        def __float__(self) -> float:
            raise OSError("no number here")

    with clr_tui.start("a", runs_dir=tmp_path) as run:
        with pytest.warns(RuntimeWarning, match="'phase' is left out where it is not a number"):
            run.log(loss=1.0, phase="train")
        run.log(loss=2.0, phase="test")
        with pytest.warns(RuntimeWarning, match="'bad' is left out .* no number here"):
            run.log(bad=Bad())
        with pytest.warns(RuntimeWarning, match="'none' is left out"):
            run.log(none=None)
    assert column(folder(tmp_path, run), "loss") == [(0, 1.0), (1, 2.0)]
    assert {name for e in events(folder(tmp_path, run), Logged) for name in e.values} == {"loss"}


def test_warnings_that_are_errors_end_no_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with clr_tui.start("a", runs_dir=tmp_path) as run:
            run.log(phase="train")
    assert "'phase' is left out" in capsys.readouterr().err


@pytest.mark.parametrize("step", [2.5, -1, math.nan, 2**63, "three", None, 1e30])
def test_a_step_that_is_no_count_is_counted_on(tmp_path: Path, step: object) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(step=4, loss=1.0)
        if step is None:
            run.log(step=step, loss=2.0)
        else:
            with pytest.warns(RuntimeWarning, match="step"):
                run.log(step=step, loss=2.0)  # type: ignore[arg-type]
    assert column(folder(tmp_path, run), "loss") == [(4, 1.0), (5, 2.0)]


def test_values_in_a_dict_are_a_mistake_that_is_explained(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        with pytest.warns(RuntimeWarning, match=r"given by name: .* run.log\(\*\*values\)"):
            run.log({"loss": 1.0})  # type: ignore[arg-type]
        run.log(loss=2.0)
    assert column(folder(tmp_path, run), "loss") == [(1, 2.0)]


def test_steps_of_other_libraries_are_counts(tmp_path: Path) -> None:
    import numpy as np
    import torch

    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(step=np.int64(3), loss=1.0)  # type: ignore[arg-type]
        run.log(step=torch.tensor(7), loss=2.0)  # type: ignore[arg-type]
        run.log(step=9.0, loss=3.0)  # type: ignore[arg-type]
    assert column(folder(tmp_path, run), "loss") == [(3, 1.0), (7, 2.0), (9, 3.0)]


def test_names_that_no_utf8_has_are_written_all_the_same(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    with clr_tui.start(odd, config={odd: odd}, runs_dir=tmp_path) as run:
        run.log(**{odd: 1.0})
    assert folder(tmp_path, run).config().asked(LoggedRun).config == {"caf?": "caf?"}
    assert column(folder(tmp_path, run), "caf?") == [(0, 1.0)]


def test_settings_of_any_kind_are_texts(tmp_path: Path) -> None:
    class Unwritable:
        def __str__(self) -> str:
            raise ValueError

    endless: dict[str, object] = {"x": "y" * 10_000, "u": Unwritable()}
    endless["self"] = endless
    with clr_tui.start("a", config=endless, runs_dir=tmp_path) as run:
        pass
    job = folder(tmp_path, run).config().asked(LoggedRun)
    assert len(job.config["x"]) == 1000
    assert job.config["u"] == "Unwritable"


def test_after_the_end_nothing_is_recorded_and_it_says_so_once(tmp_path: Path) -> None:
    run = clr_tui.start("a", runs_dir=tmp_path)
    run.log(loss=0.25)
    run.finish("good enough")
    run.finish()
    with pytest.warns(RuntimeWarning, match="after run.finish"):
        run.log(loss=1.0)
    run.log(loss=1.0)
    end = ending(folder(tmp_path, run))
    assert (end.outcome, end.message, end.headline) == ("done", "good enough", "loss 0.25, step 0")
    assert column(folder(tmp_path, run), "loss") == [(0, 0.25)]
    summary = summarise(folder(tmp_path, run))
    assert (summary.status, summary.headline) == ("done", "loss 0.25, step 0")


def test_a_second_run_of_a_name_has_the_next_number(tmp_path: Path) -> None:
    runs = [clr_tui.start("a", runs_dir=tmp_path) for _ in range(3)]
    assert [run.id for run in runs] == ["a-1", "a-2", "a-3"]
    for i, run in enumerate(runs):
        run.log(loss=float(i))
        run.finish()
    assert [column(folder(tmp_path, run), "loss") for run in runs] == [
        [(0, 0.0)],
        [(0, 1.0)],
        [(0, 2.0)],
    ]


def test_files_are_closed_with_the_run(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    clr_tui.start("a", runs_dir=tmp_path).finish()
    before, threads = descriptors(), threading.active_count()
    for _ in range(5):
        clr_tui.start("a", runs_dir=tmp_path).finish()
    assert descriptors() == before
    assert threading.active_count() == threads


def test_a_pickled_run_records_nothing(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        copy = pickle.loads(pickle.dumps(run))
        copy.log(loss=1.0)
        assert list(copy.steps([1, 2])) == [1, 2]
        assert not copy.stopping
        copy.finish()
        run.log(loss=2.0)
    assert column(folder(tmp_path, run), "loss") == [(0, 2.0)]


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="this training is not recorded: .*cannot be written"):
        run = clr_tui.start("a", runs_dir=tmp_path / "file" / "runs")
    with run:
        run.log(loss=1.0)
        assert list(run.steps("ab")) == ["a", "b"]
    assert run.id == ""


def test_ranks_that_do_not_exist_are_an_error_at_once() -> None:
    with pytest.raises(UserError, match="'first' or 'all'"):
        clr_tui.start("a", ranks="some")  # type: ignore[arg-type]


def test_a_living_run_without_its_lock_is_not_removed(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        folder(tmp_path, run).lock_path.unlink()
        with pytest.raises(UserError, match="is running: stop it first"):
            check_removable(folder(tmp_path, run))
    check_removable(folder(tmp_path, run))


def test_a_sign_of_life_comes_while_nothing_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loop_log.USAGE_SECONDS <= 15
    monkeypatch.setattr(loop_log, "USAGE_SECONDS", 0.0)
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        wait_until(lambda: len(events(folder(tmp_path, run), DeviceUsage)) > 1)
    last = events(folder(tmp_path, run), DeviceUsage)[-1]
    assert last.process_cores is not None
    assert last.process_cores >= 0
    assert last.process_memory is not None
    assert last.process_memory > 1 << 20


def test_no_line_is_too_long_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_VALUES", 64)
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        for i in range(100):
            run.log(a=float(i), b=1.0)
        run.log(**{f"name{i}": 1.0 for i in range(100)})
    logged = events(folder(tmp_path, run), Logged)
    assert max(len(e.step) for e in logged) <= 32
    assert column(folder(tmp_path, run), "a") == [(i, float(i)) for i in range(100)]
    assert column(folder(tmp_path, run), "name99") == [(100, 1.0)]


def test_neither_torch_nor_numpy_nor_a_screen_is_imported(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        import sys, clr_tui
        with clr_tui.start("a") as run:
            for batch in run.steps(range(3)):
                run.log(loss=1.0)
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(sorted(loaded & {"torch", "numpy", "textual", "rich", "plotext"}))
        """,
    )
    done = program.run()
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
    assert column(program.only_run, "loss") == [(0, 1.0), (1, 1.0), (2, 1.0)]


def test_the_log_is_json_lines(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        run.log(loss=0.1)
    lines = folder(tmp_path, run).events_path.read_text().splitlines()
    logged = [json.loads(line) for line in lines if '"logged"' in line and '"values"' in line]
    assert [(each["step"], each["values"]) for each in logged] == [([0], {"loss": [0.1]})]
