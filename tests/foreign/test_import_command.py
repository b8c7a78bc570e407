"""`clr-tui import`: runs made of the logs of other tools."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from event_files import event, event_file, simple

from clr_tui.engine.analysis.recordings import importing
from clr_tui.engine.analysis.recordings.importing import MAX_VALUES, import_recording
from clr_tui.engine.analysis.recordings.recorded import Recording
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import Batch, read_events
from clr_tui.engine.settings.config import LoggedRun, RunConfig, TaskConfig

START = 1.7e9


def make_log(folder: Path, steps: int = 50) -> Path:
    payloads = [
        event(START + i, i, simple("loss", 1 / (1 + i)), simple("lr", 0.5)) for i in range(steps)
    ]
    return event_file(folder, *payloads)


def recording(path: Path, *events: ev.AnyEvent) -> Recording:
    job = LoggedRun(name="made", source="CSV")
    task = TaskConfig(data="", model="")
    config = RunConfig(id="made", created=0.0, version="", task=task, job=job)
    return Recording(config, list(events), Batch(events=list(events)), path)


def test_it_is_listed_and_replayed_as_a_run(cli, runs: Path, tmp_path: Path) -> None:
    make_log(tmp_path / "version_3")
    result = cli("import", tmp_path / "version_3")
    assert (result.code, result.out, result.err) == (0, "version_3-1\n", "")
    (listed,) = json.loads(cli("ls", "--json").out)["runs"]
    assert (listed["run"], listed["kind"], listed["status"]) == ("version_3-1", "logged", "done")
    assert listed["headline"] == "loss 0.02, step 49"
    direct = json.loads(cli("replay", tmp_path / "version_3", "--json").out)
    again = json.loads(cli("replay", "version_3-1", "--json").out)
    assert again["values"] == direct["values"]
    assert again["source"] == "TensorBoard"
    assert again["notes"][0] == f"imported from {tmp_path}/version_3"
    half = json.loads(cli("replay", "version_3-1", "--at", "50%", "--json").out)
    assert half["values"]["loss"]["count"] == 25
    csv = (
        cli("export", name, "--csv", "-").out for name in (tmp_path / "version_3", "version_3-1")
    )
    assert len({*csv}) == 1


def test_steps_before_0_are_kept(cli, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "warm.csv").write_text("step,loss\n-10,1\n-5,0.8\n0,0.6\n")
    assert cli("import", tmp_path / "warm.csv").code == 0
    replayed = cli("replay", "warm-1", "--json")
    assert replayed.err == ""
    loss = json.loads(replayed.out)["values"]["loss"]
    assert (loss["count"], loss["highest"], loss["highest_step"]) == (3, 1.0, -10)


def test_each_log_of_a_folder_is_a_run(cli, runs: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_log(tmp_path / "tb" / name)
    found = json.loads(cli("import", tmp_path / "tb", "--json").out)["imported"]
    assert found == [{"run": f"{n}-1", "path": str(tmp_path / "tb" / n)} for n in ("a", "b")]
    assert cli("import", tmp_path / "tb" / "a").out == "a-2\n"


def test_a_range_test_and_a_run_from_elsewhere_are_imported_too(cli, runs, tmp_path: Path) -> None:
    rows = [f"{i},{1e-5 * 1.1**i},{2 + (i - 60) ** 2 / 4000}" for i in range(100)]
    (tmp_path / "lr_find.csv").write_text("step,lr,loss\n" + "\n".join(rows) + "\n")
    first = cli("import", tmp_path / "lr_find.csv").out.strip()
    assert first == "range-test-lr_find-1"
    again = cli("import", RunDir(runs / first).path).out.strip()
    assert again == "range-test-lr_find-2"
    direct, *others = (
        json.loads(cli("replay", name, "--json").out)
        for name in (tmp_path / "lr_find.csv", first, again)
    )
    for found in others:
        assert found["suggestions"] == direct["suggestions"]
        assert found["verdict"] == direct["verdict"]
    assert json.loads(cli("ls", "--json").out)["runs"][0]["headline"]


def test_a_log_without_times_ends_when_it_was_last_written(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.touch()
    os.utime(path, (START, START))
    values = {"loss": [1.0, 2.0]}
    end = ev.RunFinished(time=0.2, outcome="done")
    run = import_recording(
        runs, recording(path, ev.Logged(step=[0, 1], values=values, time=0.2), end)
    )
    assert read_events(run.events_path).events[-1].time == pytest.approx(START)


def test_values_that_are_not_finite_and_unknown_times(runs: Path, tmp_path: Path) -> None:
    nan = float("nan")
    logged = ev.Logged(
        step=np.arange(3),
        values={"loss": np.array([1.0, nan, np.inf])},
        at=np.array([nan, START, nan]),
        time=START,
    )
    run = import_recording(runs, recording(tmp_path, logged))
    batch = read_events(run.events_path)
    (found,) = [e for e in batch.events if isinstance(e, ev.Logged)]
    assert (batch.corrupt, found.values["loss"], found.at) == (0, [1.0, None, None], [START] * 3)


def test_no_line_is_too_long_to_be_read(runs: Path, tmp_path: Path) -> None:
    rows = MAX_VALUES + 5
    column = np.arange(float(rows))
    logged = ev.Logged(step=np.arange(rows), values={"a": column, "b": column}, time=START)
    run = import_recording(runs, recording(tmp_path, logged))
    found = [e for e in read_events(run.events_path).events if isinstance(e, ev.Logged)]
    assert [len(e.step) for e in found] == [MAX_VALUES // 2, MAX_VALUES // 2, 5]


def test_what_fails_leaves_nothing_behind(runs: Path, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(importing.EventWriter, "write", fail)
    with pytest.raises(UserError, match="the disk is full"):
        import_recording(runs, recording(tmp_path, ev.RunFinished(outcome="done")))
    assert [*runs.iterdir()] == []


def test_what_is_no_log_gets_one_sentence(cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    result = cli("import", tmp_path / "notes.txt")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)


def test_hostile_names_stay_text(cli, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "x\x1b[31m\u202ered"
    event_file(folder, event(START, 1, simple("lo\x1b[2Jss", 1.0)))
    out = cli("import", folder).out
    assert "\x1b" not in out
    assert "\x1b" not in cli("replay", "x", "--headless").out + cli("ls").out
    assert len([*runs.iterdir()]) == 1
    assert open_recording(folder).config.subject == "x\x1b[31m\u202ered"
