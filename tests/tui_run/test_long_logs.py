"""A long log comes in pieces: it is drawn once, when it is there, and meanwhile says how far."""

from __future__ import annotations

from run_logs import poll, title, usual

from clr_tui.engine.runs.tail import Batch, read_events
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.screens.range_test import RangeTestScreen


class Pieces:
    """A log that comes in as many pieces as it has events; the last but one waits to be let go."""

    live = False
    replay = False

    def __init__(self, events) -> None:
        self.events = list(events)
        self.given = 0
        self.held = True

    def poll(self) -> Batch:
        if self.given == len(self.events):
            return Batch()
        if self.given == len(self.events) - 1 and self.held:
            return Batch(more=True, portion=0.9)
        self.given += 1
        more = self.given < len(self.events)
        return Batch(events=[self.events[self.given - 1]], more=more, portion=0.9 if more else 1.0)


async def test_a_long_log_is_drawn_once_it_is_there(sweep_log, tmp_path, monkeypatch):
    sweep_log.begin().sweep(usual).end()
    source = Pieces(read_events(sweep_log.run.events_path).events)
    drawn = []
    draw = RangeTestScreen.show_history

    def counted(screen) -> None:
        drawn.append(source.given)
        draw(screen)

    monkeypatch.setattr(RangeTestScreen, "show_history", counted)
    async with ClrTuiApp(tmp_path).run_test(size=(120, 40)) as pilot:
        pilot.app.push_screen(RangeTestScreen(source, sweep_log.run.config(), None))
        while source.given < len(source.events) - 1:
            await pilot.pause()
        assert "reading its log, 90%" in title(pilot)
        assert all(given <= 1 for given in drawn)  # the empty screen, as it was laid out
        before = len(drawn)
        source.held = False
        await poll(pilot)
        await pilot.pause()
        assert "done" in title(pilot)
        assert len(drawn) - before <= 2
