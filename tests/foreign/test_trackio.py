"""Trackio's databases: read-only, while they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reading import follow, follow_one
from trackio_files import Project

from clr_tui.engine.errors import UserError


@pytest.mark.parametrize("with_ids", [True, False])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_each_run_of_a_project_is_a_log(with_ids: bool, journal: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project.db", with_ids, journal)
    for step in range(50):
        project.log("first", step, {"loss": 1 / (step + 1), "acc": step}, step / 2)
        project.log("second", step, {"loss": 2.0, **({"acc": step} if step % 10 == 0 else {})})
    project.configure("first", {"lr": 0.1, "opt": {"name": "sgd"}, "_Username": None})
    followers = follow(tmp_path / "project.db")
    assert list(followers) == ["first", "second"]
    assert followers["first"].read() == {
        "loss": [(i, 1 / (i + 1)) for i in range(50)],
        "acc": [(i, i) for i in range(50)],
    }
    assert followers["second"].read(1) == {
        "loss": [(i, 2.0) for i in range(50)],
        "acc": [(i, i) for i in range(0, 50, 10)],
    }
    assert followers["first"].log.settings == {"lr": "0.1", "opt.name": "sgd"}
    assert followers["first"].history.logged.column("loss").at[-1] == 1.7e9 + 24.5
    assert not followers["first"].history.notes
    assert list(follow(tmp_path)) == ["first", "second"]


def test_words_for_what_is_not_finite_are_gaps(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db")
    for step, value in enumerate(["NaN", "Infinity", "-Infinity", 1, True, None, 10**400]):
        project.log("a", step, {"loss": value})
    assert follow_one(tmp_path).read() == {
        "loss": [(0, None), (1, None), (2, None), (3, 1), (4, 1), (6, None)]
    }


def test_other_values_and_damaged_rows_are_named_once(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db")
    project.log("a", 0, {"loss": 1, "sample": {"_type": "trackio.image"}, "text": "hello"})
    project.log("a", 1, '{"loss": 2')
    project.log("a", 2, {"loss": 3})
    follower = follow_one(tmp_path)
    assert follower.read() == {"loss": [(0, 1), (2, 3)]}
    assert follower.warnings == [f"'{project.path}' is damaged: left out 1 row"]
    assert follower.remarks == [
        f"only numbers are shown: values of sample in '{project.path}' are none"
    ]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_project_is_followed_while_it_is_written(journal: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db", journal=journal)
    project.log("a", 0, {"loss": 0})
    follower = follow_one(tmp_path)
    for step in range(1, 30):
        project.log("a", step, {"loss": step})
        project.log("other", step, {"loss": -1})
        assert follower.read() == {"loss": [(i, i) for i in range(step + 1)]}
    assert follower.resets == 0


def test_a_locked_database_is_read_later(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db", journal="delete")
    project.log("a", 0, {"loss": 0})
    follower = follow_one(tmp_path)
    project.connection.execute("BEGIN EXCLUSIVE")
    assert follower.read() == {}
    with pytest.raises(UserError, match="cannot be read now: database is locked"):
        follow(tmp_path / "p.db")
    project.connection.commit()
    assert follower.read() == {"loss": [(0, 0)]}
    assert not follower.warnings


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db")
    project.log("a", 0, {"loss": 0})
    project.connection.close()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert list(before) == ["p.db"]
    assert follow_one(tmp_path).read() == {"loss": [(0, 0)]}
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db")
    project.log("a", 0, {"loss": 0})
    project.connection.close()
    tmp_path.chmod(0o555)
    try:
        assert follow_one(tmp_path).read() == {"loss": [(0, 0)]}
    finally:
        tmp_path.chmod(0o755)


def test_a_database_that_is_made_anew_is_read_again(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db")
    for step in range(10):
        project.log("a", step, {"loss": step})
    follower = follow_one(tmp_path)
    follower.read()
    project.connection.close()
    project.path.unlink()
    assert len(follower.read()["loss"]) == 10
    Project(tmp_path / "new.db").log("a", 0, {"other": 1})
    (tmp_path / "new.db").rename(project.path)
    (tmp_path / "new.db-wal").rename(tmp_path / "p.db-wal")
    assert follower.read() == {"other": [(0, 1)]}
    assert follower.resets == 1


def test_a_damaged_database_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path / "p.db", journal="delete")
    for step in range(3000):
        project.log("a", step, {"loss": step}) if step < 3 else None
    follower = follow_one(tmp_path)
    assert len(follower.read()["loss"]) == 3
    project.connection.close()
    with project.path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    follower.read()
    (warning,) = follower.warnings
    assert "is damaged" in warning


def test_runs_of_several_projects_have_their_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Project(tmp_path / f"{name}.db").log("a", 0, {"loss": 0})
    assert list(follow(tmp_path)) == ["one/a", "two/a"]


def test_a_schema_whose_damage_sqlite_cannot_name_is_a_sentence(tmp_path: Path) -> None:
    """SQLite's message then holds bytes that are not UTF-8."""
    path = tmp_path / "project.db"
    project = Project(path, journal="delete")
    project.log("one", 0, {"loss": 1.0})
    project.connection.close()
    content = path.read_bytes()
    assert b"CREATE TABLE metrics (" in content
    path.write_bytes(content.replace(b"CREATE TABLE metrics (", b"CREATE TABLE metr\xdcs \xdc(", 1))
    with pytest.raises(UserError, match=r"no log of a known format|is damaged"):
        follow(path)
