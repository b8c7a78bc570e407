"""Logs that are not text, written by the real libraries, show exactly what these were given.

Those in real_logs/ always; and logs that are written now, where the peers' environment of the
benchmarks is there: tests/benchmarks/peers_environment.py makes it. $CLR_TUI_PEERS names another
interpreter.
"""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import time
from pathlib import Path

import pytest
from reading import Follower, Points, follow, follow_one

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.tensorboard_export import export_tensorboard
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import LoggedRun, RunConfig, TaskConfig

REAL = Path(__file__).parent / "real_logs"
KEPT = ("torch", "tensorboardx", "wandb", "mlflow_files")
MADE = (*KEPT, "trackio", "mlflow_database")
FLOAT32 = ("torch", "tensorboardx")
PEERS = Path(
    os.environ.get("CLR_TUI_PEERS")
    or Path(__file__).resolve().parents[2] / "build" / "bench-venv" / "bin" / "python"
)
needs_peers = pytest.mark.skipif(not PEERS.exists(), reason="the peers are not installed")


def shown_as(name: str, key: str, value: float) -> float | None:
    if name in FLOAT32 and key != "double":
        (value,) = struct.unpack("<f", struct.pack("<f", value))
    return value if math.isfinite(value) else None


def check(folder: Path, name: str) -> Follower:
    """Reads the only log in a folder, which shows what is expected."""
    expected = json.loads((folder / "expected.json").read_text())
    follower = follow_one(folder)
    points: Points = {
        key: [(step, shown_as(name, key, value)) for step, value in values]
        for key, values in expected["values"].items()
    }
    assert follower.read() == points
    assert follower.log.settings == expected["settings"]
    assert not follower.warnings
    return follower


@pytest.mark.parametrize("name", KEPT)
def test_a_log_shows_exactly_what_was_logged(name: str) -> None:
    follower = check(REAL / name, name)
    ended = follower.history.finished
    assert (ended is not None and ended.outcome == "done") == (name in ("wandb", "mlflow_files"))


@needs_peers
@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_a_log_written_now_shows_exactly_what_was_logged(name: str, tmp_path: Path) -> None:
    make = [PEERS, REAL / "make_binary.py", tmp_path, name]
    subprocess.run(make, check=True, capture_output=True)
    check(tmp_path / name, name)


GROWING = {
    "tensorboard": """
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(folder + "/run")
def log(step):
    writer.add_scalar("loss", step, step)
    writer.flush()
""",
    "wandb": """
import os
os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": folder}
import wandb
run = wandb.init(project="p", settings=wandb.Settings(console="off"))
def log(step):
    run.log({"loss": step})
""",
    "trackio": """
import os
os.environ["TRACKIO_DIR"] = folder
import trackio
trackio.init(project="p", name="a", embed=False)
def log(step):
    trackio.log({"loss": step})
""",
    "mlflow": """
import os
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
mlflow.set_tracking_uri("file:" + folder + "/mlruns")
mlflow.start_run()
def log(step):
    mlflow.log_metric("loss", step, step=step)
""",
}
LOOP = """
for step in range(5):
    log(step)
    print("logged", step, flush=True)
    input()
"""


@needs_peers
@pytest.mark.slow
@pytest.mark.parametrize("library", GROWING)
def test_a_log_is_followed_while_the_library_writes_it(library: str, tmp_path: Path) -> None:
    program = f"folder = {str(tmp_path)!r}\n{GROWING[library]}\n{LOOP}"
    with subprocess.Popen(
        [PEERS, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        follower: Follower | None = None
        for step in range(5):
            while not (line := process.stdout.readline()).startswith("logged"):
                assert line, "the library's program ended"
            expected = {"loss": [(i, i) for i in range(step + 1)]}
            deadline = time.monotonic() + 60
            # Libraries that write in a thread of theirs are given the time to do so.
            while (follower.read() if follower else {}) != expected:
                assert time.monotonic() < deadline
                follower = follower or next(iter(found(tmp_path)), None)
                time.sleep(0.01)
            process.stdin.write("\n")
            process.stdin.flush()
        process.wait()
    assert follower is not None
    assert follower.resets == 0


def found(folder: Path) -> list[Follower]:
    try:
        return list(follow(folder).values())
    except UserError:  # nothing there yet
        return []


READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
found.Reload()
print(json.dumps({
    tag: [[e.step, e.value, e.wall_time] for e in found.Scalars(tag)]
    for tag in found.Tags()["scalars"]
}))
"""


@needs_peers
@pytest.mark.slow
def test_tensorboard_reads_what_we_export(tmp_path: Path) -> None:
    task = TaskConfig(data="", model="")
    history = RunHistory(RunConfig(id="a", created=1.7e9, version="", task=task, job=LoggedRun()))
    steps = [*range(200), 20_000, 3_000_000]
    values = {"loss": [1 / (i + 1) for i in steps], "val/acc": [float(i) for i in steps]}
    history.apply(ev.Logged(step=steps, values=values, at=[1.7e9 + i for i in range(202)]))
    (path,) = export_tensorboard(history, tmp_path)
    read = subprocess.run(
        [PEERS, "-c", READ, path.parent], check=True, capture_output=True, text=True
    )
    assert json.loads(read.stdout.splitlines()[-1]) == {
        name: [
            [step, shown_as("torch", name, value), 1.7e9 + i]
            for i, (step, value) in enumerate(zip(steps, column, strict=True))
        ]
        for name, column in values.items()
    }
