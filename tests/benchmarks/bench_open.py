"""Opening: time to the first and the complete paint, and memory; and `--help`.

    python tests/benchmarks/bench_open.py [--rounds N]

On a pty of 160x44: a Textual application with one word, `clr-tui` (the runs screen), and
`clr-tui replay --speed max` of a sweep of 1e6 steps, of one of 250,000, and of a comparison of
18 trials and 150 epochs. The first paint is when the program's own text has arrived; complete is
the last byte before output stops. `decoding` is `read_events` alone, in this process; `json.loads`
is the standard library's, line by line.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import measure
from made_logs import comparison_run, sweep_log
from screens import CLR_TUI, Screen

from clr_tui.engine.log.tail import read_events

STEPS, FEWER = 1_000_000, 250_000
EMPTY = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class A(App):\n"
    "    def compose(self):\n"
    "        yield Static('opened')\n"
    "A().run()\n"
)
MEMORY = 150.0
"""Maximum MB for a log of 1e6 steps."""


class Opening:
    """Opens a program repeatedly and records the times."""

    def __init__(self, command: Sequence[str], word: bytes) -> None:
        self._command, self._word = command, word
        self.painted: list[float] = []
        self.complete: list[float] = []
        self.memory: list[float] = []

    def __call__(self) -> float:
        with Screen(self._command) as screen:
            self.painted.append(1000 * screen.seconds_until(self._word))
            self.complete.append(1000 * max(screen.seconds_until_still(), self.painted[-1] / 1000))
            self.memory.append(screen.memory())
        return self.painted[-1]


class HomeOpening(Opening):
    """Opens the runs screen, whose ages keep changing, so that its output never stops."""

    def __call__(self) -> float:
        with Screen(self._command) as screen:
            self.painted.append(1000 * screen.seconds_until(self._word))
            self.complete.append(self.painted[-1])
            screen.bytes_until_quiet()
            self.memory.append(screen.memory())
        return self.painted[-1]


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def process(*command: str) -> Callable[[], float]:
    """Returns the milliseconds of a program that exits by itself."""
    return partial(milliseconds, lambda: subprocess.run(command, check=True, capture_output=True))


def with_json(path: Path) -> int:
    """Decodes with the standard library, unchecked, as the yardstick."""
    with path.open("rb") as file:
        return sum("loss" in json.loads(line) for line in file)


def openings(folder: Path, log: Path, short: Path) -> dict[str, Opening]:
    run = comparison_run(folder / "runs")
    runs = ("--runs-dir", str(folder / "runs"))
    replay = (*CLR_TUI, "replay", "--speed", "max")
    return {
        "an empty Textual app": Opening((sys.executable, "-c", EMPTY), b"opened"),
        "clr-tui": HomeOpening((*CLR_TUI, *runs), b"clr-tui"),
        f"replay, {STEPS:,} steps": Opening((*replay, str(log)), b"clr-tui"),
        f"replay, {FEWER:,} steps": Opening((*replay, str(short)), b"clr-tui"),
        "replay, 18 trials x 150 epochs": Opening((*replay, run.id, *runs), b"clr-tui"),
    }


def judge(report: measure.Report, found: dict[str, Opening], decoding: list[float]) -> None:
    """Measures opening a long log."""
    empty, long, short = (
        found[name]
        for name in ("an empty Textual app", f"replay, {STEPS:,} steps", f"replay, {FEWER:,} steps")
    )
    first = statistics.median(measure.ratio(long.painted, empty.painted))
    report.reach(
        "first paint of 1e6 steps", "1.5 times an empty app's", f"{first:.2f} times", first <= 1.5
    )
    whole = statistics.median(measure.ratio(long.complete, decoding))
    report.reach(
        "1e6 steps complete", "3 times decoding the file", f"{whole:.1f} times", whole <= 3
    )
    memory = statistics.median(long.memory)
    report.reach("memory of 1e6 steps", f"under {MEMORY:g} MB", f"{memory:.0f} MB", memory < MEMORY)
    growth = statistics.median(
        (a - e) / (b - e)
        for a, b, e in zip(long.complete, short.complete, empty.complete, strict=True)
    )
    report.reach(
        "time beyond an empty app's, 4 times the steps",
        "at most 4.4 times (linear)",
        f"{growth:.1f} times",
        growth <= 4.4,
    )


def main() -> int:
    report = measure.Report("opening")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        log, short = (
            sweep_log(folder / "long.jsonl", STEPS),
            sweep_log(folder / "short.jsonl", FEWER),
        )
        found = openings(folder, log, short)
        contestants: dict[str, Callable[[], float]] = {**found}
        contestants["decoding"] = lambda: milliseconds(lambda: read_events(log))
        contestants["json.loads"] = lambda: milliseconds(lambda: with_json(log))
        contestants["clr-tui --help"] = process(*CLR_TUI, "--help")
        contestants["python -c 'import argparse'"] = process(
            sys.executable, "-c", "import argparse"
        )
        contestants["python -c pass"] = process(sys.executable, "-c", "pass")
        spent = measure.take_turns(contestants, measure.rounds(5))
    empty = found["an empty Textual app"].painted
    for name, opening in found.items():
        times = measure.spread(measure.ratio(opening.painted, empty))
        report.add(f"{name}: first paint", opening.painted, "ms", f"{times} of the empty app's")
        report.add(f"{name}: complete", opening.complete, "ms")
        report.add(f"{name}: memory", opening.memory, "MB")
    for name in ("decoding", "json.loads"):
        times = measure.spread(measure.ratio(spent[name], spent["json.loads"]))
        report.add(f"{STEPS:,} steps, {name}", spent[name], "ms", f"{times} of json.loads'")
    helps = measure.ratio(spent["clr-tui --help"], spent["python -c 'import argparse'"])
    for name in ("clr-tui --help", "python -c 'import argparse'", "python -c pass"):
        report.add(name, spent[name], "ms")
    judge(report, found, spent["decoding"])
    middle = statistics.median(helps)
    report.reach(
        "clr-tui --help", "2 times python and its argparse", f"{middle:.2f} times", middle <= 2
    )
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
