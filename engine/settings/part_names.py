"""The names by which people call the parts of a data set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from clr_tui.engine.errors import UserError

PartName = Literal["all", "train", "validation", "test"]
PARTS: tuple[PartName, ...] = ("train", "validation", "test")
"""In order of use; `all` is data that is not divided."""

_NAMES: dict[str, PartName] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev", "devel"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation", "holdout"), "test"),
}
"""The names that Hugging Face's datasets recognises, and a few more."""
_FILLERS = ("dataset", "data", "set", "images", "image", "imgs", "img", "seg", "split", "part")


def part_of(name: str) -> PartName | None:
    """The part that a folder's name means, as in `Training_Set`, `test2017` or `val-images`."""
    word = re.sub(r"[\W\d_]", "", name.lower())
    while word and word not in _NAMES:
        shorter = word
        for filler in _FILLERS:
            shorter = shorter.removesuffix(filler).removeprefix(filler)
        if shorter == word:
            return None
        word = shorter
    return _NAMES.get(word)


def parts_among(folders: Mapping[str, Path]) -> dict[PartName, Path]:
    """The folders that are named like parts.

    Raises:
        UserError: (field `data`) two are named like the same part.
    """
    found: dict[PartName, Path] = {}
    for name, folder in folders.items():
        part = part_of(name)
        if part is None:
            continue
        if part in found:
            raise UserError(
                f"'{folder.parent}' holds both '{found[part].name}' and '{name}', which are both"
                f" named like the {part} part: rename one of them",
                "data",
            )
        found[part] = folder
    return found
