"""What a run screen says of its run: its state, what went wrong, what else to know."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.settings.config import Compare, RangeTest, RunConfig, Train
from clr_tui.engine.words import many, was
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.kinds.compare.tuning import Tuning
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.names import SYMBOLS, State, model_name
from clr_tui.tui.text.numbers import duration, exact_lr

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
    """A run's state as its log, and the life of its worker, tell it."""

    state: State
    role: Role
    words: str
    """A symbol and a word: "● running"."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "stopped", "failed", "lost")


def status_of(history: RunHistory, *, alive: bool) -> Status:
    """The state of a run.

    Args:
        history: what its log has told so far.
        alive: whether more can come: the worker lives, or a recording has not ended.
    """
    state = _state(history, alive)
    return Status(state, _ROLES[state], f"{SYMBOLS[state]} {state}")


def _state(history: RunHistory, alive: bool) -> State:
    if history.finished is not None:
        return history.finished.outcome
    if not alive:
        return "lost"
    if history.paused:
        return "paused"
    if history.trials:
        return "running"
    return "starting" if history.task is None and history.progress is None else "preparing"


def standing_of_comparison(history: RunHistory, status: Status) -> str:
    """How a comparison stands, for its title: "● 11 of 18 trials  left 9:40"."""
    symbol = SYMBOLS[status.state]
    overall = history.overall
    if status.ended or not history.trials:
        return status.words
    if (tuning := Tuning.of(history)) is not None:
        words = f"tuning, {tuning.done} of {tuning.total}"
    elif overall is not None:
        ended = overall.done + overall.failed + overall.stopped
        words = f"{ended} of {many(overall.total, 'trial')}"
    else:
        return status.words
    if status.state == "paused":
        return f"{symbol} paused  {words}"
    left = overall.left if overall is not None else None
    return f"{symbol} {words}" + (f"  left {duration(left)}" if left is not None else "")


def waiting_words(history: RunHistory, state: State, first: str = "step") -> str:
    """What is going on before there is a first step, in place of a chart.

    Args:
        history: the run.
        state: its state.
        first: what is waited for: "step", or "epoch" of a comparison.
    """
    if state == "failed":
        return f"The run failed before its first {first}."
    if state == "lost":
        return f"The worker vanished before its first {first}."
    if state in ("done", "stopped"):
        return f"The run ended before its first {first}."
    if state == "paused":
        return f"Paused before its first {first}; space goes on."
    progress = history.progress
    if progress is not None and progress.total > 0:
        return f"{plain(progress.what)} {progress.done} of {progress.total}"
    if (tuning := Tuning.of(history)) is not None:
        return f"Tuning the learning rate of {tuning.names}: {tuning.done} of {tuning.total} done."
    if history.trials and first == "epoch":
        return "The curves begin once the first epoch has ended."
    if history.trials:
        return "The first losses will appear here in a moment."
    if history.task is not None:
        return "The data is ready; the first steps are on their way."
    if history.device is not None:
        return f"Loading the data for {plain(history.device.name)}."
    return "The worker is starting (importing torch)."


def progress_bar(history: RunHistory, state: State, width: int) -> str:
    """A bar of `width` cells for work before the first step; empty where there is none."""
    if state not in ("starting", "preparing", "running"):
        return ""
    progress = history.progress
    fraction = progress.done / progress.total if progress and progress.total > 0 else None
    if fraction is None and (tuning := Tuning.of(history)) is not None:
        fraction = tuning.fraction
    if fraction is None or width < 4:
        return ""
    done = round(width * min(max(fraction, 0.0), 1.0))
    return "━" * done + "─" * (width - done)


def trouble(history: RunHistory, state: State, log_path: str) -> str:
    """One or two sentences where the run did not end as it should; else empty.

    Args:
        history: the run.
        state: its state.
        log_path: where the worker's own output is, to be named.
    """
    if state == "lost":
        return (
            "The worker vanished: killed, out of memory, or the machine went down. "
            f"r runs it again; its last output is in {plain(log_path)}"
        )
    if state == "failed" and history.finished is not None:
        message = plain(history.finished.message).strip() or "No reason was recorded"
        message += "" if message.endswith((".", "!", "?")) else "."
        return f"Failed: {message} r runs it again."
    return ""


def standing(history: RunHistory, state: State) -> str:
    """What to say of a run that is paused or was stopped; empty for every other."""
    if state == "paused" and any(len(trial) for trial in history.trials.values()):
        return "Paused: space goes on."
    if state == "stopped" and history.finished is not None and history.finished.message:
        return f"Stopped: {plain(history.finished.message)}"
    return ""


def notices(history: RunHistory) -> list[str]:
    """What else a person should know, most important first; each a sentence."""
    told = log_notices(history)
    if history.refused:
        told.append(refusal(history))
    warnings = [note for note in history.notes if note.level == "warning"]
    if warnings:
        more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
        told.append(plain(warnings[-1].text) + more)
    return told


def refusal(history: RunHistory) -> str:
    """Which order was refused last, and why; empty where none was."""
    if not history.refused:
        return ""
    last = history.refused[-1]
    return f"{plain(last.command)} was refused: {plain(last.reason)}"


def log_notices(history: RunHistory) -> list[str]:
    """What in the log itself could not be read; each a sentence."""
    told: list[str] = []
    if history.newer_schema is not None:
        told.append(
            f"This log was written by a newer clr-tui (schema {history.newer_schema}): "
            "something may be missing here."
        )
    if history.corrupt:
        lines = many(history.corrupt, "line")
        told.append(f"{lines} of the log could not be read and {was(history.corrupt)} skipped.")
    if history.unknown:
        names = ", ".join(plain(str(name)) for name in sorted(history.unknown)[:3])
        told.append(f"Skipped events of a kind that this clr-tui does not know: {names}.")
    return told


def title_of(config: RunConfig, history: RunHistory) -> str:
    """What is run, in a few words: "range test  flowers · CNN · SGD(momentum 0.9) · batch 64".

    A recording without its run.json tells less of that; only what is known is said.
    """
    known = bool(config.task.model)
    parts = _asked_parts(config, history) if known else _recorded_parts(config, history)
    job = config.job
    if isinstance(job, RangeTest) and job.seeds > 1:
        parts.append(f"seeds {job.seeds}")
    if isinstance(job, Train):
        bounds = f"{exact_lr(job.base_lr)}…{exact_lr(job.max_lr)}"
        parts.append(f"{job.policy} {bounds}" if known else bounds)
    if isinstance(job, Compare):
        epochs, seeds = planned_epochs(job), job.seeds
        parts.append(f"{epochs} epoch{'s' if epochs != 1 else ''}")
        parts.append(f"{seeds} seed{'s' if seeds != 1 else ''}")
    return f"{KINDS[config.kind].title}  " + " · ".join(plain(part) for part in parts)


def _asked_parts(config: RunConfig, history: RunHistory) -> list[str]:
    task = config.task
    name = history.task.name if history.task else task.data.rstrip("/").rsplit("/", 1)[-1]
    parts = [name or task.data, model_name(task.model)]
    if isinstance(config.job, Compare):
        return parts
    optimizer = config.job.optimizer
    how = "SGD" if optimizer.name == "sgd" else optimizer.name
    if optimizer.name == "sgd" and optimizer.momentum:
        how += f"(momentum {optimizer.momentum:g})"
    return [*parts, how, f"batch {task.batch_size}"]


def _recorded_parts(config: RunConfig, history: RunHistory) -> list[str]:
    task = history.task
    if task is not None:
        return [task.name, model_name(task.model), f"batch {task.batch_size}"]
    name = config.task.data or config.id
    return [name] if config.version else [name, "imported curve"]
