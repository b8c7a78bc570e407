"""What is fuzzed: for each reader its files, and the calls that read a damaged one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), *(str(TESTS / name) for name in ("cli", "foreign", "analysis"))]

import made_grids
import made_runs
from bounded_calls import Calls
from comparison_logs import write_run
from damage import BINARY, TEXT, Damage
from reading import follow
from trackio_files import Project

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import CommandTail, Pause, SetBounds, Stop, StopTrial
from clr_tui.engine.log.packed_log import read_packed
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.cli import main as command
from clr_tui.tui.views_file import ViewsFile

REAL_LOGS = TESTS / "foreign" / "real_logs"


@dataclass(frozen=True)
class Target:
    """One reader with one good file."""

    name: str
    folder: Path
    """Copied for each variant."""
    file: str
    """The one that is damaged, as a path in it."""
    kinds: tuple[Damage, ...]
    calls: Callable[[Path, Path, Path], Calls]
    """`(the copy, the damaged file in it, the intact beginning as a file)`: what to call."""
    share: int = 1
    """How often it is taken, beside others."""


def _raise(error: Exception) -> str:
    raise error


def _command(*arguments: object) -> Callable[[], None]:
    """A call of `clr-tui` that must end in order, or with a sentence."""

    def call() -> None:
        command._internal_error = _raise
        code = command.main([str(argument) for argument in arguments])
        assert code in (0, 1, 2), f"exit code {code}"

    return call


def _reading(path: Path, out: Path) -> Calls:
    """All that is done to a log without a screen."""
    return {
        "replay": _command("replay", path, "--headless"),
        "replay --at": _command("replay", path, "--json", "--at", "50%"),
        "export --csv": _command("export", path, "--csv", out / "a.csv", "--svg", out / "a.svg"),
        "export --epochs-csv": _command("export", path, "--epochs-csv", out / "e.csv"),
        "export --tensorboard": _command("export", path, "--tensorboard", out / "tb"),
        "report": _command("report", path, "-o", out / "a.html"),
    }


def _our_log(folder: Path, log: Path, intact: Path) -> Calls:
    def events_before_the_damage() -> None:
        expected = read_packed(intact).events
        assert read_packed(log).events[: len(expected)] == expected

    run = log.parent
    return {
        "events before": events_before_the_damage,
        **_reading(run, folder.parent),
        "ls": _command("ls", "--runs-dir", run.parent),
        "watch": _command("watch", run, "--json"),
    }


def _comparison(folder: Path, log: Path, intact: Path) -> Calls:
    return {
        **_our_log(folder, log, intact),
        "curves": _command("export", log.parent, "--curves-csv", folder.parent / "c.csv"),
        "rates": _command("export", log.parent, "--rates-csv", folder.parent / "r.csv"),
    }


def _on_screen(_folder: Path, log: Path, _intact: Path) -> Calls:
    async def show() -> None:
        from clr_tui.tui.app import ClrTuiApp

        app = ClrTuiApp(log.parent.parent, load=lambda: open_recording(log), start_speed=math.inf)
        async with app.run_test(size=(100, 30)) as pilot:
            for key in ("i", "L", "d", "l"):
                await pilot.pause()
                await pilot.press(key)
        if app.failure is not None and not isinstance(app.failure, UserError):
            raise app.failure

    return {"screen": lambda: asyncio.run(show())}


def _run_json(folder: Path, _file: Path, _intact: Path) -> Calls:
    runs = ("--runs-dir", folder)
    (run,) = folder.iterdir()
    return {
        "ls": _command("ls", *runs),
        "ls --json": _command("ls", "--json", *runs),
        "replay": _command("replay", run, "--headless", *runs),
        "attach": _command("attach", run.name, "--headless", *runs),
        "train --from": lambda: _settings("train", "--from", run.name, "--runs-dir", str(folder)),
        "compare --from": lambda: _settings(
            "compare", "--optimizers", "sgd", "--from", run.name, "--runs-dir", str(folder)
        ),
        "report": _command("report", run, *runs),
        "rm": _command("rm", run.name, "--yes", *runs),
    }


def _settings(kind: str, *arguments: str) -> None:
    """What a run would be started with."""
    from clr_tui.tui.cli.parser import build_parser
    from clr_tui.tui.kinds.registry import KINDS

    with contextlib.suppress(UserError):
        args = build_parser().parse([kind, *arguments])
        KINDS[kind].load_command().settings(args, Path(args.runs_dir))


def _foreign(folder: Path, log: Path, intact: Path) -> Calls:
    """A log of another tool, in which damage costs nothing before it."""

    def points_before_the_damage() -> None:
        before, found = _steps(intact), _steps(log)
        for name, steps in before.items():
            assert steps <= found.get(name, set()), f"{name} lacks {sorted(steps)[:5]}..."

    return {"points before": points_before_the_damage, **_table(folder, log, intact)}


def _steps(path: Path) -> dict[str, set[int]]:
    try:
        (follower,) = follow(path).values()
        return {name: {step for step, _ in values} for name, values in follower.read().items()}
    except UserError:  # its beginning is damaged
        return {}


def _table(folder: Path, log: Path, _intact: Path) -> Calls:
    """A log whose layout is guessed from all of it, or of several files."""
    return {
        **_reading(log, folder.parent),
        "as comparison": _command("replay", log, "--headless", "--as", "comparison"),
        "as logged": _command("replay", log, "--json", "--as", "logged-run"),
        "watch": _command("watch", log, "--json"),
        "import": _command("import", log, "--runs-dir", folder.parent / "runs"),
    }


def _in_folder(folder: Path, _log: Path, intact: Path) -> Calls:
    """A log of several files."""
    return _table(folder, folder, intact)


def _commands(_folder: Path, file: Path, intact: Path) -> Calls:
    def read() -> None:
        expected = CommandTail(intact).poll()
        assert CommandTail(file).poll()[: len(expected)] == expected

    return {"commands": read}


def _views(_folder: Path, file: Path, _intact: Path) -> Calls:
    def read() -> None:
        views = ViewsFile(file)
        assert isinstance(views.view_of("/a/log"), dict)
        views.remember("/a/log", {"smoothing": 0.5})
        assert views.view_of("/a/log") == {"smoothing": 0.5}

    async def show() -> None:
        from clr_tui.tui.app import ClrTuiApp

        app = ClrTuiApp(file.parent / "runs", load=lambda: open_recording(log), views=file)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
        if app.failure is not None and not isinstance(app.failure, UserError):
            raise app.failure

    log = next((file.parent / "runs").glob("*/events.jsonl"))
    text = file.read_bytes().replace(b"/a/log", os.fsencode(log.parent))
    file.write_bytes(text)
    return {"screen": lambda: asyncio.run(show()), "views": read}


class _Recorder(RunHistory):
    """Keeps the events that it is given."""

    events: list[ev.Event]

    def apply(self, event: ev.Event) -> None:
        self.__dict__.setdefault("events", []).append(event)


def _write_grid(runs: Path) -> RunDir:
    made_grids.RunHistory = _Recorder  # type: ignore[misc]
    ends = {"sgd": [[0.5, 0.6], [0.8, 0.81], [0.3, None]], "adam": [[0.7, 0.6], [0.6, 0.5], [0.2]]}
    try:
        history: Any = made_grids.grid_history(ends, "grid:1e-3..1e-1x3")  # type: ignore[arg-type]
    finally:
        made_grids.RunHistory = RunHistory  # type: ignore[misc]
    run = create_run(runs, task=TaskConfig(), job=history.config.job, version="0")
    made_runs.write(run, [*made_runs.opening(run)[:1], *history.events])
    return run


def targets(root: Path) -> list[Target]:
    """All targets; their good files are made in `root`."""
    return [*_ours(root), *_of_other_tools(root)]


def _ours(root: Path) -> Iterator[Target]:
    short = RangeTest(start_lr=1e-6, end_lr=1.0, steps=100)
    logs: dict[str, tuple[Callable[[Path], RunDir], Callable[[Path, Path, Path], Calls]]] = {
        "range test": (lambda runs: made_runs.make_sweep(runs, steps=100, config=short), _our_log),
        "training": (lambda runs: made_runs.make_training(runs, epochs=4), _our_log),
        "comparison": (lambda runs: write_run(runs, seeds=2, epochs=4, target=0.7), _comparison),
        "grid": (_write_grid, _comparison),
        "logged": (lambda runs: made_runs.make_logged(runs), _our_log),
    }
    for name, (make, calls) in logs.items():
        folder = root / name
        run = make(folder)
        log = str(run.events_path.relative_to(folder))
        yield Target(f"log of a {name}", folder, log, TEXT, calls, share=4)
        yield Target(f"screen of a {name}", folder, log, TEXT, _on_screen)
        file = str(run.config_path.relative_to(folder))
        yield Target(f"run.json of a {name}", folder, file, TEXT, _run_json)
        bare = root / f"bare {name}"
        bare.mkdir()
        shutil.copy(run.events_path, bare / "log.jsonl")
        yield Target(f"bare log of a {name}", bare, "log.jsonl", TEXT, _bare)
    yield from _our_csvs(root)
    orders = [SetBounds(base_lr=1e-3, max_lr=1e-2), Pause(), StopTrial(trial=3), Stop(reason="x")]
    text = b"".join(msgspec.json.encode(order) + b"\n" for order in orders) * 5
    yield Target("commands", *_one_file(root, "commands.jsonl", text), TEXT, _commands)
    view = {"smoothing": 0.9, "filter": "loss", "x": "time", "log_x": True, "charts": ["a", "b"]}
    views = msgspec.json.encode({"/a/log": view, "/b/log": {"smoothing": 0.1}})
    folder, file = _one_file(root, "views.json", views)
    shutil.copytree(root / "logged", folder / "runs")
    yield Target("views", folder, file, TEXT, _views)


def _bare(folder: Path, log: Path, intact: Path) -> Calls:
    def events_before_the_damage() -> None:
        expected = read_packed(intact).events
        assert read_packed(log).events[: len(expected)] == expected

    return {"events before": events_before_the_damage, **_reading(log, folder.parent)}


def _our_csvs(root: Path) -> Iterator[Target]:
    options = {"range test": ["--csv"], "training": ["--csv", "--epochs-csv"]}
    options |= {"comparison": ["--csv", "--curves-csv"], "logged": ["--csv"]}
    for name, wanted in options.items():
        (run,) = (root / name).iterdir()
        for option in wanted:
            folder = root / f"{name} {option}"
            folder.mkdir()
            assert command.main(["export", str(run), option, str(folder / "a.csv")]) == 0
            yield Target(f"{option} of a {name}", folder, "a.csv", TEXT, _table)


def _one_file(root: Path, name: str, content: bytes) -> tuple[Path, str]:
    folder = root / f"folder of {name}"
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder, name


def _of_other_tools(root: Path) -> Iterator[Target]:
    for name, file in (
        ("lightning", "lightning_logs/version_0/metrics.csv"),
        ("keras", "training.csv"),
        ("keras_semicolon", "training.csv"),
        ("fastai", "history.csv"),
        ("ultralytics", "results.csv"),
        ("lr_finder", "history.csv"),
        ("lr_finder", "history.json"),
        ("trainer", "trainer_state.json"),
    ):
        source = (REAL_LOGS / name / file).read_bytes()
        folder = root / f"{name} {Path(file).suffix}"
        folder.mkdir()
        (folder / Path(file).name).write_bytes(source)
        yield Target(f"{name} {Path(file).name}", folder, Path(file).name, TEXT, _table)
    yield Target(
        "settings", _copy(root, "ultralytics", "settings"), "args.yaml", TEXT, _beside_settings
    )
    yield Target(
        "JSON lines",
        _copy(root, "openmmlab", "json lines"),
        "run/vis_data/scalars.json",
        TEXT,
        _foreign,
    )
    (events,) = (REAL_LOGS / "torch" / "run").glob("events*")
    yield Target(
        "TensorBoard",
        *_one_file(root, events.name, events.read_bytes()),
        BINARY,
        _foreign,
        share=2,
    )
    (wandb,) = (REAL_LOGS / "wandb").glob("*/*/*.wandb")
    yield Target("W&B", *_one_file(root, wandb.name, wandb.read_bytes()), BINARY, _foreign, share=2)
    mlflow = _copy(root, "mlflow_files", "mlflow files")
    (run,) = (path for path in (mlflow / "mlruns" / "0").iterdir() if path.is_dir())
    for file in ("metrics/train/loss", "params/lr", "meta.yaml"):
        inside = str(run.relative_to(mlflow) / file)
        yield Target(f"MLflow {file}", mlflow, inside, TEXT, _in_folder)
    yield Target("Trackio", _trackio(root), "project.db", BINARY, _table, share=2)
    yield Target("MLflow database", _mlflow_database(root), "mlflow.db", BINARY, _table, share=2)


def _beside_settings(folder: Path, _file: Path, intact: Path) -> Calls:
    return _table(folder, folder / "results.csv", intact)


def _copy(root: Path, name: str, as_: str) -> Path:
    shutil.copytree(REAL_LOGS / name, root / as_, ignore=shutil.ignore_patterns("expected.json"))
    return root / as_


def _trackio(root: Path) -> Path:
    folder = root / "trackio"
    folder.mkdir()
    project = Project(folder / "project.db", journal="delete")
    project.configure("one", {"lr": 0.1})
    for step in range(50):
        project.log("one", step, {"loss": 1 / (step + 1), "acc": step / 50}, step)
    project.connection.close()
    return folder


def _mlflow_database(root: Path) -> Path:
    folder = root / "mlflow database"
    folder.mkdir()
    connection = sqlite3.connect(folder / "mlflow.db")
    connection.executescript(
        """
        CREATE TABLE runs (run_uuid VARCHAR PRIMARY KEY, name VARCHAR, status VARCHAR,
            start_time BIGINT, lifecycle_stage VARCHAR, experiment_id INTEGER);
        CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR);
        CREATE TABLE params (key VARCHAR, value VARCHAR, run_uuid VARCHAR);
        CREATE TABLE metrics (key VARCHAR, value FLOAT, timestamp BIGINT, run_uuid VARCHAR,
            step BIGINT, is_nan BOOLEAN,
            PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
        INSERT INTO experiments VALUES (1, 'Default');
        INSERT INTO runs VALUES ('a', 'first', 'RUNNING', 1, 'active', 1);
        INSERT INTO params VALUES ('lr', '0.1', 'a');
        """
    )
    rows = [("loss", 1 / (i + 1), 1_700_000_000_000 + i, "a", i, 0) for i in range(50)]
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return folder
