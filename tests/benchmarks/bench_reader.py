"""How long it takes to read a log of a million steps, against json.loads line by line.

    python tests/benchmarks/bench_reader.py [steps] [steps a line]

The ratio is what to compare between machines; the seconds are this machine's.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from clr_tui.engine.runs.events import RunFinished, RunStarted, Steps, TrialStarted
from clr_tui.engine.runs.tail import LogTail, read_events
from clr_tui.engine.runs.writer import EventWriter

REPEATS = 3


def write_log(path: Path, steps: int, chunk: int) -> None:
    """A range test with losses and rates of as many digits as a real one has."""
    writer = EventWriter(path)
    writer.write(RunStarted(run="bench", kind="range-test"))
    writer.write(TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=1000))
    for start in range(0, steps, chunk):
        step = list(range(start, min(start + chunk, steps)))
        lr = [1e-7 * 1e7 ** (i / steps) for i in step]
        loss: list[float | None] = [1.6 + math.sin(i) / 7 for i in step]
        writer.write(Steps(trial=0, step=step, lr=lr, loss=loss))
    writer.write(RunFinished(outcome="done"))
    writer.close()


def with_json(path: Path) -> int:
    """The yardstick: the standard library, without a check of anything."""
    with open(path, "rb") as file:
        return sum(len(json.loads(line).get("step", ())) for line in file)


def at_once(path: Path) -> int:
    """As replay and export read."""
    return sum(len(e.step) for e in read_events(path).events if isinstance(e, Steps))


def in_polls(path: Path) -> int:
    """As a screen catches up with a long log: a MiB a poll."""
    tail = LogTail(path)
    total, more = 0, True
    while more:
        batch = tail.poll(limit=1 << 20)
        total += sum(len(e.step) for e in batch.events if isinstance(e, Steps))
        more = batch.more
    return total


def best(read: Callable[[Path], int], path: Path, steps: int) -> float:
    """Seconds of the fastest of a few readings."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        if read(path) != steps:
            raise SystemExit("the reader lost steps")
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Prints a line for each way of reading."""
    steps, chunk = (*map(int, sys.argv[1:]), *(1_000_000, 500)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        write_log(path, steps, chunk)
        size = path.stat().st_size / 1e6
        print(f"{steps:,} steps, {chunk} a line, {size:.0f} MB")
        yardstick = best(with_json, path, steps)
        print(f"json.loads          {yardstick:6.3f} s   1.00")
        for name, read in (("read_events", at_once), ("LogTail, 1 MiB/poll", in_polls)):
            seconds = best(read, path, steps)
            print(f"{name:19} {seconds:6.3f} s   {seconds / yardstick:.2f}")


if __name__ == "__main__":
    main()
