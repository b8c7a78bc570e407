"""Files that are written: for whom, and what becomes of those that were there."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Pause, send
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.exporting import write
from clr_tui.tui.views_file import ViewsFile


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make_run(runs: Path) -> RunDir:
    return create_run(runs, task=TaskConfig(), job=RangeTest(), version="0")


@pytest.mark.usefixtures("no_umask")
def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path / "state" / "runs")
    lock = acquire(run.lock_path)
    writer = EventWriter(run.events_path)
    writer.write(ev.Paused())
    writer.close()
    send(run, Pause())
    os.close(lock)
    ViewsFile(tmp_path / "state" / "views" / "views.json").remember("/a", {"smoothing": 0.5})
    made = sorted((tmp_path / "state").rglob("*"))
    assert len(made) == 8
    for path in [tmp_path / "state", *made]:
        assert mode_of(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.usefixtures("no_umask")
def test_a_folder_that_exists_keeps_its_permissions(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir(mode=0o755)
    make_run(runs)
    assert mode_of(runs) == 0o755


def test_an_export_that_does_not_fit_costs_no_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write '.*a\.svg': File too large"):
            write(str(path), "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.svg"]


def test_an_export_keeps_permissions_and_links(tmp_path: Path) -> None:
    real, link, new = tmp_path / "real.csv", tmp_path / "link.csv", tmp_path / "new.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write(str(link), "text")
    assert (link.is_symlink(), real.read_text(), mode_of(real)) == (True, "text\n", 0o640)
    before = os.umask(0o022)
    try:
        write(str(new), "text")
    finally:
        os.umask(before)
    assert mode_of(new) == 0o644


@pytest.mark.parametrize("name", ["../../out", "/etc/out", "a/../../b", ".", "..", "\x1b]0;x\x07"])
def test_the_id_of_a_run_stays_in_the_runs_folder(tmp_path: Path, name: str) -> None:
    runs = tmp_path / "runs"
    run = create_run(runs, task=TaskConfig(data=name), job=RangeTest(), version="0")
    assert run.path.parent == runs
    assert "/" not in run.id
    assert run.id.isprintable()
    content = msgspec.json.decode(run.config_path.read_bytes()) | {"id": name}
    run.config_path.write_bytes(msgspec.json.encode(content))  # its folder's name is its id
    assert RunDir(run.path).id == run.path.name
