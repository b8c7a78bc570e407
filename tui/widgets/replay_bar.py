"""How far a replay has come, and how fast it goes."""

from __future__ import annotations

import math

from clr_tui.tui.sources import ReplaySource
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.numbers import duration
from clr_tui.tui.widgets.panel import Panel


class ReplayBar(Panel):
    """One row: playing or paused, the speed, a bar, and the recording's clock."""

    DEFAULT_CSS = """
    ReplayBar {
        height: 1;
        padding: 0 1;
    }
    """

    def show(self, source: ReplaySource) -> None:
        """Shows where `source` stands."""
        self.set_lines([replay_line(source, self.content_size.width)])


def replay_line(source: ReplaySource, width: int) -> Line:
    """The row as (text, role) pieces, `width` cells wide."""
    playing, position = source.playing, source.position
    speed = "all at once" if math.isinf(source.speed) else f"{source.speed:g}x"
    word = "▶ replay " if playing else ("■ replay " if position >= 1 else "‖ replay ")
    whole = duration(source.seconds)
    clock = f"  {duration(source.elapsed).rjust(len(whole))} / {whole}"
    left = f"{word}{speed.ljust(5)}  "
    room = max(width - len(left) - len(clock), 4)
    done = round(room * min(max(position, 0.0), 1.0))
    return (
        (left, "suggestion"),
        ("━" * done, "loss"),
        ("─" * (room - done), "muted"),
        (clock, "muted"),
    )
