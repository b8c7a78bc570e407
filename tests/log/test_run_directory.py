"""Run directories: made, found, listed, removed."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log import rundir
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import (
    RunDir,
    create_run,
    find_run,
    list_runs,
    short_task_name,
)
from clr_tui.engine.log.runs_folder import runs_dir
from clr_tui.engine.settings.config import TaskConfig, Train

NewRun = Callable[..., RunDir]


def ids(found: list[RunDir]) -> list[str]:
    return [run.id for run in found]


def dated(run: RunDir, created: float) -> RunDir:
    text = json.loads(run.config_path.read_text())
    run.config_path.write_text(json.dumps({**text, "created": created}))
    return run


def test_the_folder_is_given_or_from_the_environment_or_the_users_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("CLR_TUI_RUNS", raising=False)
    assert tmp_path in runs_dir().parents
    assert runs_dir().parts[-2:] == ("clr-tui", "runs")
    monkeypatch.setenv("CLR_TUI_RUNS", "~/mine")
    assert runs_dir() == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    assert runs_dir("other") == tmp_path / "other"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("digits", "digits"),
        ("/data/flowers", "flowers"),
        ("/data/flowers/", "flowers"),
        ("/data/My Photos (2024)", "my-photos-2024"),
        ("/data/fleurs d'été", "fleurs-d-été"),
        ("/data/\x1b[31m", "31m"),
        ("/data/...", "images"),
        ("/", "images"),
        ("/data/" + "long-" * 20, "long-long-long-long-long"),
    ],
)
def test_ids_use_short_task_names(data: str, name: str) -> None:
    assert short_task_name(TaskConfig(data=data)) == name


def test_a_run_is_what_was_asked(runs: Path) -> None:
    task = TaskConfig(data="/data/flowers", image_size=32)
    train = Train(base_lr=6e-4, max_lr=3.6e-3)
    run = create_run(runs, task=task, job=train, parent="p", version="0.1.0")
    assert run.id == "train-flowers-1"
    assert run.path == runs / "train-flowers-1"
    config = run.config()
    assert (config.id, config.kind, config.parent) == ("train-flowers-1", "train", "p")
    assert (config.task, config.job) == (task, train)
    assert os.listdir(run.path) == ["run.json"]


def test_numbers_go_on_from_the_largest(new_run: NewRun) -> None:
    assert [new_run().id for _ in range(3)] == [f"range-test-digits-{n}" for n in (1, 2, 3)]
    other = new_run(job=Train(base_lr=1, max_lr=2))
    assert other.id == "train-digits-1"
    for number in (1, 2):
        remove_run(find_run(other.path.parent, f"range-test-digits-{number}"))
    assert new_run().id == "range-test-digits-4"


def test_runs_made_at_once_get_different_ids(new_run: NewRun, runs: Path) -> None:
    barrier = threading.Barrier(8)
    made: list[RunDir] = []

    def make() -> None:
        barrier.wait()
        made.extend(new_run() for _ in range(5))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids(made))) == 40
    assert {run.config().id for run in list_runs(runs)} == set(ids(made))


def test_a_number_taken_in_between_is_passed_over(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [new_run(), new_run()]
    monkeypatch.setattr(rundir.os, "listdir", lambda _: [])
    assert new_run().id == "range-test-digits-3"
    assert ids(made) == ["range-test-digits-1", "range-test-digits-2"]


def test_a_directory_without_run_json_is_not_a_run_but_takes_its_number(
    new_run: NewRun, runs: Path
) -> None:
    (runs / "range-test-digits-1").mkdir(parents=True)
    (runs / "a file").touch()
    run = new_run()
    assert run.id == "range-test-digits-2"
    assert list_runs(runs) == [run]


def test_runs_are_listed_newest_first(new_run: NewRun, runs: Path) -> None:
    assert list_runs(runs) == []
    dates = [50.0, 70.0, 60.0, *[80.0] * 8]
    for date in dates:
        dated(new_run(), date)
    numbers = [int(run.id.rpartition("-")[2]) for run in list_runs(runs)]
    assert numbers == [11, 10, 9, 8, 7, 6, 5, 4, 2, 3, 1]  # 10 after 9, not after 1


def test_a_damaged_run_json_is_a_sentence_and_still_listed(new_run: NewRun, runs: Path) -> None:
    for damage in (b"", b"null", b'{"id": 3}', b"\xff"):
        run = new_run()
        run.config_path.write_bytes(damage)
        with pytest.raises(UserError, match="is damaged"):
            run.config()
    assert len(list_runs(runs)) == 4
    with pytest.raises(UserError, match=r"no readable run\.json"):
        RunDir(runs / "absent").config()


def test_a_newer_run_json_is_read(new_run: NewRun) -> None:
    run = new_run()
    text = json.loads(run.config_path.read_text())
    run.config_path.write_text(json.dumps({**text, "schema": 3, "cluster": {"nodes": 3}}))
    assert run.config().schema == 3


class TestFind:
    def test_a_run_is_found_by_id_prefix_or_path(self, new_run: NewRun, runs: Path) -> None:
        made = [new_run() for _ in range(10)]
        train = new_run(job=Train(base_lr=1, max_lr=2))
        assert find_run(runs, "range-test-digits-1") == made[0]
        assert find_run(runs, "range-test-digits-10") == made[9]
        assert find_run(runs, "tr") == train
        assert find_run(runs / "elsewhere", str(train.path)) == train

    def test_an_ambiguous_name_lists_the_matching_runs(self, new_run: NewRun, runs: Path) -> None:
        for _ in range(7):
            new_run()
        with pytest.raises(UserError) as caught:
            find_run(runs, "range")
        assert "'range' could be any of range-test-digits-1, range-test-digits-2" in str(
            caught.value
        )
        assert "and 2 more" in str(caught.value)

    def test_an_unknown_name_is_an_error_that_suggests_the_nearest(
        self, new_run: NewRun, runs: Path
    ) -> None:
        with pytest.raises(UserError, match="there are no runs"):
            find_run(runs, "x")
        new_run()
        with pytest.raises(UserError, match="did you mean 'range-test-digits-1'"):
            find_run(runs, "range-tst-digits-1")
        for name in ("zzz", "", "..", "../x", "\0", "x" * 5000):
            with pytest.raises(UserError, match="the newest is 'range-test-digits-1'"):
                find_run(runs, name)

    def test_no_name_is_the_newest_living_else_the_newest(
        self, new_run: NewRun, runs: Path
    ) -> None:
        with pytest.raises(UserError, match="no runs in"):
            find_run(runs, None)
        made = [dated(new_run(), float(i)) for i in range(4)]
        assert find_run(runs, None) == made[3]
        locks = [acquire(made[i].lock_path) for i in (0, 1)]
        assert find_run(runs, None) == made[1]
        for lock in locks:
            os.close(lock)
        assert find_run(runs, None) == made[3]


class TestFailures:
    def test_a_file_in_place_of_the_runs_folder_is_an_error(
        self, tmp_path: Path, new_run: NewRun, runs: Path
    ) -> None:
        runs.touch()
        with pytest.raises(UserError, match="cannot be written") as caught:
            new_run()
        assert caught.value.field == "runs_dir"
        with pytest.raises(UserError, match="cannot be read"):
            list_runs(runs)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_without_permission_is_one_clear_error(
        self, new_run: NewRun, runs: Path
    ) -> None:
        runs.mkdir(mode=0o500)
        with pytest.raises(UserError, match=r"cannot be written \(Permission denied\)"):
            new_run()

    @pytest.mark.parametrize(
        ("number", "words"),
        [(errno.ENOSPC, "the disk of .* is full"), (errno.EROFS, "choose another runs folder")],
    )
    def test_the_disk_fails_while_run_json_is_written(
        self,
        number: int,
        words: str,
        new_run: NewRun,
        runs: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(_: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(rundir.os, "fsync", fail)
        with pytest.raises(UserError, match=words) as caught:
            new_run()
        assert caught.value.field == "runs_dir"
        assert os.listdir(runs) == []  # nothing is left behind

    def test_a_path_that_is_not_utf8(self, new_run: NewRun, runs: Path) -> None:
        with pytest.raises(UserError, match="not UTF-8") as caught:
            new_run(task=TaskConfig(data=os.fsdecode(b"/data/caf\xe9")))
        assert caught.value.field == "data"
        caught.value.message.encode()
        assert os.listdir(runs) == []
