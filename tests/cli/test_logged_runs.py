"""Runs of somebody's own loop, outside of their screen."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from made_runs import START, make_logged, make_sweep

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import LoggedRun, TaskConfig


def test_it_is_called_by_the_name_that_it_was_given(cli, runs: Path) -> None:
    assert [make_logged(runs).id for _ in range(2)] == ["resnet50-aug-1", "resnet50-aug-2"]
    listed = json.loads(cli("ls", "--json").out)["runs"]
    assert [(run["run"], run["kind"], run["task"], run["model"]) for run in listed] == [
        ("resnet50-aug-2", "logged", "resnet50-aug", ""),
        ("resnet50-aug-1", "logged", "resnet50-aug", ""),
    ]
    assert listed[0]["headline"] == "loss 0.287, step 299"


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        ("", "logged-1"),
        ("../../etc/passwd", "etc-passwd-1"),
        ("…", "logged-1"),
        ("ViT B/16 {wd: 0.1}", "ViT-B-16-wd-0.1-1"),
        ("a" * 300, "a" * 40 + "-1"),
        ("初めて", "初めて-1"),
    ],
)
def test_any_name_becomes_a_folder_of_the_runs(runs: Path, name: str, run_id: str) -> None:
    job = LoggedRun(name=name)
    run = create_run(runs, task=TaskConfig(data="", model=""), job=job, version="0")
    assert (run.id, run.path.parent) == (run_id, runs)


def test_a_name_with_a_point_is_no_file(cli, runs: Path) -> None:
    run = make_logged(runs, "vit wd=0.1")
    assert run.id == "vit-wd-0.1-1"
    for command in ("replay", "watch", "report"):
        assert cli(command, run.id).code == 0
    assert "there is no file 'vit-wd-0.2-1'" in cli("replay", "vit-wd-0.2-1").err


def test_a_living_one_says_how_far_it_is(cli, runs: Path, hold) -> None:
    run = make_logged(runs, ending=[])
    hold(run)
    (listed,) = json.loads(cli("ls", "--json").out)["runs"]
    assert (listed["status"], listed["progress"]) == ("running", None)
    assert listed["headline"] == "loss 0.287, step 299"  # 2 / (1 + 299 / 50)


def test_a_dead_one_was_lost(cli, runs: Path) -> None:
    run = make_logged(runs, ending=[])
    (listed,) = json.loads(cli("ls", "--json").out)["runs"]
    assert listed["status"] == "lost"
    result = cli("attach", run.id, "--headless")
    assert result.code == 1
    assert f"{run.id} was lost" in result.err
    assert "worker" not in result.err


def test_the_result_is_printed(cli, runs: Path) -> None:
    run = make_logged(runs)
    lines = cli("replay", run.id, "--headless").out.splitlines()
    assert lines[0] == f"{run.id}  logged run  resnet50-aug"
    assert lines[2] == "wd 0.05 · model resnet50"
    rows = {line.split()[0]: line.split()[1:] for line in lines[-3:]}
    assert rows == {
        "lr": ["0.00100", "299", "0.00100", "0", "0.00100", "0", "300"],
        "loss": ["0.287", "299", "0.287", "299", "2.000", "0", "300"],
        "val/accuracy": ["0.300", "299", "0.100", "99", "0.300", "299", "3"],
    }
    assert all(len(line) <= 100 for line in lines)


def test_many_names_are_a_table_below_a_few_charts(cli, runs: Path) -> None:
    run = make_logged(runs, ending=[])
    log = run.events_path.open("a")
    values = {f"layer{i}/grad/a-rather-long-name-for-a-metric/{i}": [float(i)] for i in range(50)}
    event = {"type": "logged", "seq": 7, "time": START, "step": [299], "values": values}
    log.write(json.dumps(event) + "\n")
    log.close()
    lines = cli("replay", run.id, "--headless").out.splitlines()
    assert sum("layer" in line and line.endswith("        1") for line in lines) == 0
    assert sum(line.startswith("layer") for line in lines) >= 50
    assert any("more charts: export --svg FILE draws all" in line for line in lines)
    assert all(len(line) <= 100 for line in lines)


def test_the_result_as_an_object(cli, runs: Path) -> None:
    run = make_logged(runs)
    found = json.loads(cli("replay", run.id, "--json").out)
    assert (found["run"], found["kind"], found["status"]) == (run.id, "logged", "done")
    assert (found["task"], found["config"]["model"]) == ("resnet50-aug", "resnet50")
    assert "metric" not in found
    assert found["values"]["val/accuracy"] == {
        "count": 3,
        "last": pytest.approx(0.3),
        "last_step": 299,
        "lowest": pytest.approx(0.1),
        "lowest_step": 99,
        "highest": pytest.approx(0.3),
        "highest_step": 299,
    }


def test_a_csv_has_a_row_for_each_step_and_a_column_for_each_name(cli, runs: Path) -> None:
    run = make_logged(runs)
    rows = list(csv.DictReader(io.StringIO(cli("export", run.id, "--csv", "-").out)))
    assert list(rows[0]) == ["step", "lr", "loss", "val/accuracy", "wall_time"]
    assert [row["step"] for row in rows] == [str(i) for i in range(300)]
    assert float(rows[7]["loss"]) == 2.0 / (1 + 7 / 50)
    assert rows[50]["loss"] == ""  # was not finite
    assert [row["step"] for row in rows if row["val/accuracy"]] == ["99", "199", "299"]
    assert float(rows[99]["wall_time"]) == START + 99.5
    assert float(rows[98]["wall_time"]) == START + 98


def test_values_by_epoch_have_rows_of_their_own(cli, runs: Path) -> None:
    job = LoggedRun(name="two")
    run = create_run(runs, task=TaskConfig(data="", model=""), job=job, version="0")
    log = run.events_path.open("w")
    for event in (
        {"type": "run-started", "run": run.id, "kind": "logged"},
        {"type": "logged", "step": [0, 1], "values": {"loss": [2, 1], "epoch": [0, 0.5]}},
        {"type": "logged", "step": [1], "values": {"val": [3]}, "x": "epoch"},
    ):
        log.write(json.dumps(event) + "\n")
    log.close()
    lines = cli("export", run.id, "--csv", "-").out.splitlines()
    assert lines == ["step,epoch,loss,val", "0,0.0,2.0,", "1,0.5,1.0,", ",1,,3.0"]


def test_other_exports(cli, runs: Path, tmp_path: Path) -> None:
    run = make_logged(runs)
    svg = cli("export", run.id, "--svg", "-").out
    assert svg.startswith(("<svg", "<?xml"))
    assert "val/accuracy" in svg
    assert json.loads(cli("export", run.id, "--json", "-").out)["values"]["loss"]["count"] == 300
    for option, kind in (("--epochs-csv", "trainings"), ("--curves-csv", "comparisons")):
        result = cli("export", run.id, option, tmp_path / "file")
        assert result.code == 2
        assert result.err.startswith(f"clr-tui: {option} is for {kind}, which '{run.id}' is not")


def test_one_is_followed_without_a_screen(cli, runs: Path, hold) -> None:
    run = make_logged(runs, ending=[ev.RunFinished(outcome="done")])
    result = cli("attach", run.id, "--headless")
    assert result.code == 0
    assert "val/accuracy" in result.out


def test_progress_names_the_last_values(runs: Path) -> None:
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.log.tail import read_events
    from clr_tui.tui.kinds.logged.printing import LoggedLines

    run = make_logged(runs, ending=[])
    history = RunHistory(run.config())
    assert LoggedLines().progress_line(history) == ""
    history.feed(read_events(run.events_path))
    words = "step 299  lr 0.00100  loss 0.287  val/accuracy 0.300"
    assert LoggedLines().progress_line(history) == words


def test_a_sweep_still_says_that_its_worker_vanished(cli, runs: Path) -> None:
    run = make_sweep(runs, ending=[])
    assert "its worker vanished" in cli("attach", run.id, "--headless").err
