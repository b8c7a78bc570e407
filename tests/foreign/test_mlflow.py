"""MLflow's runs, as files and in a database."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from mlflow_files import lines, meta, mlflow_run
from reading import follow, follow_one


def test_metrics_are_read_as_they_were_logged(tmp_path: Path) -> None:
    run = mlflow_run(tmp_path / "mlruns" / "1" / "abc")
    (run / "metrics" / "train").mkdir()
    (run / "metrics" / "train" / "loss").write_text(lines(200))
    (run / "metrics" / "bad").write_text("1 nan 0\n2 inf 1\n3 -inf 2\n4 1e-3 3\n")
    (run / "metrics" / "no_step").write_text("1700000000000 0.5\n")
    (run / "metrics" / "on_data").write_text("1700000000000 0.5 7 mnist 0f3a\n")
    follower = follow_one(tmp_path)
    assert follower.read(1) == {
        "train/loss": [(i, i / 3) for i in range(200)],
        "bad": [(0, None), (1, None), (2, None), (3, 1e-3)],
        "no_step": [(0, 0.5)],
        "on_data": [(7, 0.5)],
    }
    assert follower.log.name == "brave-fox"
    assert follower.log.settings == {"lr": "0.1"}
    assert follower.history.logged.column("train/loss").at[3] == 1.7e9 + 1.5
    assert not follower.history.notes
    for path in (tmp_path / "mlruns", run.parent, run):
        assert len(follow_one(path).read()) == 4


def test_torn_lines_are_left_out_once_they_are_known_to_be_torn(tmp_path: Path) -> None:
    run = mlflow_run(tmp_path / "abc")
    loss = run / "metrics" / "loss"
    loss.write_text(lines(3) + "17000000")
    follower = follow_one(tmp_path)
    assert len(follower.read()["loss"]) == 3
    assert not follower.warnings
    with loss.open("a") as file:  # another process goes on in the same line
        file.write("1700000001500 1.0 3\n" + lines(5, 4))
        file.write(f"a b c\n\n1 2 3 4\n1 1e3 {'9' * 20}\n{'9' * 400} 1.0 5\n")
    assert follower.read()["loss"] == [(0, 0.0), (1, 1 / 3), (2, 2 / 3), (3, 1.0), (4, 4 / 3)]
    (warning,) = follower.warnings
    assert warning.startswith(f"left out 4 lines of '{loss}'")


def test_a_run_is_followed_until_it_ends(tmp_path: Path) -> None:
    run = mlflow_run(tmp_path / "abc")
    follower = follow_one(tmp_path)
    assert follower.read() == {}
    for count in (1, 2, 30):
        (run / "metrics" / "loss").write_text(lines(count))
        assert len(follower.read()["loss"]) == count
    (run / "metrics" / "acc").write_text(lines(2))
    (run / "params" / "late").write_text("yes")
    meta(run, status=4)
    assert follower.read().keys() == {"loss", "acc"}
    assert follower.history.finished is not None
    assert follower.history.finished.outcome == "failed"
    assert follower.log.settings == {"lr": "0.1", "late": "yes"}


def test_a_metric_that_is_written_again_begins_again(tmp_path: Path) -> None:
    run = mlflow_run(tmp_path / "abc")
    (run / "metrics" / "loss").write_text(lines(10))
    (run / "metrics" / "acc").write_text(lines(10))
    follower = follow_one(tmp_path)
    follower.read()
    (run / "metrics" / "loss").write_text("1 5 0\n")
    assert follower.read() == {"acc": [(i, i / 3) for i in range(10)], "loss": [(0, 5)]}
    assert follower.resets == 1


def test_what_is_not_a_file_is_left_out(tmp_path: Path) -> None:
    run = mlflow_run(tmp_path / "abc")
    (run / "metrics" / "loss").write_text(lines(2))
    os.mkfifo(run / "metrics" / "pipe")
    os.mkfifo(run / "params" / "pipe")
    follower = follow_one(tmp_path)
    assert len(follower.read()["loss"]) == 2
    (warning,) = follower.warnings
    assert "not a file but a pipe" in warning


def test_runs_of_several_experiments(tmp_path: Path) -> None:
    for experiment, run, name in (
        ("1", "aaaaaaaaaa", "x"),
        ("1", "bbbbbbbbbb", "x"),
        ("2", "c", ""),
    ):
        mlflow_run(tmp_path / experiment / run, name)
        (tmp_path / experiment / "meta.yaml").write_text(f"name: exp {experiment}\n")
    deleted = mlflow_run(tmp_path / "2" / "d")
    text = (deleted / "meta.yaml").read_text()
    (deleted / "meta.yaml").write_text(text.replace("active", "deleted"))
    assert list(follow(tmp_path)) == ["exp 1/x (aaaaaaaa)", "exp 1/x (bbbbbbbb)", "exp 2/c"]


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "mlflow.db")
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
        INSERT INTO runs VALUES ('b', 'second', 'FINISHED', 2, 'active', 1);
        INSERT INTO runs VALUES ('c', 'gone', 'FINISHED', 3, 'deleted', 1);
        INSERT INTO params VALUES ('lr', '0.1', 'a');
        """
    )
    return connection


def add(database: sqlite3.Connection, run: str, key: str, step: int, value: float) -> None:
    not_finite = value != value
    database.execute(
        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
        (key, 0 if not_finite else value, 1_700_000_000_000 + step, run, step, not_finite),
    )
    database.commit()


def test_a_database_is_followed(database: sqlite3.Connection, tmp_path: Path) -> None:
    add(database, "b", "loss", 0, 7.0)
    followers = follow(tmp_path)
    assert list(followers) == ["first", "second"]
    first = followers["first"]
    for step in range(20):
        add(database, "a", "loss", step, step / 3)
        add(database, "b", "loss", step + 1, 7.0)
        assert first.read(1) == {"loss": [(i, i / 3) for i in range(step + 1)]}
    add(database, "a", "acc", 0, float("nan"))
    add(database, "a", "acc", 1, 1.7976931348623157e308)
    assert first.read()["acc"] == [(0, None), (1, None)]
    assert first.log.settings == {"lr": "0.1"}
    assert first.history.finished is None
    database.execute("UPDATE runs SET status = 'KILLED' WHERE run_uuid = 'a'")
    database.commit()
    first.read()
    assert first.history.finished is not None
    assert first.history.finished.outcome == "stopped"
    assert first.resets == 0
    assert list(follow(tmp_path / "mlflow.db")) == ["first", "second"]


@pytest.mark.parametrize("start", ["1,5", "1e9", "-1", "", "9" * 5000])
def test_a_start_that_is_no_time_costs_no_run(tmp_path: Path, start: str) -> None:
    folder = mlflow_run(tmp_path / "0" / "abc")
    (folder / "metrics" / "loss").write_text(lines(3))
    text = (folder / "meta.yaml").read_text()
    (folder / "meta.yaml").write_text(text.replace("1700000000000", start))
    assert len(follow_one(tmp_path).read()["loss"]) == 3
