"""Which image belongs to which part, where the data does not say so itself."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

SPLIT_SEED = 0
"""One split for all runs: their figures are to be compared."""


def stratified_split(
    labels: NDArray[np.int64], shares: tuple[float, ...]
) -> tuple[NDArray[np.int64], ...]:
    """Cuts parts from the data, of every class its share.

    Args:
        labels: (n,), the class of each image.
        shares: of each part to cut, 0 to 1. Each class of 3 or more images gives at least one to
            each, and keeps at least one.

    Returns:
        The indices of what is left (the training part), then those of each part, all ascending.
    """
    # RandomState's stream is frozen for good, which Generator's is not.
    random = RandomState(SPLIT_SEED)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(len(shares) + 1)]
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        start = 0
        for part, share in enumerate(shares, start=1):
            take = max(round(share * len(members)), 1)
            take = min(take, len(members) - 1 - start)
            parts[part].append(members[start : start + take])
            start += take
        parts[0].append(members[start:])
    return tuple(np.sort(np.concatenate(part)) for part in parts)
