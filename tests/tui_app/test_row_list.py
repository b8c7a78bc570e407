"""A list of rows is as high as its rows and their heading."""

from __future__ import annotations

from rich.style import Style
from textual.app import App, ComposeResult

from clr_tui.tui.widgets.row_list import RowList


class Names(RowList[str]):
    def key_of(self, row: str) -> str:
        return row

    def heading_line(self):
        return (("name", "text"),)

    def line_of(self, row: str, here: bool):
        return ((row, "text"),)

    def style_of(self, name: str) -> Style:
        return Style()


class NamesApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Names()


async def test_a_layout_between_two_changes_does_not_keep_the_height_of_the_first() -> None:
    app = NamesApp()
    async with app.run_test() as pilot:
        names = app.query_one(Names)
        names.show_rows(["adam"])
        app.screen._refresh_layout()  # something else asks for it, such as a new size
        names.show_rows(["adam", "sgd", "rmsprop"])
        await pilot.pause()
        assert names.size.height == 4
        names.show_rows([])
        await pilot.pause()
        assert names.size.height == 1
