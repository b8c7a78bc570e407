"""The keys of a comparison over a grid of rates, and what its screen shows when."""

import numpy as np
import pytest
from compare_runs import chart, compare_log, place, table
from grid_runs import ONE, TWO, grid_log
from run_logs import Clock, app_of, message, poll, press_every_key, replay_of

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.metrics import LOSS
from clr_tui.tui.cli.main import main
from clr_tui.tui.keys import GRID
from clr_tui.tui.kinds.compare.display import preview
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.screen import ComparisonScreen

SMALL, LARGE = (80, 24), (160, 44)
STATES = {
    "nothing yet": lambda folder: grid_log(folder, done=0).live(),
    "first steps": lambda folder: grid_log(folder, done=0, running=2).live(),
    "some rates": lambda folder: grid_log(folder, TWO, done=5, running=2).live(),
    "every rate": lambda folder: grid_log(folder, TWO, done=14, running=2).live(),
    "lost": lambda folder: grid_log(folder, done=0),
    "ended early": lambda folder: grid_log(folder, loses=(0, 1)),
    "loss": lambda folder: grid_log(folder, metric=LOSS),
    "done": grid_log,
}


def by_rate(pilot) -> bool:
    return "by learning rate" in chart(pilot).title


@pytest.mark.parametrize(
    ("state", "size"),
    [(state, SMALL) for state in STATES] + [("some rates", (40, 12)), ("done", LARGE)],
)
async def test_every_key_in_every_state(tmp_path, state, size):
    log = STATES[state](tmp_path)
    async with app_of(log, start=lambda *_: log.run).run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ComparisonScreen)
        for _ in range(2):  # by rate and by epoch
            await press_every_key(pilot, GRID)
            await pilot.press("f")
        assert pilot.app.screen is screen
    log.die()


async def test_the_chart_is_by_rate_once_there_is_a_result_at_every_rate(tmp_path):
    log = grid_log(tmp_path, done=6, running=1).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        assert not by_rate(pilot)
        log.tell(
            ev.Diverged(trial=18, step=40, lr=0.028, reason="it is not finite"),
            ev.TrialFinished(trial=18, outcome="failed", step=40, reason="it is not finite"),
        )
        await poll(pilot)
        assert by_rate(pilot)
    log.die()


async def test_f_switches_at_any_time_and_keeps_what_was_chosen(tmp_path):
    log = grid_log(tmp_path, TWO, done=3, running=2).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        assert not by_rate(pilot)
        await pilot.press("f")
        assert by_rate(pilot)
        assert "◌ to come" in chart(pilot).x.label
        assert "1.3e-3 leads so far" in message(pilot)
        await pilot.press("f")
        assert not by_rate(pilot)
        log.tell(ev.RunFinished(outcome="stopped"))
        await poll(pilot)
        assert not by_rate(pilot)
    log.die()


async def test_without_a_grid_f_follows_the_newest_part(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.press("f")
        assert message(pilot).startswith("Following the newest 2 epochs")
        assert not by_rate(pilot)


async def test_before_the_first_result_the_chart_by_rate_says_what_it_waits_for(tmp_path):
    log = grid_log(tmp_path, done=0, running=1).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("f")
        assert by_rate(pilot)
        assert chart(pilot).empty
        assert "no rate has a result yet" in message(pilot)
    log.die()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("v", "the final result alone"),
        ("a", "the accuracy alone"),
        ("x", "x is the learning rate"),
        ("y", "Only a loss has a logarithmic axis"),
    ],
)
async def test_keys_of_curves_say_that_f_shows_them(tmp_path, key, words):
    async with app_of(grid_log(tmp_path)).run_test(size=SMALL) as pilot:
        before = pilot.app.screen.options
        await pilot.press(key)
        assert words in message(pilot)
        assert pilot.app.screen.options == before
        await pilot.press("f", key)
        assert not by_rate(pilot)
        assert (pilot.app.screen.options != before) == (key != "y")


async def test_y_of_a_loss_by_rate_is_logarithmic(tmp_path):
    async with app_of(grid_log(tmp_path, metric=LOSS)).run_test(size=SMALL) as pilot:
        assert chart(pilot).title == "test loss, last epoch, by learning rate"
        await pilot.press("y")
        assert chart(pilot).y.log
        await pilot.press("y")
        assert not chart(pilot).y.log


async def test_bands_and_seeds(tmp_path):
    async with app_of(grid_log(tmp_path)).run_test(size=SMALL) as pilot:
        assert chart(pilot).areas
        await pilot.press("d", "m")
        assert not chart(pilot).areas
        seeds = [one for one in chart(pilot).series if one.kind == "points" and one.faint]
        assert [len(one.x) for one in seeds] == [3 * 6]


async def test_hiding_hides_an_optimizer_at_all_its_rates(tmp_path):
    async with app_of(grid_log(tmp_path, TWO)).run_test(size=LARGE) as pilot:
        assert place(pilot)[0] < 7
        await pilot.press("h")
        shown = {one.colour for one in chart(pilot).series if one.kind == "line"}
        assert shown == {role_of(1)}
        await pilot.press("f")
        assert len([one for one in chart(pilot).series if one.glyph]) == 7
        await pilot.press("f", "h")
        shown = {one.colour for one in chart(pilot).series if one.kind == "line"}
        assert shown == {role_of(0), role_of(1)}


async def test_by_rate_the_table_has_the_colours_of_the_chart(tmp_path):
    async with app_of(grid_log(tmp_path, TWO)).run_test(size=LARGE) as pilot:
        glyphs = {row.entry: row.line[1] for row in table(pilot).rows}
        for entry, (glyph, role) in glyphs.items():
            assert (glyph.strip(), role) == (glyph_of(entry // 7), role_of(entry // 7))
        await pilot.press("f")
        glyphs = {row.entry: row.line[1] for row in table(pilot).rows}
        assert {glyph.strip() for glyph, _ in glyphs.values()} == {glyph_of(i) for i in range(14)}


async def test_the_selected_optimizer_is_in_front_and_its_words_come_first(tmp_path):
    async with app_of(grid_log(tmp_path, TWO)).run_test(size=LARGE) as pilot:
        assert message(pilot).startswith("sgd(momentum=0.9)+clr: 6e-3 is best")
        (band,) = chart(pilot).bands
        while place(pilot)[0] < 7:
            await pilot.press("down")
        assert message(pilot).startswith("adam: ")
        assert chart(pilot).bands != (band,)


async def test_the_target_is_on_the_curves(tmp_path):
    async with app_of(grid_log(tmp_path)).run_test(size=LARGE) as pilot:
        await pilot.press("right")
        assert "press f for the curves" in message(pilot)
        await pilot.press("f")
        assert chart(pilot).hlines


async def test_what_a_failed_trial_says_is_shown(tmp_path):
    async with app_of(grid_log(tmp_path)).run_test(size=LARGE) as pilot:
        while place(pilot)[0] != 6:
            await pilot.press("down")
        await pilot.press("enter", "down")
        assert place(pilot) == (6, 18)
        assert "the loss is not finite at step 40" in message(pilot)


async def test_the_export_is_the_chart_that_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with app_of(grid_log(tmp_path, TWO)).run_test(size=SMALL) as pilot:
        await pilot.press("e", "ctrl+u", *"x.svg", "enter", "f")
        svg = (tmp_path / "x.svg").read_text()
        assert "by learning rate" in svg
        assert ">adam<" in svg
        assert ">minimum/10 2.8e-3<" in svg
        await pilot.press("e", "ctrl+u", *"y.svg", "enter")
        assert "by learning rate" not in (tmp_path / "y.svg").read_text()


async def test_the_rates_are_exported_as_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    log = grid_log(tmp_path, TWO)
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("e", "ctrl+u", *"rates.csv", "enter")
        assert "Written to" in message(pilot)
    assert main(["export", str(log.run.path), "--rates-csv", "-"]) == 0
    assert capsys.readouterr().out.encode() == (tmp_path / "rates.csv").read_bytes()


async def test_a_replay_shows_the_same(tmp_path):
    log = grid_log(tmp_path, ONE)
    async with app_of(log).run_test(size=SMALL) as pilot:
        shown = chart(pilot), message(pilot)
    app = replay_of(log, clock=Clock(), start_at=1.0)
    async with app.run_test(size=SMALL) as pilot:
        assert chart(pilot).title == shown[0].title
        for one, other in zip(chart(pilot).series, shown[0].series, strict=True):
            np.testing.assert_array_equal(one.y, other.y)
        assert message(pilot) == shown[1]


def test_the_printed_result_and_the_pictures_draw_the_same(tmp_path, capsys):
    log = grid_log(tmp_path, TWO)
    folder, svg = str(tmp_path / "runs"), tmp_path / "x.svg"
    assert main(["attach", log.run.id, "--runs-dir", folder]) == 0
    printed = capsys.readouterr().out
    assert "test accuracy, last epoch, by learning rate" in printed
    assert "minimum/10 2.8e-3" in printed
    assert printed.count("best 6e-3") == 1
    assert "sgd(momentum=0.9)+clr: 6e-3 is best, 67.8 %" in " ".join(printed.split())
    assert main(["export", log.run.id, "--runs-dir", folder, "--svg", str(svg)]) == 0
    text = svg.read_text()
    assert text.index("by learning rate") < text.index("validation accuracy")
    assert ">best 6e-3<" in text
    assert ">minimum/10 2.8e-3<" in text


def test_the_list_of_runs_previews_the_chart_by_rate(tmp_path):
    log = grid_log(tmp_path)
    history = RunHistory(log.run.config())
    history.feed(read_events(log.run.events_path))
    assert "by learning rate" in preview(history, alive=False).title
    begun = grid_log(tmp_path / "begun", done=3, running=1)
    history = RunHistory(begun.run.config())
    history.feed(read_events(begun.run.events_path))
    assert "by learning rate" not in preview(history, alive=True).title
