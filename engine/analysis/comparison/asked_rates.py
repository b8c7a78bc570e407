"""The rates of a comparison before it starts: each entry at each rate of a grid."""

from __future__ import annotations

from pathlib import Path

from clr_tui.engine.settings.config import Compare, TaskConfig
from clr_tui.engine.settings.rate_grid import at_each_rate


def resolve_rates(_task: TaskConfig, job: Compare, _runs: Path) -> Compare:
    """The comparison with the entries that it trains.

    Raises:
        UserError: (field `lr`) its rates cannot be worked out.
    """
    return at_each_rate(job)
