"""A run is a directory in the runs folder.

    RUNS/<run id>/
      run.json         the settings (`config.RunConfig`), written once, atomically
      events.jsonl     append-only: everything that happened, in order
      commands.jsonl   append-only: every command sent to the run
      worker.lock      held by the living worker
      worker.log       the worker's stdout and stderr
      checkpoints/     atomic, newest kept

A directory without `run.json` is not a run.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.log.liveness import lives_without_lock
from clr_tui.engine.log.lock import is_held
from clr_tui.engine.log.writer import write_failed
from clr_tui.engine.regular import Stamp, make_private_folder, read_regular, stamp_of
from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig, decode_run, kind_of

_MAX_NAME_LENGTH = 24
_MAX_GIVEN_LENGTH = 40
"""Of a name that a user gave a run: what tells such names apart is often at their end."""
_MAX_CONFIG_BYTES = 16 << 20
"""Bytes of a `run.json`."""
_configs: dict[Path, tuple[Stamp | None, RunConfig]] = {}
"""`run.json` never changes, and lists of runs read it at every refresh."""


class _Inside:
    """A file or folder in a run's directory, as a path."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, run: RunDir, _owner: type[RunDir]) -> Path:
        return run.path / self._name


@dataclass(frozen=True)
class RunDir:
    """The files of one run; the first lines of this module say what is in each."""

    path: Path
    config_path = _Inside("run.json")
    events_path = _Inside("events.jsonl")
    commands_path = _Inside("commands.jsonl")
    lock_path = _Inside("worker.lock")
    log_path = _Inside("worker.log")
    checkpoints = _Inside("checkpoints")

    @property
    def id(self) -> str:
        """The directory's name, as people type it."""
        return self.path.name

    @property
    def alive(self) -> bool:
        """Whether the run has a living worker, here or on another host: see `liveness`."""
        return is_held(self.lock_path) or lives_without_lock(self.path, time.time())

    def config(self) -> RunConfig:
        """The run's settings; raises UserError if `run.json` is missing or cannot be read."""
        try:
            stamp = stamp_of(self.config_path)
            cached = _configs.get(self.config_path)
            if stamp is None or cached is None or cached[0] != stamp:
                config = decode_run(read_regular(self.config_path, _MAX_CONFIG_BYTES))
                cached = _configs[self.config_path] = (stamp, config)
        except OSError as error:
            raise UserError(f"'{self.path}' has no readable run.json: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UserError(f"'{self.config_path}' is damaged: {error}") from error
        return cached[1]


def short_task_name(task: TaskConfig) -> str:
    """A short name of the task's data for ids and lists: "digits", "flowers"."""
    return _short(task.data_name.lower(), _MAX_NAME_LENGTH) or "images"


def _short(name: str, length: int) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-._")[:length].strip("-._")


def _prefix(task: TaskConfig, job: Job) -> str:
    """What the id of a run begins with: the name that it was given, else its kind and its task."""
    name: str | None = getattr(job, "name", None)
    if name is None:
        return f"{kind_of(job)}-{short_task_name(task)}"
    return _short(name, _MAX_GIVEN_LENGTH) or kind_of(job)


def create_run(
    runs: Path,
    *,
    task: TaskConfig,
    job: Job,
    parent: str | None = None,
    version: str,
    folder: str = "",
) -> RunDir:
    """Creates a new run's directory under `runs`, which is created too if missing.

    The id is "<kind>-<task>-<n>", or "<name>-<n>" if the run was given a name; n is one above the
    largest in use. Processes that create runs at the same time get different ids.

    Raises:
        UserError: the runs folder cannot be written, or its disk is full.
    """
    runs = Path(os.path.abspath(runs))
    try:
        run = _make_directory(runs, f"{_prefix(task, job)}-")
    except OSError as error:
        raise UserError(write_failed(runs, error), "runs_dir") from error
    config = RunConfig(
        id=run.id,
        created=time.time(),
        version=version,
        task=task,
        job=job,
        parent=parent,
        folder=folder,
    )
    try:
        text = msgspec.json.format(msgspec.json.encode(config), indent=2)
        with replacing(run.config_path) as file:
            file.write(text + b"\n")
    except UnicodeEncodeError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        field = "task" if task.task else "data"
        path = os.fsencode(getattr(task, field)).decode("utf-8", "replace")
        raise UserError(f"the path '{path}' is not UTF-8: rename or link it", field) from error
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        raise UserError(write_failed(runs, error), "runs_dir") from error
    return run


def _make_directory(runs: Path, prefix: str) -> RunDir:
    make_private_folder(runs)
    used = re.compile(re.escape(prefix) + r"([0-9]{1,9})\Z")
    numbers = [int(match[1]) for name in os.listdir(runs) if (match := used.match(name))]
    number = max(numbers, default=0) + 1
    while True:
        path = runs / f"{prefix}{number}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:  # another process took it
            number += 1
        else:
            return RunDir(path)


def list_runs(runs: Path) -> list[RunDir]:
    """All runs, newest first, none if `runs` is missing; raises UserError if it is unreadable."""
    runs = Path(os.path.abspath(runs))
    try:
        names = os.listdir(runs)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(
            f"the runs folder '{runs}' cannot be read ({error.strerror}): choose another",
            "runs_dir",
        ) from error
    aged = [(age, name) for name in names if (age := _created(RunDir(runs / name))) is not None]
    aged.sort(key=lambda item: (item[0], _natural_key(item[1])), reverse=True)
    return [RunDir(runs / name) for _, name in aged]


def _created(run: RunDir) -> float | None:
    """When the run was created, Unix seconds; None if it is not a run."""
    try:
        return run.config().created
    except UserError:
        # A run whose run.json is damaged is still shown, and can be removed.
        try:
            return os.stat(run.config_path).st_mtime
        except OSError:
            return None


def _natural_key(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (name, 0)


def find_run(runs: Path, name: str | None) -> RunDir:
    """Finds the run called `name`.

    Args:
        runs: the runs folder.
        name: an id, a unique prefix of one, or the path of a run's directory; None for the newest
            living run, or the newest of all if none is alive.

    Raises:
        UserError: there is no such run, or several match.
    """
    found = list_runs(runs)
    if name is None:
        if not found:
            raise UserError(f"no runs in '{runs}' yet: `clr-tui range-test` starts one")
        return next((run for run in found if run.alive), found[0])
    for run in found:
        if run.id == name:
            return run
    path = Path(os.path.abspath(os.path.expanduser(name)))
    if name and os.path.isfile(RunDir(path).config_path):
        return RunDir(path)
    matches = sorted(
        (run.id for run in found if name and run.id.startswith(name)), key=_natural_key
    )
    if len(matches) == 1:
        return RunDir(Path(os.path.abspath(runs)) / matches[0])
    if matches:
        more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
        shown = ", ".join(matches[:5]) + more
        raise UserError(f"'{name}' could be any of {shown}: type more of the name")
    if not found:
        raise UserError(f"no run '{name}': there are no runs in '{runs}' yet")
    near = did_you_mean(name, [run.id for run in found]) or f"; the newest is '{found[0].id}'"
    raise UserError(f"no run '{name}' in '{runs}'{near}")
