"""Charts in columns and rows, of which one is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from clr_tui.tui.kinds.logged.arrangement import MOST, Shape
from clr_tui.tui.widgets.chart_view import ChartView


class ChartGrid(Container):
    """Places for charts; those beyond the ones in use are hidden."""

    DEFAULT_CSS = """
    ChartGrid {
        layout: grid;
        grid-size: 1 1;
        & > ChartView { display: none; border-left: blank; }
        & > ChartView.-used { display: block; }
        & > ChartView.-chosen { border-left: outer $accent; }
        &.-alone > ChartView { border-left: none; }
    }
    """

    @dataclass
    class Resized(Message):
        """There is another number of cells for charts."""

    @dataclass
    class Clicked(Message):
        """A chart was clicked."""

        place: int
        twice: bool

    def compose(self) -> ComposeResult:
        """Makes all places."""
        for number in range(MOST):
            yield ChartView(id=place_id(number))

    def on_resize(self) -> None:
        """Reports the new size."""
        self.post_message(self.Resized())

    def on_click(self, event: events.Click) -> None:
        """Reports which chart was clicked."""
        clicked = [n for n, view in enumerate(self.query(ChartView)) if view is event.widget]
        for number in clicked:
            self.post_message(self.Clicked(number, event.chain > 1))

    def place_charts(self, count: int, shape: Shape, chosen: int) -> None:
        """Shows `count` places in this shape; number `chosen` is marked."""
        if (self.styles.grid_size_columns, self.styles.grid_size_rows) != shape:
            self.styles.grid_size_columns, self.styles.grid_size_rows = shape
        self.set_class(count < 2, "-alone")
        for number, view in enumerate(self.query(ChartView)):
            view.set_class(number < count, "-used")
            view.set_class(number == chosen and count > 1, "-chosen")


def place_id(number: int) -> str:
    """The id of a place's widget."""
    return f"chart-{number}"
