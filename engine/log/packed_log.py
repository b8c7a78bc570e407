"""Reads a whole log with little memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec

from clr_tui.engine.log.events import Steps
from clr_tui.engine.log.tail import Batch, LogTail

PIECE = 1 << 20
"""Bytes read at a time. Decoded but not packed yet, they take twice as much memory."""


def read_packed(path: Path) -> Batch:
    """Reads like `read_events`, but with `packed` steps: 16 bytes per step instead of a hundred."""
    tail = LogTail(path)
    whole = Batch(more=True)
    while whole.more:
        batch = tail.poll(PIECE)
        if batch.reset:
            whole = Batch()
        whole.events += [packed(e) if isinstance(e, Steps) else e for e in batch.events]
        whole.corrupt += batch.corrupt
        whole.missing += batch.missing
        whole.unknown += batch.unknown
        whole.more = batch.more
    whole.newer_schema = tail.newer_schema
    return whole


def packed(steps: Steps) -> Steps:
    """Returns the event with arrays for columns (8 bytes per value) and a range for the steps.

    Steps that are not consecutive become an array; a column that holds a null stays a list.
    """
    step = steps.step
    near = range(step[0], step[0] + len(step)) if step else range(0)
    return msgspec.structs.replace(
        steps,
        step=near if step and step[-1] == near[-1] and step == list(near) else array("q", step),
        lr=_numbers(steps.lr),
        loss=_numbers(steps.loss),
        metrics={name: _numbers(column) for name, column in steps.metrics.items()},
    )


def _numbers(column: Sequence[float | None]) -> Sequence[float | None]:
    try:
        return array("d", cast("Sequence[float]", column))
    except TypeError:  # a null
        return column
