"""Logs of other tools in the working directory, below the list of runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from app_helpers import NOW, Runs, make_app, settled, until

from clr_tui.tui.kinds.logged.screen import LoggedScreen
from clr_tui.tui.kinds.logged.together import TogetherScreen
from clr_tui.tui.screens import home
from clr_tui.tui.screens.home import HomeScreen
from clr_tui.tui.widgets.run_table import RunTable

CSV = "epoch,train_loss,val_loss\n1,2.0,2.1\n2,1.0,1.1\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working directory with two logs."""
    for place, name in enumerate(("a", "b")):
        file = tmp_path / "here" / name / "metrics.csv"
        file.parent.mkdir(parents=True)
        file.write_text(CSV)
        os.utime(file, (NOW - 60 * place - 60,) * 2)
    return tmp_path / "here"


async def listed(pilot, count: int) -> HomeScreen:
    """The list, once it has so many rows."""
    screen = await settled(pilot)
    await until(pilot, lambda: len(rows(screen)) == count)
    return screen


def rows(screen: HomeScreen) -> list[str]:
    return [row.id for row in screen.query_one(RunTable)._rows]


async def test_they_are_below_the_runs_and_open_like_them(
    runs: Runs, here: Path, monkeypatch
) -> None:
    runs.sweep("range-test-digits-1", age=10)
    app = make_app(runs.folder, monkeypatch, here=here)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await listed(pilot, 3)
        assert rows(screen) == ["range-test-digits-1", "./a/metrics.csv", "./b/metrics.csv"]
        assert "1 run, 2 logs here" in str(screen.query_one("#home-count").render())
        await pilot.press("end")
        await until(pilot, lambda: "b  CSV" in str(screen.query_one("#preview-title").render()))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LoggedScreen))
        await until(pilot, lambda: app.screen.history.has_results)
        assert app.screen.config.subject == "b"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_they_are_shown_together_with_runs(runs: Runs, here: Path, monkeypatch) -> None:
    runs.training("train-digits-1", age=10)
    app = make_app(runs.folder, monkeypatch, here=here)
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot, 3)
        await pilot.press("space", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        assert [run.name for run in app.screen.followed] == ["train-digits-1", "a"]


async def test_without_runs_they_are_the_list(runs: Runs, here: Path, monkeypatch) -> None:
    app = make_app(runs.folder, monkeypatch, here=here)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await listed(pilot, 2)
        assert not screen.query_one("#home-empty").display
        await pilot.press("slash", "b", "enter")
        await until(pilot, lambda: rows(screen) == ["./b/metrics.csv"])


async def test_they_are_neither_stopped_nor_removed(runs: Runs, here: Path, monkeypatch) -> None:
    app = make_app(runs.folder, monkeypatch, here=here)
    said: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await listed(pilot, 2)
        monkeypatch.setattr(app, "toast", lambda words, *_: said.append(words))
        await pilot.press("s", "delete")
        await pilot.pause()
        assert app.screen is screen
        words = "./a/metrics.csv is the log of another tool, which clr-tui only reads."
        assert said == [words, words]
    assert (here / "a" / "metrics.csv").exists()


async def test_new_ones_appear_and_a_vanished_one_says_so(
    runs: Runs, here: Path, monkeypatch
) -> None:
    monkeypatch.setattr(home, "LOOK_SECONDS", 0.0)
    app = make_app(runs.folder, monkeypatch, here=here)
    said: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await listed(pilot, 2)
        (here / "c.csv").write_text(CSV)
        await until(pilot, lambda: len(rows(screen)) == 3)
        monkeypatch.setattr(app, "toast", lambda words, *_: said.append(words))
        monkeypatch.setattr(screen, "_look_from", float("inf"))
        (here / "c.csv").unlink()
        screen.query_one(RunTable).go_to("./c.csv")
        screen._show_table()
        await pilot.press("enter")
        await until(pilot, lambda: said)
        assert "there is no" in said[0]


async def test_none_are_looked_for_without_a_folder(runs: Runs, here: Path, monkeypatch) -> None:
    monkeypatch.chdir(here)
    app = make_app(runs.folder, monkeypatch)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        assert rows(screen) == []
