"""Panels repaint only what changed."""

from textual.app import App, ComposeResult
from textual.geometry import Region

from clr_tui.tui.fitting import changed_span
from clr_tui.tui.text.lines import BLANK, row
from clr_tui.tui.widgets.panel import Panel
from clr_tui.tui.widgets.title_bar import TitleBar


def test_the_span_holds_all_that_differs():
    assert changed_span(row("lr", "1.3e-03"), row("lr", "1.5e-03"), 40) == (12, 13)
    assert changed_span(row("a", "1"), row("a", "1"), 40) == (0, 0)
    assert changed_span(BLANK, row("a", "12"), 40) == (0, 12)
    assert changed_span(row("a", "12"), row("a", "1"), 40) == (11, 12)
    assert changed_span((("x", "lr"),), (("x", "max"),), 40) == (0, 1)


def test_lines_with_wide_characters_are_repainted_whole():
    assert changed_span(row("花", "1"), row("花", "2"), 40) == (0, 40)
    assert changed_span(row("a", "1" * 40), row("a", "2" * 40), 40) == (0, 40)


class Shown(App[None]):
    CSS = "Panel { width: 30; height: 3; } TitleBar { width: 40; }"

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Panel(id="panel")


async def test_only_changed_cells_are_refreshed(monkeypatch):
    async with Shown().run_test(size=(60, 10)) as pilot:
        panel = pilot.app.query_one("#panel", Panel)
        panel.set_lines([row("lr", "1.3e-03"), row("loss", "1.592")])
        await pilot.pause()
        asked: list[Region] = []
        monkeypatch.setattr(panel, "refresh", lambda *regions, **_: asked.extend(regions))
        panel.set_lines([row("lr", "1.3e-03"), row("loss", "1.591")])
        assert asked == [Region(14, 1, 1, 1)]
        asked.clear()
        panel.set_lines([row("lr", "1.3e-03"), row("loss", "1.591")])
        assert asked == []


async def test_what_does_not_fit_is_cut_with_an_ellipsis():
    async with Shown().run_test(size=(60, 10)) as pilot:
        panel = pilot.app.query_one("#panel", Panel)
        panel.set_lines([row("device", "x" * 50), row("wide", "花" * 20)])
        await pilot.pause()
        for y in (0, 1):
            strip = panel.render_line(y)
            assert strip.cell_length == 30
            assert "…" in strip.text


async def test_a_title_that_is_too_long_loses_its_last_parts():
    async with Shown().run_test(size=(60, 10)) as pilot:
        bar = pilot.app.query_one(TitleBar)
        bar.show("test  flowers · CNN · SGD · batch 64", "● running", "accuracy", "cpu")
        await pilot.pause()
        assert bar.text.startswith("clr-tui  test  flowers ")
        assert bar.text.endswith("● running  cpu")
        assert "CNN" not in bar.text
