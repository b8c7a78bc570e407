"""Without torch, torchvision, scipy and Pillow everything works but training."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import light_install
import pytest
from packaging.requirements import Requirement
from terminal import Terminal

MISSING = ("torch", "torchvision", "scipy", "PIL", "safetensors", "pynvml")
BLOCKED = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
import importlib.util
known = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {MISSING} else known(name, *rest)
from clr_tui.tui.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The command in an interpreter that finds none of these."""
CURVES = """optimizer,seed,epoch,val_acc
adam,0,1,0.5
adam,0,2,0.8
adam,1,1,0.5
adam,1,2,0.82
sgd,0,1,0.4
sgd,0,2,0.7
sgd,1,1,0.4
sgd,1,2,0.71
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of logs."""
    rows = [f"{epoch},{2 / epoch},{1 - 0.5 / epoch}" for epoch in range(1, 11)]
    log = tmp_path / "logs" / "metrics.csv"
    log.parent.mkdir()
    log.write_text("epoch,train_loss,val_acc\n" + "\n".join(rows) + "\n")
    sweep = [f"{i},{1e-5 * 1.1**i},{2 + (i - 60) ** 2 / 4000}" for i in range(100)]
    (tmp_path / "sweep.csv").write_text("step,lr,loss\n" + "\n".join(sweep) + "\n")
    (tmp_path / "curves.csv").write_text(CURVES)
    return tmp_path


def run(python: list[str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CLR_TUI_RUNS": str(folder / "runs"), "HOME": str(folder)}
    return subprocess.run(
        [*python, *arguments], capture_output=True, text=True, timeout=300, env=env, cwd=folder
    )


def check_reading(python: list[str], folder: Path) -> None:
    """Watches, replays, imports and exports logs of all kinds."""

    def said(*arguments: str) -> str:
        done = run(python, folder, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (watched,) = json.loads(said("watch", "logs", "--json"))["runs"]
    assert watched["values"]["train_loss"]["last"] == 0.2
    assert "val_acc" in said("watch", "logs")
    rows = list(csv.DictReader(io.StringIO(said("export", "logs/metrics.csv", "--csv", "-"))))
    assert [float(row["train_loss"]) for row in rows] == [2 / epoch for epoch in range(1, 11)]
    assert said("export", "logs/metrics.csv", "--svg", "-").startswith("<svg")
    assert json.loads(said("replay", "sweep.csv", "--json"))["bounds"] is not None
    compared = json.loads(said("replay", "curves.csv", "--json"))
    assert compared["pairs"][0]["p"] is not None  # Student's t, without scipy
    run_id = said("import", "logs").strip()
    assert run_id in said("ls")
    assert "val_acc" in said("replay", run_id, "--headless")


def check_training(python: list[str], folder: Path) -> None:
    """What trains says in one sentence what to install."""
    for command in ("range-test", "train --max-lr 0.01", "compare"):
        done = run(python, folder, *command.split(), "--headless")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "clr-tui: training needs torch, torchvision, pillow and safetensors, which are not "
            "installed here: run `pip install torch torchvision pillow safetensors`; watch, "
            "replay and export work without\n"
        )
    assert not (folder / "runs").exists() or "range" not in run(python, folder, "ls").stdout


@pytest.mark.parametrize("check", [check_reading, check_training])
def test_an_interpreter_that_finds_none_of_them(
    folder: Path, check: Callable[[list[str], Path], None]
) -> None:
    check([sys.executable, "-c", BLOCKED], folder)


@pytest.mark.slow
def test_an_installation_as_documented(folder: Path) -> None:
    pytest.importorskip("setuptools", minversion="77")
    pytest.importorskip("pip")
    place = folder / "light"
    place.mkdir()
    python = light_install.install(place)
    for name in MISSING:
        done = subprocess.run([python, "-c", f"import {name}"], capture_output=True, timeout=60)
        assert b"ModuleNotFoundError" in done.stderr, name
    command = (
        [str(python), "-P", "-m", "clr_tui.tui"]
        if sys.version_info >= (3, 11)
        else [str(python), "-m", "clr_tui.tui"]
    )
    check_reading(command, folder)
    check_training(command, folder)
    env = {**os.environ, "CLR_TUI_RUNS": str(folder / "runs"), "TERM": "xterm-256color"}
    terminal = Terminal([*command, "watch", str(folder / "logs")], env)
    try:
        terminal.wait_for(lambda text: "CSV" in text and "loss" in text)
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
    finally:
        terminal.close()


def test_the_page_has_the_bounds_of_pyproject() -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((light_install.ROOT / "pyproject.toml").read_text("utf-8"))
    known = {one.name: one for one in map(Requirement, settings["project"]["dependencies"])}
    commands = light_install.documented()
    assert len(commands) == 2  # with pip, with uv
    for packages in commands:
        assert [str(one) for one in packages] == [str(known[one.name]) for one in packages]
    left_out = {*known} - {one.name for one in commands[0]}
    assert left_out == {"nvidia-ml-py", "pillow", "safetensors", "scipy", "torch", "torchvision"}
