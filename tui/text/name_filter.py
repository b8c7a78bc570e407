"""The filter of charts and runs by name: words, `!words` that must be absent, `/patterns/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clr_tui.engine.errors import UserError

_TERM = re.compile(r"!?/(?:[^/\\]|\\.)+/(?!\S)|\S+")
_LONGEST = 400
"""Characters of a name that are searched."""


@dataclass(frozen=True)
class Term:
    """One condition on a name."""

    pattern: re.Pattern[str]
    absent: bool = False
    """Whether the name must not match."""

    def finds(self, name: str) -> bool:
        """Whether the pattern is in the name."""
        return self.pattern.search(name[:_LONGEST]) is not None


def read_filter(text: str) -> list[Term]:
    """Reads a filter such as `loss !val /^(adam|sgd)/`; case does not matter.

    Raises:
        UserError: a pattern is not a regular expression.
    """
    return [_read_term(term) for term in _TERM.findall(text)]


def _read_term(term: str) -> Term:
    absent = term.startswith("!") and len(term) > 1
    words = term[1:] if absent else term
    if not (len(words) > 2 and words[0] == words[-1] == "/"):
        return Term(re.compile(re.escape(words), re.IGNORECASE), absent)
    try:
        return Term(re.compile(words[1:-1], re.IGNORECASE), absent)
    except (re.error, OverflowError, RecursionError) as error:
        raise UserError(f"{words} is not a regular expression: {error}") from None


def filtered(
    terms: Sequence[Term], charts: Sequence[str], runs: Sequence[str]
) -> tuple[list[bool], list[bool]]:
    """Says which charts and which runs a filter keeps.

    A word that only runs have chooses among the runs, one that only charts have among the charts.
    """
    keep = [True] * len(charts), [True] * len(runs)
    for term in terms:
        found = [[term.finds(name) for name in names] for names in (charts, runs)]
        about = [any(hits) for hits in found]
        if not any(about) and not term.absent:
            about = [True, False]  # nothing has it, so that no chart is shown
        for flags, hits, concerned in zip(keep, found, about, strict=True):
            for place, hit in enumerate(hits if concerned else ()):
                flags[place] &= hit != term.absent
    return keep
