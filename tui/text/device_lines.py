"""Panel lines that every run has: speed, time left, the device and its load."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line, row


def device_lines(
    history: RunHistory, trial: TrialHistory | None, *, ended: bool = False
) -> list[Line]:
    """Samples a second, time left, device; its memory and load where it tells them.

    Args:
        history: the run.
        trial: its newest trial.
        ended: whether nothing more will come: there is no time left then, only time taken.
    """
    speed = trial.samples_per_second if trial is not None else None
    left = trial.eta_seconds if trial is not None else None
    lines = [row(f"{samples_of(history)}/s", numbers.rate(speed))]
    if not ended:
        lines.append(row("left", numbers.duration(left)))
    else:
        lines.append(row("took", numbers.duration(_taken(history))))
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
    """What the run's samples are, in the plural: "images"."""
    return plain(history.task.samples) if history.task is not None else "samples"


def _taken(history: RunHistory) -> float | None:
    """Seconds from the first event to the last; None for a curve from elsewhere, without times."""
    first, last = history.first_time, history.last_time
    if history.device is None or first is None or last is None:
        return None
    return last - first
