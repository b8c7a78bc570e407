"""Notes on classes with too few images to be learned or measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clr_tui.engine.tasks.dataset import Dataset, Indices
from clr_tui.engine.words import have, listed, many

MAX_NAMED_CLASSES = 3
"""Further ones are only counted."""
_FEW_OF_A_BATCH, _FEW_OF_THE_LARGEST = 1 / 4, 1 / 10
"""A class has few training images if it has less than both of these shares."""


def class_notes(data: Dataset, batch_size: int) -> list[str]:
    """A sentence for each part that lacks classes, and one about classes with few images."""
    count = len(data.classes)
    train, validation, test = (
        np.bincount(data.labels[part], minlength=count)
        for part in (data.train, data.validation, data.test)
    )
    lacking = {"validation": validation == 0, "test": test == 0}
    both = lacking["validation"] & lacking["test"]
    found = {"validation or test": both}
    found |= {part: missing & ~both for part, missing in lacking.items()}
    notes = [
        f"{_named(data.classes, rows)} {have(len(rows))} no {part} image: the result there says"
        f" nothing about {'it' if len(rows) == 1 else 'them'}"
        for part, missing in found.items()
        if len(rows := np.flatnonzero(missing))
    ]
    limit = min(_FEW_OF_A_BATCH * batch_size, _FEW_OF_THE_LARGEST * train.max())
    few = np.flatnonzero(train < limit)
    if len(few):
        most = int(train[few].max())
        amount = f"{'' if len(few) == 1 else 'at most '}{many(most, 'training image')}"
        notes.append(
            f"{_named(data.classes, few)} {have(len(few))}"
            f" {amount if most else 'no training image'}, far fewer than a batch of {batch_size} or"
            f" the largest class of {train.max()}: too few to learn much"
        )
    return notes


def _named(classes: Sequence[str], rows: Indices) -> str:
    """`class 'c'`, `classes 'c' and 'd'`, `classes 'c', 'd', 'e' and 4 more`."""
    names = [f"'{classes[row]}'" for row in rows[:MAX_NAMED_CLASSES]]
    if len(rows) > MAX_NAMED_CLASSES:
        names.append(f"{len(rows) - MAX_NAMED_CLASSES} more")
    return f"{'class' if len(rows) == 1 else 'classes'} {listed(names)}"
