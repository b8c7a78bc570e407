"""The ranking table of a comparison, for the screen, as plain text, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len

from clr_tui.engine.analysis.comparison.comparison_results import (
    CompareReport,
    EntryReport,
    TrialReport,
)
from clr_tui.engine.metrics import Metric
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.fitting import padded, truncate
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.ranking_columns import RankingColumn, columns_of
from clr_tui.tui.text import figures
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line, Piece
from clr_tui.tui.text.markdown import escaped, paragraph, table
from clr_tui.tui.text.names import SYMBOLS
from clr_tui.tui.text.page import Table

_BRACKETS = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
HIDDEN = "◌"
"""The glyph of an entry whose curve is not shown."""
_GAP = 2
_MARGIN_WIDTH = 5
"""Cells before a label: the rank, a space, the glyph, a space."""
_MIN_LABEL_WIDTH = 16
"""Minimum cells of the label: "  seed 10 waiting" fits."""


@dataclass(frozen=True)
class RankRow:
    """The row of an entry, or of one of its trials."""

    entry: int
    trial: int | None
    """None in the row of the entry itself."""
    line: Line


def ranking(
    report: CompareReport,
    width: int,
    *,
    hidden: frozenset[int] = frozenset(),
    expanded: frozenset[int] = frozenset(),
    styles: Mapping[int, int] | None = None,
) -> tuple[Line, list[RankRow]]:
    """The heading and the rows, at most `width` cells each, best entry first.

    Args:
        width: if it is too small for all columns, some are left out: see `columns_of`.
        hidden: entries whose curves are not shown; their rows are muted.
        expanded: entries that are followed by the rows of their trials.
        styles: the number by which an entry has its colour and glyph, if not its own.
    """
    table = _Table.of(report, width, styles or {})
    rows = []
    for entry in report.entries:
        line = table.entry_line(entry, hidden=entry.entry in hidden)
        rows.append(RankRow(entry.entry, None, line))
        if entry.entry in expanded:
            rows += [
                RankRow(entry.entry, trial.trial, table.trial_line(entry, n))
                for n, trial in enumerate(entry.trials)
            ]
    return table.heading(), rows


@dataclass(frozen=True)
class _Table:
    report: CompareReport
    width: int
    label: int
    """Cells of the first column."""
    columns: list[tuple[RankingColumn, int]]
    styles: Mapping[int, int]

    @classmethod
    def of(cls, report: CompareReport, width: int, styles: Mapping[int, int]) -> _Table:
        names = [plain(entry.label) for entry in report.entries]
        longest = max(map(cell_len, names), default=0)
        label = min(max(longest, _MIN_LABEL_WIDTH), max(_MIN_LABEL_WIDTH, (width - 8) // 4))
        sized = [(column, column.width(report)) for column in columns_of(report)]
        room = width - _MARGIN_WIDTH - label
        kept: list[RankingColumn] = []
        for column, size in sorted(sized, key=lambda item: item[0].importance):
            if room < _GAP + size:
                break
            room -= _GAP + size
            kept.append(column)
        # The labels get the cells that the columns leave, if they need them.
        label += max(room, 0)
        label = max([_MIN_LABEL_WIDTH, *(cell_len(short_label(name, label)) for name in names)])
        return cls(report, width, label, [item for item in sized if item[0] in kept], styles)

    def heading(self) -> Line:
        cells = self._cells([column.heading for column, _ in self.columns])
        names = [
            " " * _MARGIN_WIDTH + padded("optimizer", self.label),
            *(text for text, _ in cells),
        ]
        return _cut([(name, "muted") for name in names], self.width)

    def entry_line(self, entry: EntryReport, *, hidden: bool) -> Line:
        """One optimizer: its results, or its progress, or why there are none."""
        broken = _broken(entry)
        failed = broken is not None and broken.state == "failed"
        rank = "" if entry.rank is None else str(entry.rank)
        style = self.styles.get(entry.entry, entry.entry)
        glyph = HIDDEN if hidden else glyph_of(style)
        pieces: list[Piece] = [
            ((SYMBOLS["failed"] if failed else rank).rjust(2), "diverged" if failed else "muted"),
            (f" {glyph} ", role_of(style)),
            (padded(short_label(plain(entry.label), self.label), self.label), "text"),
        ]
        state = _state(entry, self.report)
        texts = [column.of_entry(entry) for column, _ in self.columns]
        pieces += self._cells(texts, early=bool(state))
        if state:
            pieces.append((" " * _GAP + state, "diverged" if failed else "muted"))
        if hidden:
            pieces = [(text, "muted") for text, _ in pieces]
        return _cut(pieces, self.width)

    def trial_line(self, entry: EntryReport, n: int) -> Line:
        """One trial, muted; a failed or stopped one with its reason in place of results."""
        trial = entry.trials[n]
        role: Role = "diverged" if trial.state == "failed" else "muted"
        paused = trial.state == "running" and self.report.status == "paused"
        name = f"  seed {trial.seed} {'paused' if paused else trial.state}"
        pieces: list[Piece] = [(" " * _MARGIN_WIDTH + padded(name, self.label), role)]
        texts = [column.of_trial(entry, n) for column, _ in self.columns]
        pieces += [(text, "muted") for text, _ in self._cells(texts, early=trial.state != "done")]
        if trial.state != "done":
            pieces.append((" " * _GAP + _reason(trial), role))
        return _cut(pieces, self.width)

    def _cells(self, texts: list[str], *, early: bool = False) -> list[Piece]:
        """The cells in their columns: only the `early` ones, or all."""
        return [
            (" " * _GAP + padded(text, size, right=column.right), column.role)
            for text, (column, size) in zip(texts, self.columns, strict=True)
            if column.early or not early
        ]


def short_label(label: str, size: int) -> str:
    """`label` in at most `size` cells, without the text in its brackets if it does not fit.

    The last brackets are emptied first; the policy stays readable: `adamw(…)+one-cycle`.
    """
    for found in reversed(list(_BRACKETS.finditer(label))):
        if cell_len(label) > size:
            label = f"{label[: found.start()]}(…){label[found.end() :]}"
    return truncate(label, size)


def _cut(pieces: list[Piece], width: int) -> Line:
    """At most `width` cells, without trailing spaces; an ellipsis marks lost text."""
    line: list[Piece] = []
    for text, role in pieces:
        room = width - sum(cell_len(kept) for kept, _ in line)
        line.append((truncate(text, room), role))
        if cell_len(text) > room:
            break
    while line and not line[-1][0].rstrip():
        line.pop()
    if line:
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
    return tuple(line)


def _broken(entry: EntryReport) -> TrialReport | None:
    """A trial that explains why the entry has no result: a failed one before a stopped one."""
    if any(trial.state in ("done", "running", "waiting") for trial in entry.trials):
        return None
    ended = [trial for trial in entry.trials if trial.state in ("failed", "stopped")]
    return min(ended, key=lambda trial: trial.state, default=None)


def _state(entry: EntryReport, report: CompareReport) -> str:
    """What is shown in place of results; empty if there is a result."""
    running = [trial for trial in entry.trials if trial.state == "running"]
    broken = _broken(entry)
    if running:
        return f"{_progress(running, report)}{_so_far(entry, report.metric)}"
    if any(trial.state == "waiting" for trial in entry.trials):
        return f"waiting{_so_far(entry, report.metric)}"
    if broken is None:
        return ""
    reason = _reason(broken)
    alone = any((trial.state, _reason(trial)) != (broken.state, reason) for trial in entry.trials)
    where = f" (seed {broken.seed})" if alone or len(entry.trials) == 1 else ""
    return f"{broken.state}{f': {reason}' if reason else ''}{where}"


def _progress(running: list[TrialReport], report: CompareReport) -> str:
    """The epoch that the running trials are in: "epoch 11 of 16"."""
    word = "paused, " if report.status == "paused" else ""
    total = max((trial.total_epochs or 0 for trial in running), default=0)
    at = sorted({min(trial.epochs + 1, total or trial.epochs + 1) for trial in running})
    epochs = f"epoch {at[0]}" if len(at) == 1 else f"epochs {at[0]} to {at[-1]}"
    return f"{word}{epochs}{f' of {total}' if total else ''}"


def _so_far(entry: EntryReport, metric: Metric) -> str:
    """Failed and stopped trials, and the mean of those done, which the seeds column counts."""
    words = []
    for state in ("failed", "stopped"):
        if count := sum(trial.state == state for trial in entry.trials):
            words.append(f"; {count} {state}")
    if entry.result.mean is not None:
        words.append(f"; so far {figures.bare(metric, entry.result.mean)}")
    return "".join(words)


def _reason(trial: TrialReport) -> str:
    return plain(trial.reason).strip().rstrip(".")


def ranking_text(report: CompareReport, width: int) -> list[str]:
    """The table as plain lines of at most `width` cells."""
    heading, rows = ranking(report, width)
    return ["".join(text for text, _ in line) for line in (heading, *(row.line for row in rows))]


def ranking_table(report: CompareReport) -> Table:
    """The table with all of its columns."""
    columns = columns_of(report)
    rows = []
    for entry in report.entries:
        state = _state(entry, report)
        cells = [
            "" if state and not column.early else column.of_entry(entry).strip()
            for column in columns
        ]
        if state:  # in the column of the result
            cells[next(i for i, column in enumerate(columns) if not column.importance)] = state
        rank = "" if entry.rank is None else str(entry.rank)
        rows.append((rank, glyph_of(entry.entry), plain(entry.label), *cells))
    heading = ("", "", "optimizer", *(column.heading for column in columns))
    right = {0, *(place for place, column in enumerate(columns, start=3) if column.right)}
    return Table("Ranking", heading, tuple(rows), frozenset(right))


def ranking_markdown(report: CompareReport) -> str:
    """The table as GitHub-flavoured Markdown, followed by the verdict and the remarks."""
    ranks = ranking_table(report)
    rows = ([escaped(cell) for cell in row] for row in ranks.rows)
    lines = table([escaped(name) for name in ranks.columns], rows, ranks.right)
    for words in verdict_and_remarks(report):
        lines += ["", paragraph(words)]
    return "\n".join(lines)


def verdict_and_remarks(report: CompareReport) -> list[str]:
    """The verdict, then the remarks: plain sentences."""
    return [plain(words) for words in (report.verdict, *report.remarks) if words]
