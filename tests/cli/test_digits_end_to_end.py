"""The command as it is used in scripts, with real workers on the embedded digits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from clr_tui.engine.log.events import Note, RunStarted
from clr_tui.engine.log.rundir import list_runs
from clr_tui.engine.log.tail import read_events

pytestmark = pytest.mark.slow


class Shell:
    """Runs `clr-tui` in a home of its own, without a terminal."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        self.env = {
            **os.environ,
            "CLR_TUI_RUNS": str(self.runs),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "100",
        }

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "clr_tui.tui", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )

    def run(self, *arguments: object) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def started(self, *arguments: object) -> subprocess.Popen[str]:
        """A command whose run has taken its first steps."""
        process = self.start(*arguments)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(("step", "epoch")):
                return process
        raise AssertionError(f"ended with {process.wait()} before its first step")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    for run in list_runs(shell.runs):
        if run.alive:
            told = read_events(run.events_path).events
            pids = [event.pid for event in told if isinstance(event, RunStarted)]
            os.kill(pids[0], signal.SIGKILL)


def test_a_sweep_in_a_given_time(shell: Shell) -> None:
    code, out, err = shell.run("range-test", "--time", "8s", "--json")
    assert code == 0, err
    result = json.loads(out)
    time = result["time"]
    assert time["seconds"] == 8
    assert time["seeds"] == len(result["seeds"])
    assert result["steps"] <= time["seeds"] * time["steps"]
    assert f"of {time['steps']} steps, " in err.splitlines()[-1]
    assert err.splitlines()[-1].endswith(" of 8s used")
    _, again, _ = shell.run("replay", result["run"], "--json")
    assert json.loads(again) == result


def test_sweep_then_train(shell: Shell) -> None:
    code, out, err = shell.run("range-test", "--json")
    assert code == 0, err
    sweep = json.loads(out)
    assert (sweep["run"], sweep["status"]) == ("range-test-digits-1", "done")
    assert sweep["steps"] >= 50
    assert sweep["bounds"]["base_lr"] < sweep["bounds"]["max_lr"]
    assert "digits: 1 2" in err
    assert "\x1b" not in err
    assert "\r" not in err

    options = ("--epochs", "4", "--step-size-epochs", "2")
    code, out, err = shell.run("train", "--from", sweep["run"], *options, "--json")
    assert code == 0, err
    training = json.loads(out)
    assert training["bounds"] == sweep["bounds"]
    assert training["epochs"] == 4
    assert training["test_best"]["accuracy"] > 0.5
    assert [line for line in err.splitlines() if line.startswith("epoch 4 / 4")]

    code, out, _ = shell.run("ls", "--json")
    assert [run["status"] for run in json.loads(out)["runs"]] == ["done", "done"]
    code, out, _ = shell.run("attach", training["run"])
    assert code == 0
    assert "test, best on validation" in out


def test_ctrl_c_stops_the_run_in_order(shell: Shell) -> None:
    process = shell.started("range-test", "--steps", "100000", "--end-lr", "1e-3", "--json")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "stopped"
    (run,) = list_runs(shell.runs)
    assert not run.alive


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Two classes of small images, and a file that is none."""
    root = tmp_path / "flowers"
    for i in range(24):
        folder = root / ("rose" if i % 2 else "daisy")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (10 * i, 0, 0)).save(folder / f"{i}.png")
    (root / "rose" / "torn.png").write_bytes(b"no picture")
    return root


def test_sigterm_leaves_the_run_and_stop_ends_it(shell: Shell, flowers: Path) -> None:
    task = ("--data", flowers, "--batch-size", "4", "--image-size", "16")
    process = shell.started("train", *task, "--max-lr", "1e-2", "--epochs", "100000")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "train-flowers-1 is still running" in err
    (run,) = list_runs(shell.runs)
    assert run.alive
    told = read_events(run.events_path).events
    assert any(isinstance(event, Note) and "torn.png" in event.text for event in told)
    code, out, err = shell.run("stop", run.id)
    assert (code, out) == (0, "train-flowers-1 is stopped\n"), err
    assert list(run.checkpoints.iterdir())
    assert shell.run("rm", run.id, "-y")[0] == 0
    assert list_runs(shell.runs) == []


def test_what_only_the_worker_can_find_is_one_sentence(shell: Shell, flowers: Path) -> None:
    weights = flowers.with_name("weights.pt")
    weights.write_bytes(b"no weights")
    task = ("--data", flowers, "--batch-size", "4", "--model", "resnet34", "--weights", weights)
    code, out, err = shell.run("range-test", *task)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("clr-tui: range-test-flowers-1 failed: ")
    assert "weights.pt" in last
