"""Splitting images into parts if the data does not come split."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from clr_tui.engine.settings.image_folders import held_out_counts

SPLIT_SEED = 0
"""One split for all runs, so that their results can be compared."""


def stratified_split(
    labels: NDArray[np.int64], shares: tuple[float, ...]
) -> tuple[NDArray[np.int64], ...]:
    """Holds out parts, stratified by class: `labels` (n,), `shares` as in `held_out_counts`.

    Returns:
        The indices of the rest (the training part), then those of each part, all ascending.
    """
    # RandomState's stream is frozen for good; Generator's is not.
    random = RandomState(SPLIT_SEED)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(len(shares) + 1)]
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        start = 0
        for part, take in enumerate(held_out_counts(len(members), shares), start=1):
            parts[part].append(members[start : start + take])
            start += take
        parts[0].append(members[start:])
    return tuple(np.sort(np.concatenate(part)) for part in parts)
