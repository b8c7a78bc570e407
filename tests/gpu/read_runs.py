"""Where the time of runs went, by their logs.

usage: read_runs.py RUNS [ID]...      no ID: all runs of the folder RUNS, the oldest first

Prints for each run when it reached each stage (seconds since it was asked for), its pace, its
result.
"""

from __future__ import annotations

import statistics
import sys
from itertools import pairwise
from pathlib import Path

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import Compare, Train

STUDY_EPOCHS = 150


def of(events: list, kind: type) -> list:
    return [e for e in events if isinstance(e, kind)]


def stages(events: list, asked: float) -> str:
    found: list[tuple[str, float]] = []
    for name, kind in (
        ("worker", ev.RunStarted),
        ("device", ev.DeviceChosen),
        ("data", ev.TaskReady),
        ("pool", ev.PoolReady),
        ("trial", ev.TrialStarted),
        ("steps", ev.Steps),
        ("end", ev.RunFinished),
    ):
        first = next((e for e in events if isinstance(e, kind)), None)
        if first is not None:
            found.append((name, first.time - asked))
    return " ".join(f"{name} {seconds:.1f}" for name, seconds in found)


def pace(steps: list) -> tuple[float, float, int]:
    """Steps per second of one trial, with and without its first event (where torch warms up)."""
    count = sum(len(e.step) for e in steps)
    whole = count / steps[-1].elapsed if steps[-1].elapsed else 0.0
    later = count - len(steps[0].step)
    seconds = steps[-1].elapsed - steps[0].elapsed
    return whole, later / seconds if later and seconds > 0 else 0.0, count


def trials(events: list) -> dict[int, list]:
    found: dict[int, list] = {}
    for e in of(events, ev.Steps):
        found.setdefault(e.trial, []).append(e)
    return found


def report(run: RunDir) -> None:
    config = run.config()
    events = read_events(run.events_path).events
    if not events:
        print(f"{run.id}: no events")
        return
    task = config.task
    device = next((f"{e.device} {e.precision}" for e in of(events, ev.DeviceChosen)), "no device")
    compiled = " compiled" if task.compile else ""
    print(f"{run.id} [{task.model} {task.image_size or ''} b{task.batch_size} {device}{compiled}]")
    print(f"  s since asked: {stages(events, config.created)}")
    for note in of(events, ev.Note):
        print(f"  note: {note.text[:200]}")
    for number, steps in list(trials(events).items())[:3]:
        whole, later, count = pace(steps)
        print(f"  trial {number}: {count} steps, {whole:.1f} steps/s, {later:.1f} once warm")
    if isinstance(config.job, Compare):
        compared(config, events)
    if isinstance(config.job, Train):
        trained(events)
    usage = of(events, ev.DeviceUsage)
    if usage:
        most = max(e.memory_used or 0 for e in usage)
        busy = [e.utilisation for e in usage if e.utilisation is not None]
        total = usage[-1].memory_total or 0
        print(
            f"  NVML: at most {most / 2**20:.0f} of {total / 2**20:.0f} MiB,"
            f" busy {max(busy, default=0):.0%} at most ({len(usage)} readings)"
        )
    for end in of(events, ev.RunFinished):
        print(
            f"  {end.outcome}: {end.headline or end.message[:300]}"
            + (f" [{end.field}]" if end.field else "")
        )


def compared(config, events: list) -> None:
    for ready in of(events, ev.PoolReady):
        print(f"  pool: {ready.jobs} side by side on {ready.devices} ({ready.reason})")
    begun = {e.trial: e for e in of(events, ev.TrialStarted)}
    ended = {e.trial: e for e in of(events, ev.TrialFinished)}
    done = [ended[t].time - begun[t].time for t in begun if t in ended and begun[t].role == "train"]
    steps = of(events, ev.Steps)
    if not done or not steps:
        return
    count = sum(len(e.step) for e in steps)
    busy = steps[-1].time - min(e.time for e in begun.values())
    each = {t: pace(s)[1] for t, s in trials(events).items() if begun[t].role == "train"}
    failed = sum(e.outcome == "failed" for e in ended.values())
    print(
        f"  {len(done)} trials in {busy:.1f} s, one takes {statistics.median(done):.2f} s"
        f" ({min(done):.2f} to {max(done):.2f}): {busy / statistics.median(done):.1f} times one;"
        f" {count / busy:.0f} steps/s in all, {statistics.median(each.values()):.0f} in one trial;"
        f" {failed} failed"
    )
    per_epoch = next(iter(begun.values())).steps_per_epoch
    all_steps = len(config.job.entries) * config.job.seeds * STUDY_EPOCHS * per_epoch
    before = min(e.time for e in begun.values()) - config.created
    print(
        f"  at this pace {STUDY_EPOCHS} epochs of these trials ({all_steps} steps) take"
        f" {before + all_steps * busy / count:.0f} s, {before:.0f} of them before the first step"
    )


def trained(events: list) -> None:
    epochs = of(events, ev.EpochFinished)
    saved = of(events, ev.CheckpointSaved)
    if len(epochs) < 3:
        return
    apart = [b.time - a.time for a, b in pairwise(epochs[1:])]
    inside = [e.seconds or 0.0 for e in epochs[2:]]
    print(
        f"  an epoch every {statistics.median(apart):.3f} s, of which steps and validation take"
        f" {statistics.median(inside):.3f}: the rest is checkpoints ({len(saved)} were written)"
    )


def main() -> None:
    runs = [RunDir(path) for path in Path(sys.argv[1]).iterdir() if (path / "run.json").exists()]
    for run in sorted(runs, key=lambda run: run.config().created):
        if len(sys.argv) < 3 or run.id in sys.argv[2:]:
            report(run)


if __name__ == "__main__":
    main()
