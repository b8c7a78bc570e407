"""Reads and writes the curves of a comparison as CSV: loss and metrics by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.csv_cells import Cell, original, to_csv
from clr_tui.engine.analysis.recordings.csv_table import Table, number, open_csv
from clr_tui.engine.analysis.recordings.curve_run import CurveRow, CurveTrial, run_of_curves
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY, LOSS, known_by_name
from clr_tui.engine.settings.config import RunConfig

WHOSE = ("optimizer", "seed", "epoch")
_TRAIN, _VALIDATION = "train_", "val_"
_SHORT = {ACCURACY.name: "acc"}
"""Names of metrics in a header, if different from their own."""
_MAX_EPOCHS = 10**9


def read_curves(path: Path) -> tuple[RunConfig, list[ev.AnyEvent]]:
    """Reads a CSV of curves as a finished comparison, entries in order of appearance.

    Columns, in any order and among others: `optimizer`, `seed`, `epoch` (from 1, increasing for
    each optimizer and seed) and a `val_<metric>` for each metric, such as `val_mae`; the first is
    the primary one. `train_<metric>`, `train_loss` and `val_loss` are optional. Accuracy is `acc`
    for short, and 0 to 1; `known_by_name` says how others are read. Empty values and those that
    are not finite are gaps. Seeds count as unpaired, since the file does not say what they mean.
    Steps are unknown: each epoch counts as one.

    Raises:
        UserError: names the line at fault.
    """
    with open_csv(path) as table:
        missing = [name for name in WHOSE if name not in table.header]
        if not any(name.startswith(_VALIDATION) for name in table.header):
            missing.append(_column_of(_VALIDATION, ACCURACY.name))
        if missing:
            raise UserError(
                f"'{path}' has no column '{missing[0]}': a comparison as CSV has "
                f"{', '.join(_header([ACCURACY.name]))}"
            )
        trials = _trials(path, table)
    if not trials:
        raise UserError(f"'{path}' has a header but no epochs")
    return run_of_curves(path.stem, path.stat().st_mtime, trials)


def _trials(path: Path, table: Table) -> list[CurveTrial]:
    at = {name: table.header.index(name) for name in WHOSE}
    train, validation = (_places(table.header, part) for part in (_TRAIN, _VALIDATION))
    trials: dict[tuple[str, int], CurveTrial] = {}
    entries: dict[str, int] = {}
    for line, cells in table.rows:
        try:
            label = original(cells[at["optimizer"]].strip())
            seed = int(cells[at["seed"]])
            epoch = int(cells[at["epoch"]])
            row = CurveRow(epoch, _values(cells, train), _values(cells, validation))
        except (ValueError, IndexError):
            raise UserError(
                f"line {line} of '{path}' is not an optimizer's name, then seed, epoch and curves "
                f"in numbers: {','.join(cells)[:60]!r}"
            ) from None
        entry = entries.setdefault(label, len(entries))
        trial = trials.setdefault((label, seed), CurveTrial(entry, label, seed))
        _check(path, line, trial, row)
        trial.rows.append(row)
    return list(trials.values())


def _places(header: Sequence[str], part: str) -> dict[str, int]:
    full = {short: name for name, short in _SHORT.items()}
    names = [name.removeprefix(part) if name.startswith(part) else "" for name in header]
    return {full.get(name, name): place for place, name in enumerate(names) if name}


def _values(cells: list[str], places: dict[str, int]) -> dict[str, float | None]:
    return {name: number(cells[place]) for name, place in places.items()}


def _check(path: Path, line: int, trial: CurveTrial, row: CurveRow) -> None:
    where = f"line {line} of '{path}'"
    if not trial.label:
        raise UserError(f"{where} has no optimizer")
    if not 1 <= row.epoch <= _MAX_EPOCHS:
        raise UserError(f"{where} has the epoch {row.epoch}: epochs count from 1")
    if trial.rows and row.epoch <= trial.rows[-1].epoch:
        whose = f"{trial.label}, seed {trial.seed}"
        if any(row.epoch == other.epoch for other in trial.rows):
            raise UserError(f"{where} repeats epoch {row.epoch} of {whose}")
        after = trial.rows[-1].epoch
        raise UserError(
            f"{where} has epoch {row.epoch} of {whose} after {after}: epochs must increase"
        )
    for name, value in (*row.train.items(), *row.validation.items()):
        share = known_by_name(name).unit == "share"
        if share and value is not None and not 0 <= value <= 1:
            raise UserError(f"{where} has the {name} {value:g}: it must be between 0 and 1")


def curves_csv(history: RunHistory) -> str:
    """Writes one row per epoch of each trial, entry by entry, seed by seed.

    Values are written in full; what was not measured is an empty field. `read_curves` reads it.
    """
    names = [metric.name for metric in history.metrics]
    return to_csv(_header(names), _rows(history, names))


def _header(names: Sequence[str]) -> list[str]:
    """The primary metric and the loss of both parts, then the other metrics."""
    return [*WHOSE, *(_column_of(part, name) for part, name in _curves(names))]


def _curves(names: Sequence[str]) -> list[tuple[str, str]]:
    """The curves as (prefix of the part, name), in the order of their columns."""
    first, rest = [*names[:1], LOSS.name], names[1:]
    return [
        (part, name) for group in (first, rest) for part in (_TRAIN, _VALIDATION) for name in group
    ]


def _column_of(part: str, name: str) -> str:
    return part + _SHORT.get(name, name)


def _rows(history: RunHistory, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    for entry in entry_curves(history):
        for t in entry.trials:
            columns = [
                t.values(name, "train" if part == _TRAIN else "validation").tolist()
                for part, name in _curves(names)
            ]
            for epoch, *values in zip(t.epoch.tolist(), *columns, strict=True):
                yield entry.label, t.seed, epoch, *map(finite_or_none, values)
