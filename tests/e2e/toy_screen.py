"""The screen of the toy kind."""

from toy_kind import chart

from clr_tui.tui.keys import bindings_for
from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.widgets.chart_view import ChartView


class ToyScreen(RunScreen):
    BINDINGS = bindings_for("toy")
    key_screen = "toy"

    def compose_body(self):
        yield ChartView(id="chart")

    def show_history(self) -> None:
        self.show_charts({"chart": chart(self.history)})

    def verdict(self):
        return self.words("a toy's verdict")

    def exports(self):
        return {".txt": lambda: "toy"}
