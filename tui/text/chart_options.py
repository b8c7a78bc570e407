"""The display options of a chart, which do not affect the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from clr_tui.engine.settings.config import SMOOTHING

XAxis = Literal["lr", "step", "epoch", "seconds"]
RANGE_TEST_X: tuple[XAxis, ...] = ("lr", "step", "epoch", "seconds")
TRAINING_X: tuple[XAxis, ...] = ("epoch", "step", "seconds")
WEIGHTS: tuple[float, ...] = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002)
"""The weights that `+` (smoother) and `-` walk through; 1 is the raw curve."""


@dataclass(frozen=True)
class ChartOptions:
    """How to draw a history."""

    smoothing: float = SMOOTHING
    """Weight of a new value in the smoothed curve, 0 to 1; 1 leaves the curve as it is."""
    y_log: bool = False
    x: XAxis = "lr"

    @property
    def loss_title(self) -> str:
        """The title of the loss chart: "loss (log, smoothing 0.05)"."""
        how = ["log"] if self.y_log else []
        if self.smoothing < 1:
            how.append(f"smoothing {self.smoothing:g}")
        return f"loss ({', '.join(how)})" if how else "loss"

    def smoother(self, direction: int) -> ChartOptions:
        """Return the next stronger (`direction` 1) or weaker (-1) smoothing, if there is one."""
        least = 1e-9 * self.smoothing  # what counts as another weight
        beyond = (a for a in WEIGHTS[::direction] if direction * (self.smoothing - a) > least)
        return replace(self, smoothing=next(beyond, self.smoothing))

    def next_x(self, among: tuple[XAxis, ...]) -> ChartOptions:
        """Switch to the x-axis that follows `x` in `among`."""
        at = among.index(self.x) if self.x in among else -1
        return replace(self, x=among[(at + 1) % len(among)])

    def toggled_y(self) -> ChartOptions:
        """Switch the y-axis between linear and logarithmic."""
        return replace(self, y_log=not self.y_log)


def view_of(options: ChartOptions, usual: ChartOptions, names: Sequence[str]) -> dict[str, Any]:
    """What to remember of a view: those of `names` that are not as usual."""
    shown, before = asdict(options), asdict(usual)
    return {name: shown[name] for name in names if shown[name] != before[name]}


def options_in(
    view: Mapping[str, Any], usual: ChartOptions, names: Sequence[str], axes: Sequence[XAxis]
) -> ChartOptions:
    """Reads what was remembered of a view; what makes no sense is as usual."""
    makes_sense: dict[str, Callable[[Any], bool]] = {
        "x": lambda value: value in axes,
        "y_log": lambda value: isinstance(value, bool),
        "smoothing": lambda value: type(value) in (float, int) and 0 < value <= 1,
    }
    found = {name: view[name] for name in names if name in view and makes_sense[name](view[name])}
    return replace(usual, **found)
