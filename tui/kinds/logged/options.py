"""How charts of logged values are drawn: what is remembered of a view."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec.structs import replace

from clr_tui.engine.settings.config import SMOOTHING
from clr_tui.tui.kinds.logged.arrangement import MOST
from clr_tui.tui.kinds.logged.curves import XAxis
from clr_tui.tui.text.chart_options import WEIGHTS
from clr_tui.tui.views_file import View


class GridOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to draw charts of logged values."""

    x: XAxis | None = None
    """None: by step, or by epoch where runs count differently."""
    log_x: bool = False
    smoothing: Annotated[float, msgspec.Meta(gt=0, le=1)] = SMOOTHING
    """Weight of a new value; 1 leaves the curves as they are."""
    log_y: frozenset[str] = frozenset()
    """Keys of the charts with a logarithmic y axis."""
    at_once: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = 0
    """Charts shown at once; 0: as many as suit the terminal."""
    words: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """The filter of charts and runs."""
    panel: bool | None = None
    """Whether the panel is shown; None: where there is room."""
    chosen: str = ""
    """Key of the chart that keys are about; empty: the first one."""

    def smoother(self, direction: int) -> GridOptions:
        """Returns the next stronger (1) or weaker (-1) smoothing, if there is one."""
        beyond = (a for a in WEIGHTS[::direction] if direction * (self.smoothing - a) > 1e-12)
        return replace(self, smoothing=next(beyond, self.smoothing))

    def toggled_y(self, key: str) -> GridOptions:
        """Switches the y axis of a chart between linear and logarithmic."""
        return replace(self, log_y=self.log_y ^ {key})


def options_of(view: View) -> GridOptions:
    """Reads a remembered view; what does not make sense is the default."""
    try:
        return msgspec.convert(view, GridOptions)
    except msgspec.ValidationError:
        return GridOptions()


def view_of(options: GridOptions) -> View:
    """What to remember of a view: what is not the default."""
    view: View = msgspec.to_builtins(options)
    return view
