"""Opens recordings: a run's folder, a bare log, a CSV, or the log of another tool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import entry_labels
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.opening import UnknownFormatError, open_logs
from clr_tui.engine.analysis.recordings.csv_table import open_csv
from clr_tui.engine.analysis.recordings.curve_run import label_only_entry
from clr_tui.engine.analysis.recordings.curves_csv import read_curves
from clr_tui.engine.analysis.recordings.foreign_recording import (
    as_comparison,
    as_range_test,
    read_foreign,
)
from clr_tui.engine.analysis.recordings.recorded import Recording, recording_of
from clr_tui.engine.analysis.recordings.steps_csv import TRIAL_COLUMNS
from clr_tui.engine.analysis.recordings.sweep_csv import columns_of_sweep, read_csv
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.events import (
    AnyEvent,
    BoundsChanged,
    EpochFinished,
    RunStarted,
    Steps,
    TrialStarted,
)
from clr_tui.engine.log.packed_log import read_packed
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import LogTail
from clr_tui.engine.regular import open_text
from clr_tui.engine.settings.config import (
    Compare,
    Job,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.engine.words import many

_HEAD_BYTES = 1 << 20
"""Bytes in which a log whose first line is damaged has an event."""
OWN_FORMATS = (
    "the folder or events.jsonl of a clr-tui run, and a CSV with the columns step, lr, loss (a "
    "range test) or optimizer, seed, epoch, val_acc (a comparison)"
)


def open_recording(path: Path, mapping: Mapping = NO_MAPPING, kind: str = "") -> Recording:
    """Opens a run's folder, its `events.jsonl`, a CSV, or the log of another tool.

    A CSV has a header line. A range test has the columns `lr` and `loss`, see `read_csv`; a
    comparison has a column `optimizer`, see `read_curves`; any other is a log like those of the
    formats in `FORMATS`. In any format, a log whose learning rate rises exponentially is a range
    test (`range_test_of`), and several runs of several groups are a comparison (`comparison_of`).

    Args:
        path: the file or folder.
        mapping: which columns to read; see `range_test_of`.
        kind: what to take it for; empty for the first of these that fits.

    Raises:
        UserError: `path` is none of these, is not of that kind, holds several runs, or cannot be
            read.
    """
    kinds: list[str] = []
    for found in _readings(path, mapping):
        if kind in ("", found.config.kind):
            return found
        kinds.append(found.config.kind)
    fitting = " or ".join(f"--as {one}" for one in kinds)
    raise UserError(f"'{path}' does not fit --as {kind}: give {fitting}, or leave it out")


def open_recordings(path: Path, mapping: Mapping = NO_MAPPING) -> Iterator[Recording]:
    """Opens each run in what `open_recording` opens, one after another."""
    found = _open_own(path, mapping)
    if found is not None:
        yield found
        return
    for log in _foreign_logs(path, mapping):
        recording = read_foreign(log)
        yield as_range_test(recording, mapping) or recording


def _readings(path: Path, mapping: Mapping) -> Iterator[Recording]:
    """What it can be read as, the best first."""
    own = _open_own(path, mapping)
    if own is not None:
        yield own
        if own.config.version:  # a run of ours
            return
    logs = _foreign_logs(path, mapping)
    if len(logs) == 1:
        recording = read_foreign(logs[0])
        if (sweep := as_range_test(recording, mapping)) is not None:
            yield sweep
        yield recording
    elif (comparison := as_comparison(logs, path)) is not None:
        yield comparison
    else:
        names = ", ".join(f"'{log.path}'" for log in logs[:5])
        raise UserError(
            f"'{path}' holds {many(len(logs), 'run')}: name one of {names}, or see them together "
            "with clr-tui watch"
        )


def _open_own(path: Path, mapping: Mapping) -> Recording | None:
    """Opens what clr-tui writes, or a CSV that is a range test or a comparison."""
    if not os.path.exists(path):  # Path.exists() raises where a name is too long
        raise UserError(f"there is no '{path}'{_nearest(path)}")
    if os.path.isdir(path):
        return _open_run(path)
    if (path.parent / "run.json").is_file() and path.name == "events.jsonl":
        return _open_run(path.parent)
    if _first_line(path).lstrip().startswith("{") or _holds_events(path):
        return _open_log(path)
    made = _read_own_csv(path) if mapping == NO_MAPPING else None
    return None if made is None else recording_of(*made, path)


def _foreign_logs(path: Path, mapping: Mapping) -> list[ForeignLog]:
    try:
        return open_logs([path], mapping)
    except UnknownFormatError as error:
        raise UserError(f"{error.message}, {OWN_FORMATS}") from None


def _read_own_csv(path: Path) -> tuple[RunConfig, list[AnyEvent]] | None:
    """Reads a CSV of a range test or a comparison; None if it is another one.

    One of a range test has its columns and no others, except those that `steps_csv` writes.
    """
    try:
        with open_csv(path) as table:
            names = set(table.header)
    except UserError:
        return None
    sweep = columns_of_sweep(table.header)
    if not sweep.keys() >= {"lr", "loss"}:
        return read_curves(path) if "optimizer" in names else None
    others = names - {table.header[place] for place in sweep.values()}
    if not others:
        return read_csv(path)
    if "trial" in sweep or others <= {*TRIAL_COLUMNS}:
        with suppress(UserError):  # it may be of a training
            return read_csv(path)
    return None


def _open_run(path: Path) -> Recording | None:
    run = RunDir(path)
    if not run.config_path.is_file():
        return _open_log(run.events_path) if run.events_path.is_file() else None
    batch = read_packed(run.events_path)
    return Recording(run.config(), batch.events, batch, path)


def _open_log(path: Path) -> Recording | None:
    batch = read_packed(path)
    if not batch.events:
        return None
    return Recording(_config_of(batch.events, path), batch.events, batch, path)


def _config_of(events: list[AnyEvent], path: Path) -> RunConfig:
    """The configuration as far as a log without its run.json shows it."""
    started = next((e for e in events if isinstance(e, RunStarted)), None)
    kind = started.kind if started else _likely_kind(events)
    if kind not in JOB_KINDS:
        raise UserError(f"'{path}' is the log of a {kind} run, which this clr-tui does not know")
    job: Job = named(JOB_KINDS[kind].job_of_log)(events)
    return RunConfig(
        id=started.run if started else path.stem,
        created=events[0].time,
        version=started.version if started else "",
        # A log has the name of its task, not its settings.
        task=TaskConfig(data="", model="", seed=min(_seeds(events), default=0)),
        job=job,
    )


def _likely_kind(events: list[AnyEvent]) -> str:
    """The kind of a log whose first line was lost."""
    if any(isinstance(e, TrialStarted) and e.entry is not None for e in events):
        return "compare"
    return "train" if any(isinstance(e, BoundsChanged) for e in events) else "range-test"


def range_test_in(events: list[AnyEvent]) -> RangeTest:
    """The range test of a log: its range is the rates swept."""
    low, high = _lowest_and_highest(events)
    return RangeTest(start_lr=low, end_lr=high)


def training_in(events: list[AnyEvent]) -> Train:
    """The training of a log, with its first bounds; its policy is unknown."""
    bounds = next((e for e in events if isinstance(e, BoundsChanged)), None)
    base_lr, max_lr = (bounds.base_lr, bounds.max_lr) if bounds else _lowest_and_highest(events)
    return Train(base_lr=base_lr, max_lr=max_lr)


def _lowest_and_highest(events: list[AnyEvent]) -> tuple[float, float]:
    """The lowest and highest learning rate of all steps, or usual ones if there are none."""
    rates = [np.asarray(e.lr) for e in events if isinstance(e, Steps) and len(e.lr)]
    if not rates:
        return 1e-7, 1.0
    whole = np.concatenate(rates)
    return float(whole.min()), float(whole.max())


def comparison_in(events: list[AnyEvent]) -> Compare:
    """The comparison of a log; its policies and cycles are unknown."""
    trial_starts = [e for e in events if isinstance(e, TrialStarted)]
    trainings = [e for e in trial_starts if e.role == "train" and e.steps_per_epoch > 0]
    planned = [e.total_steps // e.steps_per_epoch for e in trainings]
    done = [e.epoch for e in events if isinstance(e, EpochFinished)]
    return Compare(
        entries=[label_only_entry(label) for label in entry_labels(trial_starts)],
        seeds=len(_seeds(events)),
        epochs=max(planned or done, default=0),
        whole_cycles=False,
    )


def logged_run_in(_events: list[AnyEvent]) -> LoggedRun:
    """The run of a user's own loop, whose log does not hold its settings."""
    return LoggedRun()


def _seeds(events: list[AnyEvent]) -> set[int]:
    return {e.seed for e in events if isinstance(e, TrialStarted) and e.role == "train"}


def _holds_events(path: Path) -> bool:
    """Whether one of the first lines is an event, even if those before it are damaged."""
    return bool(LogTail(path).poll(_HEAD_BYTES).events)


def _first_line(path: Path) -> str:
    try:
        with open_text(path) as file:
            return file.readline(4096)
    except UnicodeError:
        return ""
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None


def _nearest(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()]
    except OSError:
        return ""
    return did_you_mean(path.name, names)
