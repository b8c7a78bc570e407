"""What each side may load, seen from outside: fresh interpreters and their `sys.modules`."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig

ROOT = Path(__file__).parents[2]


def test_no_two_files_import_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not through others either, nor only for types."""
    (tmp_path / "clr_tui").mkdir()
    for name in ("__init__.py", "library", "callbacks"):
        (tmp_path / "clr_tui" / name).symlink_to(ROOT / "clr_tui" / name)
    for folder in ("engine", "tui"):
        (tmp_path / "clr_tui" / folder).symlink_to(ROOT / folder)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "clr_tui")
    graph = grimp.build_graph("clr_tui", cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    assert len(imports) > 200
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the files


def test_a_file_name_stands_once() -> None:
    """Tracebacks and editor tabs show names: only the folders of kinds repeat theirs."""
    parts = ("clr_tui", "engine", "tui")
    files = [path for part in parts for path in (ROOT / part).rglob("*.py")]
    names = Counter(
        path.name for path in files if "kinds" not in path.parts and path.name != "__init__.py"
    )
    assert sum(names.values()) > 150
    assert [name for name, count in names.items() if count > 1] == []


FIRST_FRAME = """
import asyncio, json, sys, time
from clr_tui.tui.cli import main as cli
from clr_tui.tui.app import ClrTuiApp

frames = []
paint = ClrTuiApp._display

def noting(app, screen, renderable):
    if renderable is not None:
        frames.append(sorted({name.split(".")[0] for name in sys.modules}))
    paint(app, screen, renderable)

async def watch(app):
    deadline = time.monotonic() + 60
    async with app.run_test(size=(100, 30)) as pilot:
        while not ("plotext" in frames[-1] or time.monotonic() > deadline):
            await pilot.pause(0.02)

ClrTuiApp._display = noting
ClrTuiApp.run = lambda app: asyncio.run(watch(app))
cli.on_terminal = lambda: True
code = cli.main(sys.argv[1:])
print(json.dumps([code, frames[0], frames[-1]]))
"""
"""A command with its screen, but no terminal: what was loaded at the first frame and the last."""


def modules_after(code: str) -> set[str]:
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def all_modules(package: str) -> list[str]:
    found = __import__(package, fromlist=["__path__"])
    return [
        info.name
        for info in pkgutil.walk_packages(found.__path__, package + ".")
        if not info.name.endswith("__main__")
    ]


def test_the_whole_tui_loads_without_torch() -> None:
    # Templates of task files are only copied.
    names = [name for name in all_modules("clr_tui.tui") if ".templates" not in name]
    assert "clr_tui.tui.app" in names
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert "textual" in loaded
    assert not loaded & {"torch", "torchvision"}


@pytest.mark.parametrize(
    "package", ["clr_tui.engine.settings", "clr_tui.engine.log", "clr_tui.engine.analysis"]
)
def test_a_log_is_readable_without_torch_or_a_screen(package: str) -> None:
    loaded = modules_after("\n".join(f"import {name}" for name in all_modules(package)))
    assert not loaded & {"torch", "torchvision", "textual", "rich", "plotext"}


def test_a_task_file_that_imports_clr_tui_loads_torch_only_with_a_task() -> None:
    loaded = modules_after("import clr_tui; dir(clr_tui)")
    assert not loaded & {"torch", "numpy", "msgspec", "textual"}
    for name in ("Task", "CLR", "range_test"):
        loaded = modules_after(f"import clr_tui; clr_tui.{name}")
        assert "torch" in loaded
        assert "textual" not in loaded


def test_the_engine_loads_without_a_screen_library() -> None:
    names = all_modules("clr_tui.engine")
    assert "clr_tui.engine.worker" in names
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert "torch" in loaded
    assert not loaded & {"textual", "rich", "plotext"}


@pytest.fixture
def sweep(tmp_path: Path) -> RunDir:
    """A range test that has ended."""
    run = create_run(tmp_path, task=TaskConfig(), job=RangeTest(), version="0")
    log = EventWriter(run.events_path)
    log.write(ev.RunStarted(run=run.id, kind="range-test"))
    log.write(ev.TrialStarted(trial=0, seed=0, total_steps=100, steps_per_epoch=50))
    steps = list(range(100))
    rates = [1e-7 * 1.17**step for step in steps]
    log.write(ev.Steps(trial=0, step=steps, lr=rates, loss=[2.0] * 100, elapsed=1.0))
    log.write(ev.RunFinished(outcome="done"))
    return run


@pytest.mark.parametrize("command", [[], ["attach"], ["replay", "RUN"]], ids=str)
def test_the_first_frame_waits_for_no_chart(sweep: RunDir, command: list[str]) -> None:
    words = [sweep.id if word == "RUN" else word for word in command]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, *words, "--runs-dir", str(sweep.path.parent)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    code, first, last = json.loads(done.stdout.splitlines()[-1])
    charts = {"numpy", "scipy", "plotext", "pynvml"}
    assert code == 0
    assert {"textual", "msgspec"} <= set(first)
    assert not charts & set(first)
    assert charts & set(last) >= {"numpy", "plotext"}
