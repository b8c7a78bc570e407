"""Ranks the entries of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clr_tui.engine.analysis.comparison.comparison_results import EntryReport
from clr_tui.engine.analysis.comparison.pairs import Pair
from clr_tui.engine.metrics import Metric

_Beats = set[tuple[str, str]]
"""Labels of distinguishable entries: (better, worse)."""


def comparable(entries: Sequence[EntryReport], metric: Metric) -> list[EntryReport]:
    """The entries with no pending trial: best mean first, those that diverged last."""
    over = [
        (entry.diverged > 0, -metric.sign * mean, entry.entry, entry)
        for entry in entries
        for mean in [entry.result.mean]
        if mean is not None and not entry.pending
    ]
    return [entry for *_, entry in sorted(over, key=lambda item: item[:3])]


def ranked(
    entries: Sequence[EntryReport], pairs: Sequence[Pair], metric: Metric
) -> list[EntryReport]:
    """Ranks the comparable entries; then come pending entries, then those without a result."""
    beats = {(p.better, p.b if p.better == p.a else p.a) for p in pairs if p.better is not None}
    first = _with_ranks(_in_order(comparable(entries, metric), beats), beats)
    known = {entry.entry for entry in first}
    rest = [entry for entry in entries if entry.entry not in known]
    ended = [e for e in rest if all(t.state in ("failed", "stopped") for t in e.trials)]
    return first + [entry for entry in rest if entry not in ended] + ended


def _in_order(entries: Sequence[EntryReport], beats: _Beats) -> list[EntryReport]:
    """Keeps the order, but moves each entry before those that it beats.

    These have worse means unless trials are missing: one entry may be better on the seeds that two
    have in common, the other have the better mean over its own.
    """
    order: list[EntryReport] = []
    for entry in entries:
        beaten = [
            place
            for place, other in enumerate(order)
            if (entry.label, other.label) in beats and bool(entry.diverged) == bool(other.diverged)
        ]
        order.insert(min(beaten, default=len(order)), entry)
    return order


def _with_ranks(order: Sequence[EntryReport], beats: _Beats) -> list[EntryReport]:
    sound = sum(not entry.diverged for entry in order)
    ranked_entries: list[EntryReport] = []
    least = 1
    for entry in order:
        rank = 1 + sum((other.label, entry.label) in beats for other in ranked_entries)
        least = max(least, rank, sound + 1 if entry.diverged else 1)
        ranked_entries.append(replace(entry, rank=least))
    return ranked_entries
