"""The progress and speed of a replay."""

from __future__ import annotations

import math

from clr_tui.tui.sources import ReplaySource
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.numbers import duration
from clr_tui.tui.widgets.panel import Panel


class ReplayBar(Panel):
    """One row with the state, speed, progress bar and clock of a replay."""

    DEFAULT_CSS = "ReplayBar { height: 1; padding: 0 1; }"

    def show(self, source: ReplaySource) -> None:
        """Shows the position of `source`."""
        self.set_lines([replay_line(source, self.content_size.width)])


def replay_line(source: ReplaySource, width: int) -> Line:
    """Formats the row, `width` cells wide."""
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
