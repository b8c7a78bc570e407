"""How a run or a trial is getting on: one vocabulary, derived in one place.

The log holds an `Outcome` once a run or trial has ended. Everything before that, and that a run
was lost, follows from what else the log says and from whether its worker lives.
"""

from __future__ import annotations

from typing import Literal

from clr_tui.engine.log.events import Outcome

State = Literal[
    "waiting", "starting", "preparing", "running", "paused", "done", "stopped", "failed", "lost"
]
"""`waiting`: a trial whose turn has not come; `starting`: the worker has said nothing of its work
yet; `preparing`: it loads data; `lost`: there is no last event, and no worker to write one."""
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
    """The state of a run.

    Args:
        outcome: how it ended, where its log says so.
        alive: whether more can come: the worker lives, or a recording has not ended.
        began: whether it has made a step, or is about to.
        paused: whether it was told to wait.
        before: what it is while it has not begun.
    """
    if outcome is not None:
        return outcome
    if not alive:
        return "lost"
    if paused:
        return "paused"
    return "running" if began else before


def trial_state(outcome: Outcome | None, *, began: bool = True, run_over: bool = False) -> State:
    """The state of one of a run's trials; `stopped` where the run was over before it."""
    if outcome is not None:
        return outcome
    if run_over:
        return "stopped"
    return "running" if began else "waiting"
