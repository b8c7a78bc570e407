"""Describes a run for its screen: state, failure, notices, title."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.used_optimizer import own_optimizer
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.liveness import here
from clr_tui.engine.log.state import ENDED, LIVING, State, state_of
from clr_tui.engine.settings.config import OptimizerConfig, RunConfig
from clr_tui.engine.settings.task_parameters import write
from clr_tui.engine.words import be, many, plural, was
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.names import SYMBOLS, model_name

SILENT_SECONDS = 30.0
"""After so long without anything new, the log of another tool counts as silent."""
_ROLES: dict[State, Role] = {
    "starting": "muted",
    "preparing": "muted",
    "running": "accuracy",
    "paused": "suggestion",
    "done": "accuracy",
    "stopped": "suggestion",
    "failed": "diverged",
    "lost": "diverged",
}


@dataclass(frozen=True)
class Status:
    """A run's state, from its log and whether its worker is alive."""

    state: State
    role: Role
    words: str
    """A symbol and a word: "● running"."""
    short: str
    """The same without how long it has lasted: "◌ silent"."""
    quiet: str = ""
    """For how long nothing has come from a living run, if it is silent: "silent for 3 min"."""

    @property
    def ended(self) -> bool:
        """Whether no more events will come."""
        return self.state in ENDED


def status_of(history: RunHistory, *, alive: bool, now: float | None = None) -> Status:
    """Return a run's state.

    Args:
        history: the run.
        alive: whether its worker, its recording or the log of another tool can send more events.
        now: Unix time in seconds, to see whether more comes; None: do not look.
    """
    state = state_of(
        history.finished.outcome if history.finished else None,
        alive=alive,
        paused=history.paused,
        began=history.began or not _has_worker(history),
        before="preparing" if history.task or history.progress else "starting",
    )
    if history.config.foreign and now is not None and state in LIVING:
        return _growth(history, now)
    words = f"{SYMBOLS[state]} {state}"
    if now is not None and state in LIVING and (seconds := history.pace.silence(now)) is not None:
        quiet = numbers.silent_words(seconds, other_host(history))
        short = f"{SYMBOLS['starting']} silent"
        return Status(state, "suggestion", f"{words}, {quiet}", short, quiet)
    return Status(state, _ROLES[state], words, words)


def other_host(history: RunHistory) -> str:
    """The host of the run's worker if it is not this one, else empty."""
    return "" if history.host in ("", here()) else history.host


def _growth(history: RunHistory, now: float) -> Status:
    """Whether the log of another tool grows: nobody says whether its run has ended."""
    if history.last_time is None:
        words = f"{SYMBOLS['starting']} nothing logged yet"
        return Status("starting", "muted", words, f"{SYMBOLS['starting']} empty")
    silence = silence_of(history, now)
    if silence < SILENT_SECONDS:
        words = f"{SYMBOLS['running']} growing"
        return Status("running", "accuracy", words, words)
    words = f"{SYMBOLS['starting']} {numbers.silent_words(silence)}"
    return Status("running", "muted", words, f"{SYMBOLS['starting']} silent")


def offer_words(kind: str) -> str:
    """Say that logs of other tools could be shown as a run of this kind; empty if of none."""
    if not kind:
        return ""
    return f"this fits {KINDS[kind].phrase}: --as {KINDS[kind].title.replace(' ', '-')} shows it so"


def silence_of(history: RunHistory, now: float) -> float:
    """Seconds since the last event, until `now` in Unix time; 0 without events."""
    return max(now - history.last_time, 0.0) if history.last_time is not None else 0.0


def _has_worker(history: RunHistory) -> bool:
    """Whether a worker of ours does the run: not the program of a user's own loop."""
    return JOB_KINDS[history.config.kind].has_worker


def nothing_finite(history: RunHistory) -> str:
    """Say that of all losses so far none is finite; empty if one is, or there are none."""
    losses = [trial.loss for trial in history.trials.values() if len(trial)]
    if not losses or any(np.isfinite(column).any() for column in losses):
        return ""
    count = sum(map(len, losses))
    return f"None of {numbers.count(count)} losses is a finite number: there is nothing to draw."


def waiting_words(history: RunHistory, state: State, first: str = "step") -> str:
    """Describe a run before its `first` "step" (a comparison: "epoch"), in place of a chart."""
    if state == "failed":
        return f"The run failed before its first {first}."
    if state == "lost":
        who = "worker" if _has_worker(history) else "program"
        return f"The {who} vanished before its first {first}."
    if state in ("done", "stopped"):
        return f"The run ended before its first {first}."
    if state == "paused":
        return f"Paused before its first {first}; press space to continue."
    progress = history.progress
    if progress is not None and progress.total > 0:
        count = f" {progress.done} of {progress.total}" if progress.total > 1 else " ..."
        return f"{plain(progress.what)}{count}"
    if history.trials and first == "epoch":
        return "The curves will appear here after the first epoch."
    if history.trials:
        return "The first losses will appear here in a moment."
    if history.task is not None:
        return "The data is ready; waiting for the first steps."
    if not _has_worker(history):
        return "The program has logged nothing yet."
    if history.device is not None:
        return f"Loading the data for {plain(history.device.name)}."
    return "The worker is starting (importing torch)."


def progress_bar(history: RunHistory, state: State, width: int) -> str:
    """Draw a bar of `width` cells for work before the first step; empty if it has no parts."""
    progress = history.progress
    if state not in ("starting", "preparing", "running") or not progress or progress.total <= 1:
        return ""
    return bar(progress.done / progress.total, width)


def bar(fraction: float, width: int) -> str:
    """Draw a bar of `width` cells, filled to a fraction."""
    done = round(width * min(max(fraction, 0.0), 1.0))
    return "━" * done + "─" * (width - done)


def failure_words(
    history: RunHistory, state: State, log_path: str, how: str = "", *, resumable: bool = False
) -> str:
    """Say why a run failed or was lost, else "".

    Args:
        history: the run.
        state: its state.
        log_path: names the worker's own output.
        how: how the worker of a lost run ended, if that output says so: "ended by SIGSEGV".
        resumable: whether a key continues a lost run.
    """
    has_worker = _has_worker(history)
    if state == "lost" and not has_worker:
        return (
            "The program vanished: killed (also by SIGTERM, as schedulers do), out of memory, or "
            "the machine went down."
        )
    if state == "lost":
        ended = f"was {plain(how)}" if how else "vanished: killed, out of memory, or the machine"
        ended += "" if how else " went down"
        keys = "R to resume it, r to run it again" if resumable else "r to run it again"
        return f"The worker {ended}. Press {keys}; its last output is in {plain(log_path)}"
    if state == "failed" and history.finished is not None:
        message = plain(history.finished.message).strip() or "No reason was recorded"
        message += "" if message.endswith((".", "!", "?")) else "."
        return f"Failed: {message}" + (" Press r to run it again." if has_worker else "")
    return ""


def traceback_of(history: RunHistory) -> list[str]:
    """Return the user's own lines in the traceback of a failed run, outermost first, made safe."""
    finished = history.finished
    return [plain(line) for line in finished.traceback] if finished is not None else []


def paused_or_stopped_words(history: RunHistory, state: State) -> str:
    """Describe a paused or stopped run; empty for any other."""
    if state == "paused" and history.has_results:
        return "Paused: press space to continue."
    if state == "stopped" and history.finished is not None and history.finished.message:
        return f"Stopped: {plain(history.finished.message)}"
    return ""


def notices(history: RunHistory) -> list[str]:
    """Return what else the user should know, one sentence each, most important first."""
    sentences = log_notices(history)
    if history.refused:
        sentences.append(refusal(history))
    warnings = [note for note in history.notes if note.level == "warning"]
    if warnings:
        more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
        sentences.append(plain(warnings[-1].text) + more)
    return sentences


def refusal(history: RunHistory) -> str:
    """Describe the last refused command, of which there is at least one."""
    last = history.refused[-1]
    return f"{plain(last.command)} was refused: {plain(last.reason)}"


def log_notices(history: RunHistory) -> list[str]:
    """Return what could not be read in the log, one sentence each."""
    sentences: list[str] = []
    if history.newer_schema is not None:
        sentences.append(
            f"This log was written by a newer clr-tui (schema {history.newer_schema}): "
            "some of it may be missing here."
        )
    if history.corrupt:
        lines = many(history.corrupt, "line")
        sentences.append(
            f"{lines} of the log could not be read and {was(history.corrupt)} skipped."
        )
    if history.missing:
        lines = numbers.count(history.missing)
        sentences.append(
            f"{lines} {plural('line', history.missing)} of the log {be(history.missing)} missing: "
            "what is shown may be wrong."
        )
    if history.unknown:
        names = ", ".join(plain(str(name)) for name in sorted(history.unknown)[:3])
        sentences.append(f"Skipped events that this version of clr-tui does not know: {names}.")
    return sentences


def title_of(config: RunConfig, history: RunHistory) -> str:
    """Describe a run: "range test  flowers · CNN · SGD(momentum 0.9) · batch 64".

    A recording without its run.json has less to show.
    """
    kind = KINDS[config.kind]
    parts = [*_task_parts(config, history), *kind.load_display().title(config, history)]
    return f"{kind.title}  " + " · ".join(plain(part) for part in parts)


def _task_parts(config: RunConfig, history: RunHistory) -> list[str]:
    task, ready = config.task, history.task
    if task.task:
        given = ", ".join(f"{name}={write(value)}" for name, value in task.parameters.items())
        name = f"{ready.name if ready else task.data_name}{f'({given})' if given else ''}"
        return [name, *([ready.model, f"batch {ready.batch_size}"] if ready else [])]
    if task.model:
        return [ready.name if ready else task.data_name, model_name(task.model)]
    if ready is not None:
        return [ready.name, model_name(ready.model), f"batch {ready.batch_size}"]
    name = config.subject or config.id
    return [name] if config.version or config.foreign else [name, "imported curve"]


def optimizer_parts(optimizer: OptimizerConfig, history: RunHistory) -> list[str]:
    """Return optimizer and batch size for a title; empty if the task is unknown.

    The size of a user's task's batches, and whether it makes its own optimizer, are known only once
    it is loaded.
    """
    task, own = history.config.task, own_optimizer(history)
    if not task.model:
        return []
    if own is None:
        how = []
    elif own:
        how = [f"the task's {own}"]
    elif optimizer.name == "sgd":
        momentum = f"(momentum {optimizer.momentum:g})" if optimizer.momentum else ""
        how = [f"SGD{momentum}"]
    else:
        how = [optimizer.name]
    return how if task.task else [*how, f"batch {task.batch_size}"]
