"""Opens recordings: a run's folder, a bare log, a CSV, or the log of another tool."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import entry_labels
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.opening import UnknownFormatError, config_of, open_logs
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.csv_table import open_csv
from clr_tui.engine.analysis.recordings.curve_run import label_only_entry
from clr_tui.engine.analysis.recordings.curves_csv import read_curves
from clr_tui.engine.analysis.recordings.logged_comparison import (
    LoggedValues,
    comparison_of,
    group_and_seed,
)
from clr_tui.engine.analysis.recordings.logged_sweep import range_test_of
from clr_tui.engine.analysis.recordings.replay_times import in_time
from clr_tui.engine.analysis.recordings.steps_csv import TRIAL_COLUMNS
from clr_tui.engine.analysis.recordings.sweep_csv import columns_of_sweep, read_csv
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.events import (
    AnyEvent,
    BoundsChanged,
    EpochFinished,
    Note,
    RunFinished,
    RunStarted,
    Steps,
    TrialStarted,
)
from clr_tui.engine.log.packed_log import read_packed
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import open_text, stamp_of
from clr_tui.engine.settings.config import (
    MAX_TRIALS,
    Compare,
    Job,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.engine.words import many

OWN_FORMATS = (
    "the folder or events.jsonl of a clr-tui run, and a CSV with the columns step, lr, loss (a "
    "range test) or optimizer, seed, epoch, val_acc (a comparison)"
)


@dataclass(frozen=True)
class Recording:
    """The whole log of a run, in memory."""

    config: RunConfig
    events: list[AnyEvent]
    batch: Batch
    """The same events with the reader's counts, to feed to a `RunHistory`."""
    path: Path


def open_recording(path: Path, mapping: Mapping = NO_MAPPING) -> Recording:
    """Opens a run's folder, its `events.jsonl`, a CSV, or the log of another tool.

    A CSV has a header line. A range test has the columns `lr` and `loss`, see `read_csv`; a
    comparison has a column `optimizer`, see `read_curves`; any other is a log like those of the
    formats in `FORMATS`. In any format, a log whose learning rate rises exponentially is a range
    test (`range_test_of`), and several runs of several groups are a comparison (`comparison_of`).

    Args:
        path: the file or folder.
        mapping: which columns to read; see `range_test_of`.

    Raises:
        UserError: `path` is none of these, holds several runs, or cannot be read.
    """
    if not os.path.exists(path):  # Path.exists() raises where a name is too long
        raise UserError(f"there is no '{path}'{_nearest(path)}")
    found = _open_own(path, mapping)
    return _open_foreign(path, mapping) if found is None else found


def _open_own(path: Path, mapping: Mapping) -> Recording | None:
    """Opens what clr-tui writes, or a CSV that is a range test or a comparison."""
    if os.path.isdir(path):
        return _open_run(path)
    if (path.parent / "run.json").is_file() and path.name == "events.jsonl":
        return _open_run(path.parent)
    if _first_line(path).lstrip().startswith("{"):
        return _open_log(path)
    made = _read_own_csv(path) if mapping == NO_MAPPING else None
    return None if made is None else _recording(*made, path)


def _recording(config: RunConfig, unnumbered: Sequence[AnyEvent], path: Path) -> Recording:
    events = [msgspec.structs.replace(e, seq=seq) for seq, e in enumerate(unnumbered)]
    return Recording(config, events, Batch(events=events), path)


def _open_foreign(path: Path, mapping: Mapping) -> Recording:
    try:
        logs = open_logs([path], mapping)
    except UnknownFormatError as error:
        raise UserError(f"{error.message}, {OWN_FORMATS}") from None
    if len(logs) == 1:
        return _one_foreign(logs[0], mapping)
    found = _comparison(logs, path)
    if found is None:
        names = ", ".join(f"'{log.path}'" for log in logs[:5])
        raise UserError(
            f"'{path}' holds {many(len(logs), 'run')}: name one of {names}, or see them together "
            f"with clr-tui watch"
        )
    return found


def _one_foreign(log: ForeignLog, mapping: Mapping) -> Recording:
    """The recording of a log, as a range test if it is one."""
    recording = read_foreign(log)
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    if not history.logged.names:
        raise UserError(f"'{log.path}' holds no values yet")
    made = range_test_of(history.logged, log.name, _written(log.path), mapping)
    if made is None:
        return recording
    config, events = made
    notes = [event for event in recording.events if isinstance(event, Note)]
    found = _recording(config, [events[0], *notes, *events[1:]], log.path)
    found.batch.corrupt = recording.batch.corrupt
    return found


def _comparison(logs: Sequence[ForeignLog], path: Path) -> Recording | None:
    """Several runs as a comparison, if they are one by their names."""
    names = [group_and_seed(log.name) for log in logs]
    if len(logs) > MAX_TRIALS or any(seed is None for _, seed in names):
        return None
    runs = []
    for log in logs:
        recording = read_foreign(log)
        history = RunHistory(recording.config)
        history.feed(recording.batch)
        runs.append(LoggedValues(log.name, history.logged))
    made = comparison_of(runs, run_name(path), _written(path))
    return None if made is None else _recording(*made, path)


def read_foreign(log: ForeignLog) -> Recording:
    """Reads the log of another tool up to its present end, to be replayed in its own time.

    It counts as done, since nothing more will come of what was read, unless its format says how the
    run ended.
    """
    whole = Batch()
    while True:
        batch = log.poll()
        if batch.reset:
            whole = Batch()
        whole.events += batch.events
        whole.corrupt += batch.corrupt
        if not batch.more:
            break
    events = in_time(whole.events)
    if not any(isinstance(event, RunFinished) for event in events):
        last = events[-1].time if events else 0.0
        events.append(RunFinished(time=last, outcome="done"))
    whole.events = [msgspec.structs.replace(e, seq=seq) for seq, e in enumerate(events)]
    return Recording(config_of(log), whole.events, whole, log.path)


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


def _written(path: Path) -> float:
    """When a file was last written, Unix time in seconds."""
    stamp = stamp_of(path)
    return 0.0 if stamp is None else stamp[2] / 1e9
