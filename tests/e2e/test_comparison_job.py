"""A comparison as its users do it: the real command, a real pool, and a process killed by hand."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Home, worker_pid

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import read_events

pytestmark = pytest.mark.slow

LABELS = ("adam", "sgd+clr")
COMPARE = ("compare", "--data", "digits", "--optimizers", ",".join(LABELS), "--seeds", "2")


def start(home: Home, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clr_tui.tui", *map(str, arguments)],
        env={**home.env, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(home: Home, *arguments: object) -> tuple[int, str, str]:
    process = start(home, *arguments)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict, str]]:
    """A finished comparison: its home, its result, and what was said meanwhile."""
    home = Home(tmp_path_factory.mktemp("home"))
    code, out, err = run(home, *COMPARE, "--epochs", "2", "--headless", "--json")
    assert code == 0, err
    yield home, json.loads(out), err
    home.close()


def test_a_result_of_every_entry(compared) -> None:
    _, found, err = compared
    assert (found["run"], found["kind"], found["status"]) == ("compare-digits-1", "compare", "done")
    assert (found["trials_total"], found["trials_done"]) == (4, 4)
    assert {entry["label"] for entry in found["entries"]} == set(LABELS)
    for entry in found["entries"]:
        assert entry["seeds"] == [0, 1]
        assert len(entry["test_last"]["values"]) == 2
        assert all(0 <= value <= 1 for value in entry["test_last"]["values"])
        assert all(trial["state"] == "done" for trial in entry["trials"])
        assert all(trial["epochs"] == trial["total_epochs"] for trial in entry["trials"])
    rates = {entry["label"]: entry for entry in found["entries"]}
    assert (rates["adam"]["lr"], rates["adam"]["rate_source"]) == (1e-3, "default")
    assert rates["sgd+clr"]["tuning_steps"] > 0  # a policy with bounds has no default
    assert "\x1b" not in err
    assert sum(line.endswith(" of 4]") for line in err.splitlines()) == 4


def test_the_log_has_no_event_lost_or_doubled(compared) -> None:
    home, _, _ = compared
    batch = read_events(home.only_run("compare").events_path)
    assert not batch.corrupt
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    total = {e.trial: e.total_steps for e in batch.events if isinstance(e, ev.TrialStarted)}
    ends = {e.trial: e for e in batch.events if isinstance(e, ev.TrialFinished)}
    assert set(range(4)) <= set(total) == set(ends)
    for trial in range(4):
        steps = [
            step
            for event in batch.events
            if isinstance(event, ev.Steps) and event.trial == trial
            for step in event.step
        ]
        assert steps == list(range(total[trial]))
    assert isinstance(batch.events[-1], ev.RunFinished)


def test_the_result_is_read_again_and_exported(compared, tmp_path: Path) -> None:
    home, found, _ = compared
    code, out, _ = run(home, "attach", found["run"], "--headless")
    assert code == 0
    assert all(label in out for label in LABELS)
    files = [tmp_path / name for name in ("curves.csv", "table.md", "charts.svg")]
    code, _, err = run(
        home,
        *("export", found["run"], "--curves-csv", files[0]),
        *("--markdown", files[1], "--svg", files[2]),
    )
    assert code == 0, err
    assert all(file.stat().st_size > 100 for file in files)
    rows = list(csv.DictReader(files[0].open()))
    epochs = found["entries"][0]["trials"][0]["epochs"]
    assert len(rows) == 4 * epochs
    assert {row["optimizer"] for row in rows} == set(LABELS)
    code, out, err = run(home, "replay", files[0], "--headless", "--json")
    assert code == 0, err
    again = {entry["label"]: entry for entry in json.loads(out)["entries"]}
    for entry in found["entries"]:
        assert again[entry["label"]]["validation_last"] == entry["validation_last"]


def trial_processes(worker: int) -> list[int]:
    """The processes of the pool whose worker this is."""
    found = []
    for task in Path(f"/proc/{worker}/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"trial_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc to find processes in")
def test_a_trial_that_is_killed_by_hand_is_run_again(home: Home) -> None:
    process = start(home, *COMPARE, "--epochs", "32", "--lr", "1e-3", "--headless", "--json")
    assert process.stderr is not None
    said = next(line for line in process.stderr if "[1 of 4]" in line)
    assert "failed" not in said
    run_ = home.only_run("compare")
    os.kill(trial_processes(worker_pid(run_))[0], signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert (found["status"], found["trials_done"], found["trials_failed"]) == ("done", 4, 0)
    assert "its process was killed (SIGKILL); the trial is run again (try 2)" in err
    trials = [trial for entry in found["entries"] for trial in entry["trials"]]
    assert {(trial["state"], trial["epochs"]) for trial in trials} == {("done", 32)}
