"""A long log comes in pieces: it is drawn once, when it is there, and meanwhile says how far."""

from __future__ import annotations

from run_logs import poll, title, usual

from clr_tui.engine.log.tail import Batch, read_events
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen


class Pieces:
    """A log that comes in as many pieces as it has events."""

    live = False
    replay = False
    output = None
    path = None

    def __init__(self, events) -> None:
        self.events = list(events)
        self.given = 0

    def poll(self) -> Batch:
        if self.given == len(self.events):
            return Batch()
        self.given += 1
        portion = self.given / len(self.events)
        return Batch(events=[self.events[self.given - 1]], more=portion < 1, portion=portion)


async def test_a_long_log_is_drawn_once_it_is_there(sweep_log, tmp_path, monkeypatch):
    sweep_log.begin().sweep(usual).end()
    source = Pieces(read_events(sweep_log.run.events_path).events)
    drawn: list[int] = []
    told: list[str] = []
    draw, show_title = RangeTestScreen.show_history, RangeTestScreen.show_title

    def drawn_at(screen) -> None:
        drawn.append(source.given)
        draw(screen)

    def told_at(screen) -> None:
        show_title(screen)
        told.append(screen.query_one("#title").text)

    monkeypatch.setattr(RangeTestScreen, "show_history", drawn_at)
    monkeypatch.setattr(RangeTestScreen, "show_title", told_at)
    async with ClrTuiApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await pilot.app.push_screen(RangeTestScreen(source, sweep_log.run.config(), None))
        await poll(pilot)
        assert source.given == len(source.events)
        assert "done" in title(pilot)
    assert any("reading its log, " in words for words in told)
    pieces = len(source.events)
    assert pieces > 8
    assert sum(1 < given < pieces for given in drawn) <= 1  # but for the first layout
    assert drawn[-1] == pieces
    assert drawn.count(pieces) <= 3
