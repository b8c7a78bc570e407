"""The trials of a comparison: their numbers, lengths and order."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.log.events import Role
from clr_tui.engine.settings.config import Compare


@dataclass(frozen=True)
class Planned:
    """A trial to run."""

    trial: int
    """See `Compare.trial_number`."""
    entry: int
    seed: int
    role: Role
    steps: int


def plan_trainings(config: Compare, first_seed: int, steps: int) -> list[Planned]:
    """All trainings, of `steps` steps each, in the order in which they start.

    All entries with one seed come before the next seed, so that early results cover every entry.
    """
    return [
        Planned(config.trial_number(entry, i), entry, first_seed + i, "train", steps)
        for i in range(config.seeds)
        for entry in range(len(config.entries))
    ]


def plan_sweep(config: Compare, entry: int, seed: int, steps: int) -> Planned:
    """The range test that finds an entry's rate."""
    return Planned(config.trials + entry, entry, seed, "sweep", steps)
