"""Finds the columns that a user named."""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.words import listed

_MAX_NAMED = 12


def same_name(name: str, names: Sequence[str]) -> str | None:
    """The one of `names` that a user means, whose case need not be right; None if none is."""
    wanted = name.strip().casefold()
    same = (other for other in names if other.casefold() == wanted)
    return name if name in names else next(same, None)


def place_of(name: str, names: Sequence[str]) -> int:
    """The place of a column that a user named; raises UserError if there is none."""
    same = same_name(name, names)
    if same is not None:
        return names.index(same)
    there = listed([repr(other) for other in names[:_MAX_NAMED]]) if names else "none"
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    raise UserError(
        f"the log has no column '{name}': it has {there}{more}{did_you_mean(name, names)}"
    )


def check_mapping(mapping: Mapping, names: Sequence[str]) -> None:
    """Raises UserError if a column of the mapping is not among these names."""
    for name in (mapping.x, *mapping.y):
        if name:
            place_of(name, names)
