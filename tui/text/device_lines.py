"""Panel lines that every run has: speed, time left, device and load."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line, row


def device_lines(history: RunHistory, *, ended: bool) -> list[Line]:
    """Return speed, time left (time taken if the run has `ended`), device, memory and load."""
    trial = history.trial
    speed = trial.samples_per_second if trial is not None else None
    left = trial.eta_seconds if trial is not None else None
    lines = [row(f"{samples_of(history)}/s", numbers.throughput(speed))]
    if not ended:
        lines.append(row("left", numbers.duration(left)))
    else:
        of = f" of {numbers.duration(history.time.seconds)}" if history.time else ""
        lines.append(row("took", numbers.duration(_duration_of(history)), after=of))
    if history.device is not None:
        lines.append(row("device", plain(history.device.device)))
        lines.append(row("", plain(history.device.name).removeprefix("NVIDIA "), "muted"))
    else:
        lines.append(row("device", numbers.UNKNOWN))
    usage = history.usage
    if usage is not None and usage.memory_used is not None:
        load = f"  {100 * usage.utilisation:3.0f} %" if usage.utilisation is not None else ""
        lines.append(
            row("memory", numbers.memory(usage.memory_used, usage.memory_total), after=load)
        )
    return lines


def samples_of(history: RunHistory) -> str:
    """Return what the run's samples are called, in the plural: "images"."""
    return plain(history.task.samples) if history.task is not None else "samples"


def _duration_of(history: RunHistory) -> float | None:
    """Return seconds from the first event to the last in which the run had a worker.

    None for an imported curve.
    """
    first, last = history.first_time, history.last_time
    if history.device is None or first is None or last is None:
        return None
    return last - first - history.away
