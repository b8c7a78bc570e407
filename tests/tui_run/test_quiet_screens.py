"""A screen that is covered sends nothing, and is up to date once it is back."""

from run_logs import app_of, panel, poll, usual
from textual.app import App
from textual.screen import Screen
from textual.widgets import Static

from clr_tui.engine.log import events as ev
from clr_tui.tui.screens.quiet import QuietScreen


class Below(QuietScreen[None]):
    def compose(self):
        yield Static("old", id="words")


class Sending(App[None]):
    """Counts the frames that it sends."""

    frames = 0

    def _display(self, screen, renderable):
        if renderable is not None:
            self.frames += 1
        super()._display(screen, renderable)


async def test_a_covered_screen_sends_no_frames():
    async with Sending().run_test() as pilot:
        app = pilot.app
        below = Below()
        await app.push_screen(below)
        await app.push_screen(Screen())
        await pilot.pause(0.1)
        app.frames = 0
        below.query_one(Static).update("new")
        for _ in range(5):
            await pilot.pause(0.05)
        assert app.frames == 0
        assert not below._repaint_required
        app.pop_screen()
        await pilot.pause()
        assert app.frames > 0
        assert "new" in str(below.query_one(Static).content)


async def test_a_run_goes_on_below_a_dialog_and_is_shown_after_it(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await pilot.press("b")
        sweep_log.tell(
            ev.Steps(trial=0, step=[40, 41], lr=[1e-4, 1.1e-4], loss=[1.6, 1.6], elapsed=2.0)
        )
        screen.poll()
        await pilot.pause()
        await pilot.press("escape")
        await poll(pilot)
        assert "42 / 120" in panel(pilot)
        shown = "".join(segment.text for segment in screen.query_one("#panel").render_line(0))
        assert "42 / 120" in shown


async def test_a_dialog_shows_the_new_layout_around_it_after_a_resize(sweep_log):
    sweep_log.begin().sweep(usual).end()

    def shown(app):
        return [strip.text for strip in app.screen._compositor.render_strips()]

    async with app_of(sweep_log).run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        after_resize = shown(pilot.app)
        pilot.app.screen.refresh()
        await pilot.pause()
        assert shown(pilot.app) == after_resize
