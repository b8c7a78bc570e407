"""The interface of what runs a comparison's trials: the local pool, or perhaps a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, Union

import msgspec

from clr_tui.engine.log.commands import Continue, Pause, Stop
from clr_tui.engine.log.events import AnyEvent, Role
from clr_tui.engine.settings.config import RangeTest, Train

Order = Union[Pause, Continue, Stop]  # noqa: UP007 - msgspec wants it
"""A command to a trial."""


class TrialWork(msgspec.Struct, frozen=True, kw_only=True, tag="work"):
    """One trial to run: exactly one of `train` and `sweep` is set."""

    trial: int
    seed: int
    entry: int
    label: str
    train: Train | None = None
    sweep: RangeTest | None = None
    logged: int | None = None
    """If it was begun before, the steps that the log has of it: it may go on from one of them, and
    its first event is `resumed`. None: it is new."""

    @property
    def role(self) -> Role:
        """What the trial is for."""
        return "train" if self.sweep is None else "sweep"


Loss = Literal["killed", "memory", "crashed"]
"""Ended from outside, by a signal; ran out of memory, or may have; ended by what the trial did."""


class TrialLost(NamedTuple):
    """The trial was lost: no more events will come."""

    reason: str
    """A clause, such as "its process was ended by SIGTERM"."""
    cause: Loss = "crashed"
    traceback: Sequence[str] = ()
    """As in `trial-finished`."""


class TrialEvent(NamedTuple):
    """An event of a submitted trial."""

    trial: int
    event: AnyEvent | TrialLost


class Executor(Protocol):
    """Runs up to `jobs` trials at a time in other processes.

    `poll` returns all events of each submitted trial, in order and once each. The last one is
    `trial-finished` or `TrialLost`, after which another trial may be submitted. `Paused` and
    `Continued` mean that this one trial obeyed.
    """

    jobs: int
    """Trials at a time."""

    def limit(self, jobs: int) -> None:
        """Runs at most so many trials at a time, no fewer than run now; frees what others held."""

    def submit(self, work: TrialWork) -> None:
        """Starts a trial; allowed while fewer than `jobs` are running."""

    def poll(self, seconds: float) -> list[TrialEvent]:
        """Events since the last call; waits up to `seconds` for the first."""

    def order(self, trial: int, order: Order) -> None:
        """Sends a command to a trial; does nothing if the trial has ended.

        A trial that is ordered to stop ends soon, by force if necessary.
        """

    def close(self) -> None:
        """Ends all trials at once."""
