"""Help, command palette, themes, and what is sent to terminals with few colours or none."""

from __future__ import annotations

import re

import pytest
from app_helpers import make_app, settled, until
from textual.color import Color
from textual.command import CommandPalette
from textual.widgets import Static

from clr_tui.tui.keys import keys_for
from clr_tui.tui.screens.help import HelpScreen
from clr_tui.tui.screens.new_run import NewRunScreen
from clr_tui.tui.themes import DARK, LIGHT, THEMES, is_light
from clr_tui.tui.widgets.chart_view import ChartView


async def test_help_lists_every_key_of_the_screen(app, mixed) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        home = await settled(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        told = str(app.screen.query_one("#help-keys", Static).render())
        for key in keys_for("home"):
            assert key.help in told
        await pilot.press("question_mark")
        assert app.screen is home


async def test_help_of_a_run_screen_is_its_own(app, mixed) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("question_mark")
        told = str(app.screen.query_one("#help-keys", Static).render())
        assert "move the selected bound" in told
        assert "pause the run" in told
        assert "replay" not in told


async def test_help_says_where_the_files_are(app, mixed) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        told = " ".join(str(one.render()) for one in app.screen.query(".help-words"))
        assert str(mixed.folder) in told
        assert "events.jsonl" in told


async def test_what_keys_do_is_wrapped_beside_them(app, mixed) -> None:
    async with app.run_test(size=(40, 30)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        told = str(app.screen.query_one("#help-keys", Static).render()).split("\n")
        assert all(len(line) <= 36 for line in told)
        column = told[0].index("start a new run")
        assert all(line[column - 1] == " " and line[column] != " " for line in told)


@pytest.mark.parametrize("key", ["escape", "q", "enter"])
async def test_help_closes(app, mixed, key) -> None:
    async with app.run_test() as pilot:
        home = await settled(pilot)
        await pilot.press("question_mark", key)
        assert app.screen is home


async def test_help_scrolls_where_it_does_not_fit(app, mixed) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("question_mark")
        box = app.screen.query_one("#help")
        assert box.max_scroll_y > 0
        await pilot.press("down", "pagedown", "pagedown", "pagedown", "pagedown")
        assert box.scroll_offset.y == box.max_scroll_y
        await pilot.press("up", "pageup", "pageup", "pageup", "pageup")
        assert box.scroll_offset.y == 0


async def test_the_palette_has_every_action_and_the_themes(app, mixed) -> None:
    async with app.run_test() as pilot:
        home = await settled(pilot)
        titles = {command.title for command in app.get_system_commands(home)}
        assert {bind.title for key in keys_for("home") for bind in key.binds} <= titles
        assert {f"Theme: {title}" for _, title in THEMES.values()} <= titles


async def test_the_palette_runs_what_it_lists(app, mixed) -> None:
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"new run")
        await until(pilot, lambda: app.screen.query_one("CommandList").option_count)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))


async def test_a_theme_is_taken_at_once_charts_included(app, mixed) -> None:
    async with app.run_test() as pilot:
        home = await settled(pilot)
        commands = {c.title: c.callback for c in app.get_system_commands(home)}
        chart = home.query_one(ChartView)
        assert chart.palette.dark
        commands["Theme: light"]()
        await pilot.pause()
        assert not chart.palette.dark
        assert app.screen.styles.background == Color.parse(LIGHT.background)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, success criterion 1.4.3."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in Color.parse(colour).rgb]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_can_be_read(theme) -> None:
    muted = theme.variables["text-muted"]
    inks = [theme.foreground, theme.primary, theme.accent, theme.success, theme.warning]
    for ink in [*inks, theme.error, muted]:
        for ground in (theme.background, theme.surface):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    for ink in (theme.foreground, theme.primary, theme.error, muted):
        assert contrast(ink, theme.panel) >= 4.4, ink
    held = theme.variables
    for name in ("block-cursor", "block-cursor-blurred"):
        ground = held[f"{name}-background"]
        assert contrast(held[f"{name}-foreground"], ground) >= 4.5
        for ink in (theme.success, theme.warning, theme.error, theme.primary):
            assert contrast(ink, ground) >= 3, (ink, ground)


def test_light_terminals_are_known_by_what_they_say() -> None:
    assert is_light({"COLORFGBG": "0;15"})
    assert is_light({"COLORFGBG": "0;default;7"})
    assert not is_light({"COLORFGBG": "15;0"})
    assert not is_light({})


async def sent(runs, monkeypatch, **env: str) -> str:
    """What a terminal in such an environment would get for the runs screen."""
    app = make_app(runs.folder, monkeypatch)  # sets the usual environment
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    app = type(app)(runs.folder)
    async with app.run_test() as pilot:
        await settled(pilot)
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        monkeypatch.setattr(type(app), "is_headless", False)
        app.screen.refresh(layout=True)
        app.refresh()
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        text = "".join(written)
    assert "range test" in text
    return text


def colours(text: str) -> set[str]:
    found = set()
    for codes in re.findall(r"\x1b\[([\d;]*)m", text):
        rest = codes.split(";")
        if re.search(r"[34]8;[25]", codes):
            found.add("extended")
        elif any(re.fullmatch(r"[349][0-7]|10[0-7]", code) for code in rest):
            found.add("16")
    return found


async def test_no_color_sends_no_colour(mixed, monkeypatch) -> None:
    assert colours(await sent(mixed, monkeypatch, NO_COLOR="1")) == set()


async def test_sixteen_colours_are_enough(mixed, monkeypatch) -> None:
    text = await sent(mixed, monkeypatch, TERM="linux", COLORTERM="")
    assert colours(text) == {"16"}


async def test_true_colour_is_used_where_it_is(mixed, monkeypatch) -> None:
    assert "extended" in colours(await sent(mixed, monkeypatch))
