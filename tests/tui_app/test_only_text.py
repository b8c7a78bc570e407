"""Nothing that a widget draws can steer the terminal."""

from __future__ import annotations

from app_helpers import make_app
from rich.segment import Segment
from textual.color import Color

from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.safe_text import SafeTextFilter

NASTY = "/x/\x1b[31m[red]\x07data\u202e"


async def test_a_form_shows_a_path_with_escape_codes_as_text(runs, monkeypatch) -> None:
    app = make_app(runs.folder, monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        app.new_run(TaskConfig(data=NASTY), RangeTest())
        await pilot.pause()
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "/x/[31m[red]data" in shown
        assert all(char == "\n" or char.isprintable() for char in shown)
        assert app.screen.query_one("#data").value == NASTY


def test_cells_stay_where_they_are() -> None:
    line = [Segment("a\x1b[1mb"), Segment("\u202e花 \x7f")]
    told = SafeTextFilter().apply(line, Color(0, 0, 0))
    assert sum(segment.cell_length for segment in told) == sum(s.cell_length for s in line)
    assert "".join(segment.text for segment in told).isprintable()


def test_usual_text_is_left_as_it_is() -> None:
    line = [Segment("loss ⣀⡠ ┃ 花 …")]
    assert SafeTextFilter().apply(line, Color(0, 0, 0)) is line
