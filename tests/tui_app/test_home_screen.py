"""The runs screen, key by key."""

from __future__ import annotations

import shutil

import pytest
from app_helpers import make_app, selected_id, settled, toasts, until
from comparison_logs import write_run
from textual.widgets import Static

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import CommandTail, Stop
from clr_tui.tui.kinds.compare.screen import ComparisonScreen
from clr_tui.tui.kinds.logged.together import TogetherScreen
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.kinds.train.screen import TrainingScreen
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.help import HelpScreen
from clr_tui.tui.screens.home import FilterInput
from clr_tui.tui.screens.new_run import NewRunScreen
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.run_table import RunTable

ORDER = [
    "range-test-flowers-3",
    "train-digits-2",
    "range-test-digits-2",
    "range-test-flowers-2",
    "train-digits-1",
    "train-flowers-1",
]


def ids(screen) -> list[str]:
    return [row.id for row in screen.query_one(RunTable)._rows]


def words(screen, selector: str) -> str:
    return str(screen.query_one(selector, Static).render())


async def test_living_runs_come_first_then_the_newest(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        assert ids(screen) == ORDER
        assert words(screen, "#home-count") == "6 runs, 1 active"


async def test_without_runs_it_says_which_key_makes_one(app) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        assert "Press n to start one" in words(screen, "#home-empty")
        assert not screen.query_one(RunTable).display
        await pilot.press("enter", "s", "delete")
        assert app.screen is screen


async def test_an_unreadable_folder_is_reported_and_can_be_left(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    app = make_app(tmp_path / "file", monkeypatch)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "cannot be read" in words(app.screen, "#home-empty"))
        await pilot.press("q")
    assert app.failure is None
    assert app.return_message is None


async def test_the_cursor_moves_and_the_preview_follows(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        chart = screen.query_one(ChartView)
        assert selected_id(pilot) == ORDER[0]
        assert "learning rate" in chart.chart.x.label
        await pilot.press("down")
        await settled(pilot)
        assert selected_id(pilot) == ORDER[1]
        assert "train-digits-2" in words(screen, "#preview-title")
        assert chart.chart.title.startswith("accuracy")
        await pilot.press("end")
        assert selected_id(pilot) == ORDER[-1]
        await pilot.press("home", "j", "j", "k")
        assert selected_id(pilot) == ORDER[1]
        await pilot.press("pagedown")
        assert selected_id(pilot) == ORDER[-1]
        await pilot.press("pageup")
        assert selected_id(pilot) == ORDER[0]


async def test_a_failed_run_says_why(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "down", "down")
        await settled(pilot)
        assert "ran out of memory at batch size 4096" in words(screen, "#preview-message")


async def test_the_cursor_stays_on_its_run_when_others_come_and_go(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "down")
        assert selected_id(pilot) == "range-test-digits-2"
        mixed.sweep("range-test-digits-3", age=1)
        shutil.rmtree(mixed.folder / "train-digits-2")
        screen._refresh_list()
        await until(pilot, lambda: "range-test-digits-3" in ids(screen))
        assert "train-digits-2" not in ids(screen)
        assert selected_id(pilot) == "range-test-digits-2"


async def test_a_run_that_ends_is_shown_as_ended(app, runs) -> None:
    run, log = runs.sweep("range-test-digits-1", age=10, steps=50)
    runs.keep_alive(run)
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        assert screen.query_one(RunTable).selected.status == "running"
        log.write(ev.RunFinished(outcome="done", headline="max_lr 1.0e-02"))
        runs.let_die()
        await until(pilot, lambda: screen.query_one(RunTable).selected.status == "done")
        await until(pilot, lambda: "max_lr 1.0e-02" in words(screen, "#preview-title"))


async def test_a_growing_run_moves_its_preview(app, runs) -> None:
    from app_helpers import sweep_loss, write_steps

    run, log = runs.sweep("range-test-digits-1", age=10, steps=25)
    runs.keep_alive(run)
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        chart = screen.query_one(ChartView)
        assert len(chart.chart.series[-1].x) == 25
        lrs = 10.0 ** -(7 - 7 * __import__("numpy").arange(25, 50) / 108)
        write_steps(log, lrs, sweep_loss(lrs), first=25)
        await until(pilot, lambda: len(chart.chart.series[-1].x) == 50)


async def test_enter_opens_a_run_and_escape_comes_back(app, mixed) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))
        await pilot.press("escape")
        assert app.screen is screen
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_filter_as_one_types(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("slash", *"flow")
        assert ids(screen) == [one for one in ORDER if "flowers" in one]
        assert words(screen, "#home-count") == "6 runs, 1 active, 3 match"
        await pilot.press("space", *"stopped")
        assert ids(screen) == ["train-flowers-1"]
        await pilot.press("enter")
        assert isinstance(app.focused, RunTable)
        assert screen.query_one(FilterInput).display
        await pilot.press("slash", "x")
        assert "No run matches 'flow stoppedx'" in words(screen, "#home-empty")
        await pilot.press("escape")
        assert ids(screen) == ORDER
        assert not screen.query_one(FilterInput).display
        assert isinstance(app.focused, RunTable)


async def test_the_filter_is_text_not_markup(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("slash", *"[/x]", "[", "b")
        assert "No run matches '[/x][b'" in words(screen, "#home-empty")


async def test_arrows_lead_from_the_filter_into_the_table(app, mixed) -> None:
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("slash", *"train", "down")
        assert isinstance(app.focused, RunTable)


async def test_delete_asks_and_removes(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "delete")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n")
        assert (mixed.folder / "train-digits-2").exists()
        await pilot.press("delete", "y")
        await until(pilot, lambda: "train-digits-2" not in ids(screen))
        assert not (mixed.folder / "train-digits-2").exists()
        await until(pilot, lambda: selected_id(pilot) == "range-test-digits-2")


async def test_delete_names_what_it_keeps(app, mixed) -> None:
    run = mixed.folder / "train-digits-2"
    (run / "thesis.tex").write_text("mine")
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "delete", "y")
        await until(pilot, lambda: "train-digits-2" not in ids(screen))
        assert [path.name for path in run.iterdir()] == ["thesis.tex"]
        assert "other files: thesis.tex" in toasts(app)


@pytest.mark.parametrize("key", ["escape", "q", "n"])
async def test_answering_no_removes_nothing(app, mixed, key) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "delete", key)
        assert app.screen is screen
        assert (mixed.folder / "train-digits-2").exists()


async def test_a_living_run_is_not_removed(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("delete")
        assert app.screen is screen
        assert "range-test-flowers-3 is running: stop it first" in toasts(app)


async def test_stop_asks_and_sends_the_order(app, mixed) -> None:
    orders = CommandTail(mixed.folder / ORDER[0] / "commands.jsonl")
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("s")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter")
        await until(pilot, lambda: (mixed.folder / ORDER[0] / "commands.jsonl").exists())
        await until(pilot, lambda: not app.workers._workers or True)
        (order,) = orders.poll()
        assert isinstance(order, Stop)
        assert order.reason == "stopped from the screen"


@pytest.mark.parametrize(
    ("kind", "words"), [("sweep", "its results so far are kept"), ("training", "a checkpoint")]
)
async def test_stop_says_what_it_leaves_of_each_kind(app, runs, kind, words) -> None:
    run, _ = getattr(runs, kind)("a-run-1", age=9)
    runs.keep_alive(run)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("s")
        detail = str(app.screen.query_one("#detail", Static).render())
        assert words in detail
        assert ("checkpoint" in detail) == (kind == "training")


async def test_a_run_that_ended_cannot_be_stopped(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "s")
        assert app.screen is screen
        assert "train-digits-2 is not running" in toasts(app)


async def test_stopping_a_run_that_ended_meanwhile_says_so(app, mixed) -> None:
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("s")
        mixed.let_die()
        await pilot.press("y")
        await until(pilot, lambda: toasts(app))


async def test_n_opens_the_form_and_help_opens(app, mixed) -> None:
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        await pilot.press("n")
        assert isinstance(app.screen, NewRunScreen)
        await pilot.press("escape")
        assert app.screen is screen
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_names_the_runs_that_continue(app, mixed, key) -> None:
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(key)
    assert app.return_message == (
        "range-test-flowers-3 is still running; `clr-tui attach range-test-flowers-3 "
        f"--runs-dir {mixed.folder}` shows it again"
    )
    assert app.return_code == 0


async def test_leaving_the_usual_folder_names_no_folder(app, mixed, monkeypatch) -> None:
    monkeypatch.setenv("CLR_TUI_RUNS", str(mixed.folder))
    run, _ = mixed.training("train-digits-3", age=3)
    mixed.keep_alive(run)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("q")
    assert app.return_message == (
        "train-digits-3 and 1 other run are still running; "
        "`clr-tui attach train-digits-3` shows it again"
    )


async def test_leaving_with_nothing_at_work_says_nothing(app, runs) -> None:
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("q")
    assert app.return_message is None


async def test_a_second_click_opens(app, mixed) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.click(RunTable, offset=(5, 3))
        assert selected_id(pilot) == ORDER[2]
        await pilot.click(RunTable, offset=(5, 3), times=2)
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))


async def test_a_log_that_is_damaged_harms_nothing(app, mixed) -> None:
    (mixed.folder / "train-digits-2" / "events.jsonl").write_bytes(b"\x00\xff{]\n" * 50)
    (mixed.folder / "train-digits-1" / "run.json").write_text("{")
    evil = mixed.folder / "range-test-\x1b[31m[bold]-1"
    shutil.copytree(mixed.folder / "range-test-digits-2", evil)
    async with app.run_test(size=(160, 44)) as pilot:
        screen = await settled(pilot)
        for _ in ids(screen):
            await pilot.press("down")
            await settled(pilot)
        shown = app.export_screenshot()
        assert "\x1b" not in shown
        assert "[31m[bold]-1" in shown.replace("&#160;", " ")


async def test_hundreds_of_runs_show_only_lines_that_fit(app, runs) -> None:
    run, log = runs.sweep("range-test-digits-1", age=900, steps=5)
    log.write(ev.RunFinished(outcome="done", headline="max_lr 3.4e-03"))
    for n in range(2, 302):
        shutil.copytree(run.path, runs.folder / f"range-test-digits-{n}")
    async with app.run_test() as pilot:
        screen = await settled(pilot)
        assert words(screen, "#home-count") == "301 runs"
        await pilot.press("end")
        table = screen.query_one(RunTable)
        assert table._top > 280
        cursor_line = table.render_line(table.size.height - 1).text
        assert cursor_line.startswith("▌")


async def test_nothing_is_sent_while_nothing_changes(app, mixed, monkeypatch) -> None:
    mixed.let_die()
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await settled(pilot)
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        monkeypatch.setattr(type(app), "is_headless", False)
        for _ in range(3):
            screen._refresh_list()
            await settled(pilot)
        assert "".join(written) == ""
        await pilot.press("down")
        await pilot.pause()
        assert "".join(written) != ""


async def test_a_comparison_is_listed_previewed_and_opened(app, runs) -> None:
    run = write_run(runs.folder, running=True)
    runs.keep_alive(run)
    async with app.run_test(size=(120, 40)) as pilot:
        home = await settled(pilot)
        table = home.query_one(RunTable)
        shown = table.render_line(1).text
        for words in (run.id, "comparison", "● running", "4 of 9 trials"):
            assert words in shown
        await until(pilot, lambda: home.query_one(ChartView).chart.series)
        assert "accuracy" in home.query_one(ChartView).chart.title
        await pilot.press("s")
        assert "All its trials end" in str(app.screen.query_one("#detail", Static).render())
        await pilot.press("n", "enter")
        assert isinstance(app.screen, ComparisonScreen)


def marked(screen) -> list[str]:
    """The runs with a mark, as they are drawn."""
    table = screen.query_one(RunTable)
    rows = [table.render_line(y).text for y in range(table.size.height)]
    return [row.id for row, text in zip(table._rows, rows[1:], strict=False) if "● " in text[:4]]


async def test_marked_runs_of_all_kinds_are_shown_together(app, mixed) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "space", "space")
        assert marked(screen) == ["train-digits-2", "range-test-digits-2"]
        assert words(screen, "#home-count") == "6 runs, 1 active, 2 marked"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        followed = [run.name for run in app.screen.followed]
        assert followed == ["train-digits-2", "range-test-digits-2"]
        await until(pilot, lambda: "loss" in app.screen.query_one("#chart-0").chart.title)
        await pilot.press("escape")
        assert marked(screen) == ["train-digits-2", "range-test-digits-2"]  # to add one more
        await pilot.press("escape")
        assert marked(screen) == []
        assert words(screen, "#home-count") == "6 runs, 1 active"


async def test_marks_stay_when_a_filter_hides_their_runs_and_one_alone_opens_its_own_screen(
    app, mixed
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await pilot.press("space", "slash", *"train-digits", "enter")
        await settled(pilot)
        assert marked(screen) == []
        assert "1 marked" in words(screen, "#home-count")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))
        await pilot.press("escape", "space")  # marks the first training too
        assert "2 marked" in words(screen, "#home-count")


async def test_a_marked_run_that_is_removed_is_not_opened(app, mixed) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "space", "space", "space")
        shutil.rmtree(mixed.folder / "train-digits-2")
        screen._refresh_list()
        await until(pilot, lambda: "2 marked" in words(screen, "#home-count"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        assert len(app.screen.followed) == 2


async def test_at_most_thirty_runs_are_shown_together(app, runs) -> None:
    for number in range(33):
        runs.sweep(f"range-test-digits-{number}", age=10 + number, steps=4)
    async with app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        await pilot.press(*["space"] * 33, "enter")
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        assert len(app.screen.followed) == 30
        assert "Only the first 30" in toasts(app)
