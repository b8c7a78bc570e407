"""A screen that is covered reads on, sends nothing, and is up to date once it is back."""

import pytest
from run_logs import app_of, panel, poll, usual
from textual.app import App
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from clr_tui.engine.log import events as ev
from clr_tui.tui.screens.foreground_screen import ForegroundScreen
from clr_tui.tui.widgets.title_bar import TitleBar

STEPS = ev.Steps(trial=0, step=[40, 41], lr=[1e-4, 1.1e-4], loss=[1.6, 1.6], elapsed=2.0)


class Below(ForegroundScreen[None]):
    def compose(self):
        yield Static("old", id="words")


class SeeThrough(ModalScreen[None]):
    """As our dialogs are: what lies below shows around it."""


class Sending(App[None]):
    """Counts the frames that it sends."""

    frames = 0

    def _display(self, screen, renderable):
        if renderable is not None:
            self.frames += 1
        super()._display(screen, renderable)


def rows(app):
    """What the terminal shows."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def title(app):
    bar = app.screen.query_one(TitleBar)
    return bar.render_line(0).text


async def frames_of(pilot, change) -> int:
    """How many frames `change` makes the app send, and what follows from it."""
    await pilot.pause(0.1)
    pilot.app.frames = 0
    change()
    for _ in range(5):
        await pilot.pause(0.05)
    return pilot.app.frames


@pytest.mark.parametrize("above", [Screen, SeeThrough])
async def test_a_covered_screen_sends_no_frames(above):
    async with Sending().run_test() as pilot:
        app = pilot.app
        below = Below()
        await app.push_screen(below)
        await app.push_screen(above())
        words = below.query_one(Static)
        assert await frames_of(pilot, lambda: words.update("new")) == 0
        assert await frames_of(pilot, lambda: words.update("new\nand longer")) == 0
        assert await frames_of(pilot, app.pop_screen) > 0
        assert rows(app)[1].startswith("and longer")
        assert await frames_of(pilot, lambda: None) == 0


async def test_after_a_resize_of_the_terminal_it_is_silent_again():
    async with Sending().run_test(size=(120, 40)) as pilot:
        await pilot.app.push_screen(Below())
        await pilot.app.push_screen(SeeThrough())
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.1)
        assert await frames_of(pilot, lambda: None) == 0


async def test_a_run_goes_on_below_a_dialog_and_is_shown_after_it(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await pilot.press("b")
        sweep_log.tell(STEPS)
        screen.poll()
        await pilot.pause()
        await pilot.press("escape")
        await poll(pilot)
        assert "42 / 120" in panel(pilot)
        shown = "".join(segment.text for segment in screen.query_one("#panel").render_line(0))
        assert "42 / 120" in shown


async def test_a_run_reads_below_a_dialog_but_does_not_draw(sweep_log, monkeypatch):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await poll(pilot)
        await pilot.press("b")
        drawn = []
        monkeypatch.setattr(screen, "show_all", lambda: drawn.append(True))
        sweep_log.tell(STEPS)
        screen.poll()
        assert len(screen.history.trials[0]) == 42
        assert not drawn
        await pilot.press("escape")
        await pilot.pause()
        assert drawn


async def test_a_run_that_was_lost_below_a_dialog_is_so_when_that_is_closed(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await poll(pilot)
        assert "running" in title(pilot.app)
        await pilot.press("b")
        sweep_log.die()
        screen.poll()
        screen.poll()
        await pilot.press("escape")
        await pilot.pause()
        assert "running" not in title(pilot.app)
        assert "lost" in title(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (160, 44)])
async def test_a_dialog_shows_the_new_layout_around_it_after_a_resize(sweep_log, size):
    sweep_log.begin().sweep(usual).end()

    def regions(screen):
        return [widget.region for widget in screen.query("*")]

    async with app_of(sweep_log).run_test(size=size) as pilot:
        await poll(pilot)
        opened, as_opened = regions(pilot.app.screen), rows(pilot.app)
    async with app_of(sweep_log).run_test(size=(120, 40)) as pilot:
        screen = pilot.app.screen
        await pilot.press("question_mark")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.pause()
        assert regions(screen) == opened
        after_resize = rows(pilot.app)
        pilot.app.screen.refresh()
        await pilot.pause()
        assert rows(pilot.app) == after_resize
        await pilot.press("escape")
        await pilot.pause()
        await pilot.pause()
        assert rows(pilot.app) == as_opened
