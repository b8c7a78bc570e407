"""Logs as CSV: Lightning's, Keras', fastai's, Ultralytics', timm's, and anybody's."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.csv_cell import has_value
from clr_tui.engine.analysis.foreign.csv_layout import is_keras, layout_of
from clr_tui.engine.analysis.foreign.csv_parser import CsvParser, cells_of
from clr_tui.engine.analysis.foreign.first_bytes import first_bytes
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.foreign.settings_files import SettingsFile
from clr_tui.engine.analysis.foreign.step_counter import STEP_NAMES
from clr_tui.engine.analysis.foreign.text_log import TextLog
from clr_tui.engine.analysis.recordings.csv_table import split_header
from clr_tui.engine.analysis.recordings.sweep_csv import columns_of_sweep
from clr_tui.engine.regular import WESTERN

_SUFFIXES = (".csv", ".tsv")
_HEAD_BYTES = 1 << 16
_ROWS = 20
"""Rows that show whether there are numbers."""


class _Dialect(NamedTuple):
    """What one tool writes."""

    title: str
    file: str
    """The usual name of its file; empty for any."""
    fits: Callable[[list[str]], bool]
    """Whether these are its columns."""
    settings: str = ""
    """The file beside it that holds the settings."""


def _has(*names: str) -> Callable[[list[str]], bool]:
    return lambda header: {*names} <= {*header}


def _is_ultralytics(header: list[str]) -> bool:
    return header[0] == "epoch" and any(name.startswith("train/") for name in header)


_DIALECTS = (
    _Dialect("Lightning CSV", "metrics.csv", _has("epoch", "step"), "hparams.yaml"),
    _Dialect("Ultralytics CSV", "results.csv", _is_ultralytics, "args.yaml"),
    _Dialect("timm CSV", "summary.csv", _has("epoch", "train_loss"), "args.yaml"),
    _Dialect("fastai CSV", "", _has("epoch", "train_loss", "valid_loss", "time")),
    _Dialect("Keras CSV", "", is_keras),
)


def open_csv_log(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """Opens a CSV, finished or still growing, as one run.

    Raises:
        UserError: it has a header without a column of the mapping.
    """
    header = _header(first_bytes(path, _HEAD_BYTES))
    dialect = _dialect(path, header[0]) if header else None
    settings = path.with_name(dialect.settings) if dialect and dialect.settings else None
    if header:
        layout_of(header[1], mapping)
    log = TextLog(
        path,
        run_name(path),
        dialect.title if dialect else "CSV",
        partial(CsvParser, mapping),
        SettingsFile(settings) if settings else None,
    )
    return [log]


def is_csv(path: Path, head: bytes) -> bool:
    """Whether a file that somebody named is a CSV with numbers, judged by its first bytes."""
    text = _decoded(head)
    if "\0" in text or text.lstrip().startswith(("{", "[")):
        return False
    header = _header(head)
    if header is None:  # it may still come
        return path.suffix.lower() in _SUFFIXES
    names, _, rows = header
    if not rows:
        return path.suffix.lower() in _SUFFIXES
    same_length = all(len(row) == len(names) for row in rows)
    if len(names) == 1 and path.suffix.lower() not in _SUFFIXES:
        return False
    return any(map(has_value, rows[-1])) and (same_length or path.suffix.lower() in _SUFFIXES)


def is_csv_of_a_training(path: Path, head: bytes) -> bool:
    """Whether a CSV that was found in a folder is the log of a training.

    Data sets are CSV files too: a log is of a known tool, or its first column counts, or it has
    learning rates and losses.
    """
    if path.suffix.lower() not in _SUFFIXES or not is_csv(path, head):
        return False
    header = _header(head)
    if header is None:
        return False
    names = header[0]
    sweep = columns_of_sweep([name.lower() for name in names])
    known = names[0].casefold() in STEP_NAMES or sweep.keys() >= {"lr", "loss"}
    return known or _dialect(path, names) is not None


def columns_of(head: bytes) -> list[str]:
    """The columns of a CSV, from its first bytes; empty if it is none."""
    header = _header(head)
    return header[0] if header else []


def _dialect(path: Path, names: list[str]) -> _Dialect | None:
    fitting = (d for d in _DIALECTS if d.file in ("", path.name) and d.fits(names))
    return next(fitting, None)


def _header(head: bytes) -> tuple[list[str], str, list[list[str]]] | None:
    """The columns, the line of the header, and the first rows; None if there is no header."""
    text = _decoded(head)
    split = split_header(text.encode()) if "\n" in text else None
    if split is None:
        return None
    line, below = split
    layout = layout_of(line, NO_MAPPING)
    whole = below.splitlines()[:-1] if not below.endswith("\n") else below.splitlines()
    lines = [row for row in whole if row.strip() and not row.lstrip().startswith("#")]
    if not layout.has_header:
        lines.insert(0, line)
    rows = [cells_of(row.encode(), layout.delimiter) for row in lines[:_ROWS]]
    return layout.names, line, rows


def _decoded(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    return head.removeprefix(codecs.BOM_UTF8).decode(errors=WESTERN)
