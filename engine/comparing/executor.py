"""Where the trials of a comparison are done: the few things that it asks of such a place.

The local pool of processes (`engine.comparing.pool`) is one; a cluster's could stand beside it.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, Union

import msgspec

from clr_tui.engine.log.commands import Continue, Pause, Stop
from clr_tui.engine.log.events import AnyEvent, Role
from clr_tui.engine.settings.config import RangeTest, Train

Order = Union[Pause, Continue, Stop]  # noqa: UP007 - msgspec wants it
"""What can be asked of a trial."""


class Work(msgspec.Struct, frozen=True, kw_only=True, tag="work"):
    """One trial that is to be done: exactly one of `train` and `sweep` is set."""

    trial: int
    seed: int
    entry: int
    label: str
    train: Train | None = None
    sweep: RangeTest | None = None

    @property
    def role(self) -> Role:
        """What the trial is for."""
        return "train" if self.sweep is None else "sweep"


class Lost(NamedTuple):
    """A trial ended without a word: nothing more will be told of it."""

    reason: str
    """A sentence."""


class Told(NamedTuple):
    """What is heard of a trial that was submitted."""

    trial: int
    event: AnyEvent | Lost


class Executor(Protocol):
    """Does trials, up to `jobs` at a time, in other processes.

    Of each trial that was submitted its events are told, in order, none lost or doubled. The last
    thing told of it is `trial-finished` or `Lost`; then there is room for another. `Paused` and
    `Continued` say that this one trial obeyed.
    """

    @property
    def jobs(self) -> int:
        """Trials at a time."""

    def submit(self, work: Work) -> None:
        """Begins a trial. Only where fewer than `jobs` are under way."""

    def poll(self, seconds: float) -> list[Told]:
        """What was told since the last call; waits for the first word at most so long."""

    def order(self, trial: int, order: Order) -> None:
        """Passes an order on to a trial; does nothing where it has ended.

        A trial that is told to stop comes to an end soon, if it must be by force.
        """

    def close(self) -> None:
        """Ends everything at once, whatever is under way."""
