"""The settings of a run: the content of `run.json`.

    {"id": ..., "created": ..., "version": ..., "schema": 2, "task": {...},
     "job": {"kind": "range-test" or "train" or "compare", ...}, ...}

`run.json` is written once, atomically, before the worker starts, and never changes. Unknown
fields are ignored on reading, so that an older reader can open a newer run.
"""

from __future__ import annotations

from typing import Any, TypeVar, Union

import msgspec

from clr_tui.engine.settings.compare_config import (
    AROUND,
    ARTICLE,
    GRID,
    MAX_TRIALS,
    RATE_WORDS,
    Compare,
    EntryConfig,
)
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.engine.settings.optimizer_config import OptimizerConfig, Option
from clr_tui.engine.settings.policy_settings import DECAY, FACTOR, GAMMA, POLICIES, WARMUP, Policy
from clr_tui.engine.settings.range_test_config import SMOOTHING, SUBSET_SAMPLES, RangeTest
from clr_tui.engine.settings.task_config import TaskConfig, Value
from clr_tui.engine.settings.train_config import Train

__all__ = [
    "AROUND",
    "ARTICLE",
    "DECAY",
    "FACTOR",
    "GAMMA",
    "GRID",
    "JOBS",
    "MAX_TRIALS",
    "POLICIES",
    "RATE_WORDS",
    "SMOOTHING",
    "SUBSET_SAMPLES",
    "WARMUP",
    "Compare",
    "EntryConfig",
    "Job",
    "LoggedRun",
    "OptimizerConfig",
    "Option",
    "Policy",
    "RangeTest",
    "RunConfig",
    "TaskConfig",
    "Train",
    "Value",
    "decode_run",
    "kind_of",
]

Job = Union[RangeTest, Train, Compare, LoggedRun]  # noqa: UP007 - a value too
JOBS: dict[str, type[Job]] = {
    "range-test": RangeTest,
    "train": Train,
    "compare": Compare,
    "logged": LoggedRun,
}
"""The jobs of runs, by kind."""
J = TypeVar("J")


def kind_of(job: Job) -> str:
    """The kind of a job: its key in `JOBS`."""
    return str(job.__struct_config__.tag)


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    created: float
    """Unix time, seconds."""
    version: str
    """Of the clr-tui that created the run."""
    schema: int = 2
    task: TaskConfig = TaskConfig()
    parent: str | None = None
    """The run whose bounds or settings this one uses."""
    folder: str = ""
    """The user's working directory, an additional folder to import modules from."""


class RunConfig(_Asked, frozen=True, kw_only=True):
    """The content of `run.json`."""

    job: Job

    @property
    def kind(self) -> str:
        """The kind of the job: a key of `JOBS`."""
        return kind_of(self.job)

    @property
    def subject(self) -> str:
        """What it is called in words: its own name if it was given one, else its task or data."""
        return str(getattr(self.job, "name", "")) or self.task.data_name

    @property
    def foreign(self) -> bool:
        """Whether it was read from the log of another tool."""
        return bool(getattr(self.job, "source", ""))

    def asked(self, kind: type[J]) -> J:
        """The job, for callers that handle one kind of run; raises TypeError for another kind."""
        if not isinstance(self.job, kind):
            raise TypeError(f"{self.id} is a {self.kind} run, not a {kind.__name__}")
        return self.job


def decode_run(text: bytes) -> RunConfig:
    """Decodes a `run.json` of schema 1 or 2, with any job in `JOBS`.

    Raises:
        msgspec.DecodeError: it is not a `run.json`, or the kind of its job is not in `JOBS`.
    """
    fields = msgspec.json.decode(text, type=dict[str, Any])
    if kind := str(fields.get("kind") or ""):  # schema 1: the job is in the field of its kind
        job = fields.get(kind.replace("-", "_"))
    else:
        job = msgspec.convert(fields.get("job"), dict[str, Any])
        kind = str(job.get("kind"))
    if kind not in JOBS:
        raise msgspec.ValidationError(f"kind '{kind}' is none of {', '.join(JOBS)}")
    asked = msgspec.structs.asdict(msgspec.convert(fields, _Asked))
    return RunConfig(**asked, job=msgspec.convert(job, JOBS[kind]))
