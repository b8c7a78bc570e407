"""The state of a run or a trial.

The log holds an `Outcome` once a run or trial has ended. Earlier states, and `lost`, follow from
the rest of the log and from whether the worker is alive.
"""

from __future__ import annotations

from typing import Literal

from clr_tui.engine.log.events import Outcome

State = Literal[
    "waiting", "starting", "preparing", "running", "paused", "done", "stopped", "failed", "lost"
]
"""`waiting`: a trial that has not started; `starting`: the worker has not reported any work yet;
`preparing`: it is loading data; `lost`: there is no last event and no worker to write one."""
LIVING: frozenset[State] = frozenset({"starting", "preparing", "running", "paused"})
ENDED: frozenset[State] = frozenset({"done", "stopped", "failed", "lost"})


def state_of(
    outcome: Outcome | None,
    *,
    alive: bool,
    began: bool = True,
    paused: bool = False,
    before: Literal["starting", "preparing"] = "starting",
) -> State:
    """Returns the state of a run.

    Args:
        outcome: how it ended, if it has.
        alive: whether more events can come: the worker is alive, or a replay has not ended.
        began: whether it has made a step or is about to.
        before: its state until then.
    """
    if outcome is not None:
        return outcome
    if not alive:
        return "lost"
    if paused:
        return "paused"
    return "running" if began else before
