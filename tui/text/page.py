"""A result as a page of sentences, charts and tables, whatever it is written as."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.tui.charts.chart import Chart


@dataclass(frozen=True)
class Table:
    """A table; cells are plain text, which may come from anyone's log."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    """Columns that are aligned right."""
    verbatim: frozenset[int] = frozenset()
    """Columns with names and values as somebody wrote them."""


@dataclass(frozen=True)
class Page:
    """The result of a run."""

    title: str
    """The run."""
    what: str
    """Its kind, task, model and so on."""
    state: str
    """How it stands, such as "✓ done"."""
    conclusions: tuple[str, ...]
    """What it says, in sentences."""
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    background: tuple[Table, ...]
    """How it came about: settings, machine and versions, data, notes."""
