"""Several runs, of any kinds, on one set of charts."""

from __future__ import annotations

import csv

import pytest
from compare_runs import compare_log
from logged_runs import LoggedLog, logged_log, named, three_runs, together
from run_logs import message, panel, poll, title, usual
from test_logged_keys import LARGE, SMALL, settle, shown, titles

from clr_tui.engine.log import events as ev
from clr_tui.tui.keys import keys_for
from clr_tui.tui.kinds.logged.filter_bar import FilterBar
from clr_tui.tui.kinds.logged.together import TogetherScreen


def labels(pilot, chart: int = 0) -> list[str]:
    """What the curves of a chart are called."""
    series = shown(pilot)[chart].chart.series
    return list(dict.fromkeys(line.label or "" for line in series))


async def test_runs_are_told_apart_by_colour_and_shape_with_their_settings_beside(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    async with together(logs, LARGE) as pilot:
        assert isinstance(pilot.app.screen, TogetherScreen)
        assert titles(pilot) == ["loss (train dotted)", "val/accuracy, %", "lr", "grad_norm"]
        assert labels(pilot, 1) == ["try-0-1", "try-1-1", "try-2-1"]
        series = shown(pilot)[1].chart.series
        assert len({line.colour for line in series}) == 3
        assert len({line.glyph for line in series}) == 3
        text = panel(pilot)
        assert "lr 0.2" in text
        assert "optimizer" not in text  # all have the same
        assert "try-1-1" in text
        assert "● running" in text
        assert "✗ failed" in text
        assert title(pilot).startswith("clr-tui  3 runs  try-0-1 · try-1-1 · try-2-1")
        assert "✓ 1 done  ● 1 running  ✗ 1 failed" in title(pilot)


async def test_each_run_grows(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    async with together(logs, LARGE) as pilot:
        before = [len(line.x) for line in shown(pilot)[2].chart.series]
        logs[1].logs(600, first=400).ends()
        for _ in range(3):
            await poll(pilot)
        after = [len(line.x) for line in shown(pilot)[2].chart.series]
        assert [a - b for a, b in zip(after, before, strict=True)] == [0, 200, 0]
        assert "✓ 2 done" in title(pilot)


async def test_a_filter_chooses_runs_which_keep_their_colours(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    async with together(logs, LARGE) as pilot:
        colours = [line.colour for line in shown(pilot)[1].chart.series]
        await pilot.press("slash", *"!try-0", "enter")
        await settle(pilot)
        assert [line.colour for line in shown(pilot)[1].chart.series] == colours[1:]
        assert titles(pilot)[0].startswith("loss")
        await pilot.press("slash", "escape")
        await settle(pilot)
        assert len(shown(pilot)[1].chart.series) == 3


async def test_without_a_panel_the_charts_name_the_runs(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    async with together(logs, SMALL) as pilot:
        assert not pilot.app.screen.query_one("#panel").display
        names = [line.name for line in shown(pilot)[1].chart.series]
        assert names == ["try-0-1", "try-1-1", "try-2-1"]
        await pilot.press("p")
        await settle(pilot)
        assert "try-1-1" in panel(pilot)
        assert [line.name for line in shown(pilot)[0].chart.series if line.name] == []


async def test_runs_of_all_kinds_share_the_charts(sweep_log, train_log, own_log) -> None:
    sweep_log.begin().sweep(usual).end()
    train_log.begin().train(4).end()
    own_log.begin().logs().ends()
    logs = [train_log, sweep_log, own_log]
    async with together(logs, LARGE) as pilot:
        runs = [log.run.id for log in logs]
        assert labels(pilot) == [
            f"{runs[0]} train",
            f"{runs[0]} val",
            f"{runs[1]} train",
            f"{runs[2]} train",
            f"{runs[2]} val",
        ]
        assert "kind training" in panel(pilot)
        assert "kind range test" in panel(pilot)


async def test_the_trials_of_a_comparison_are_runs_of_their_own(tmp_path, own_log) -> None:
    comparison = compare_log(tmp_path)
    own_log.begin().logs().ends()
    async with together([comparison, own_log], LARGE) as pilot:
        id = comparison.run.id
        trials = [name for name in labels(pilot) if name.startswith(id)]
        assert len(trials) >= 2
        assert all("seed" in name for name in trials)
        assert len({line.glyph for line in shown(pilot)[0].chart.series}) > 2


async def test_every_key_does_something_or_says_why_not(tmp_path) -> None:
    logs = [logged_log(tmp_path / "runs", "a").live(), logged_log(tmp_path / "runs", "b").begin()]
    async with together(logs, SMALL) as pilot:
        for _ in range(2):
            await settle(pilot)
            screen = pilot.app.screen
            for bind in (bind for key in keys_for("logged") for bind in key.binds):
                if bind.action in ("app.leave", "app.back"):
                    continue
                await pilot.press(bind.keys.split(",")[0])
                while pilot.app.screen is not screen or isinstance(pilot.app.focused, FilterBar):
                    await pilot.press("escape")
            logs[1].logs(200).ends("failed", "gone")
            await poll(pilot)


@pytest.mark.parametrize("key", ["space", "s", "b", "l"])
async def test_several_runs_take_no_orders(tmp_path, key) -> None:
    logs = three_runs(tmp_path / "runs")
    async with together(logs, SMALL) as pilot:
        await settle(pilot)
        await pilot.press(key)
        assert "open one alone" in message(pilot)
        assert isinstance(pilot.app.screen, TogetherScreen)


async def test_a_log_that_cannot_be_read_is_said_and_the_others_are_shown(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    logs[1].die()
    logs[1].run.events_path.unlink()
    logs[1].run.events_path.mkdir()
    async with together(logs, LARGE) as pilot:
        assert "try-1-1: " in message(pilot)
        assert labels(pilot, 1) == ["try-0-1", "try-2-1"]


async def test_the_view_of_several_is_remembered_in_any_order(tmp_path) -> None:
    logs = three_runs(tmp_path / "runs")
    views = tmp_path / "views.json"
    async with together(logs, SMALL, views=views) as pilot:
        await settle(pilot)
        await pilot.press("plus", "plus")
    async with together(logs[::-1], SMALL, views=views) as pilot:
        await settle(pilot)
        assert pilot.app.screen.options.smoothing == 0.02


async def test_all_values_are_exported_with_the_names_of_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    logs = three_runs(tmp_path / "runs")
    async with together(logs, SMALL) as pilot:
        await pilot.press("e")
        pilot.app.screen.query_one("Input").value = "out.csv"
        await pilot.press("enter")
        await settle(pilot)
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert {row["run"] for row in rows} == {"try-0-1", "try-1-1", "try-2-1"}
    rates = [float(r["value"]) for r in rows if (r["run"], r["name"]) == ("try-1-1", "lr")]
    assert len(rates) == 400
    assert rates[:2] == [0.2, 0.2 * (1 - 1 / 600)]


async def test_thirty_runs_before_and_after_their_first_values(tmp_path) -> None:
    logs: list[LoggedLog] = [logged_log(tmp_path / "runs", f"r{i}").begin() for i in range(30)]
    async with together(logs, LARGE) as pilot:
        await settle(pilot)
        for number, log in enumerate(logs):
            log.tell(ev.Logged(step=[0, 1, 2], values={"loss": [1.0, 2.0, float(number)]}))
        for _ in range(3):
            await poll(pilot)
        series = shown(pilot)[0].chart.series
        assert len({(line.colour, line.glyph) for line in series}) == 30


def test_a_run_as_one_of_several_has_its_id_as_name(own_log) -> None:
    assert named(own_log).name == "resnet50-aug-1"
