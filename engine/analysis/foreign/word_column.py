"""Rows that name their values by a word, such as "train" and "val"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints

WORD_NAMES = frozenset(
    {"phase", "split", "stage", "subset", "mode", "metric", "tag", "key", "name", "variable"}
    | {"optimizer", "optimiser", "run", "run_name", "experiment", "model", "group"}
)
"""Of a column whose words say what the numbers of its row are."""
_VALUE_NAMES = frozenset({"value", "values"})


def by_words(
    columns: dict[str, tuple[Ints, Floats]], words: Sequence[str]
) -> dict[str, tuple[Ints, Floats]]:
    """Splits columns by the words of their rows: "loss" into "train/loss" and "val/loss".

    A column named "value" gets the word alone for its name.

    Args:
        columns: by name, the rows that have a value, and the values.
        words: one for each row; rows with an empty one keep the column's name.
    """
    found, numbers = np.unique(np.array(words, np.str_), return_inverse=True)
    split = {}
    for name, (rows, values) in columns.items():
        for i, word in enumerate(found.tolist()):
            chosen = numbers[rows] == i
            own = word if name.casefold() in _VALUE_NAMES else f"{word}/{name}"
            split[own if word else name] = rows[chosen], values[chosen]
    return split
