"""Shared by the benchmarks: turns, medians and ratios, the table, the machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("torch", "torchvision", "numpy", "pillow", "textual", "plotext"),
    *("torch-lr-finder", "lightning", "fastai", "textual-plotext", "tensorboard", "wandb"),
)


@dataclass(frozen=True)
class Row:
    """One row of the table: the median, lowest and highest of the rounds, and a ratio."""

    what: str
    who: str
    median: float
    low: float
    high: float
    unit: str
    ratio: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure with a goal."""

    what: str
    goal: str
    measured: str
    reached: bool


@dataclass
class Report:
    """The results of one benchmark."""

    title: str
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, who: str, values: Sequence[float], unit: str, ratio: str = "") -> None:
        """Adds a row from the values of the rounds."""
        middle = statistics.median(values)
        self.rows.append(Row(self.title, who, middle, min(values), max(values), unit, ratio))

    def reach(self, what: str, goal: str, measured: str, reached: bool) -> None:
        """Adds a figure with a goal."""
        self.figures.append(Figure(what, goal, measured, bool(reached)))

    def finish(self) -> int:
        """Prints the table, and writes it to the path of `--json`. Returns exit code 0."""
        print(table(self.rows))
        for figure in self.figures:
            print(figure_line(figure))
        for note in self.notes:
            print(note)
        path = _arguments().json
        if path is not None:
            path.write_text(json.dumps(asdict(self)))
        return 0


def load(path: Path) -> Report:
    """Reads a report written by `Report.finish`."""
    raw = json.loads(path.read_text())
    return Report(
        raw["title"],
        [Row(**row) for row in raw["rows"]],
        [Figure(**figure) for figure in raw["figures"]],
        raw["notes"],
    )


def _parser() -> argparse.ArgumentParser:
    document = sys.modules["__main__"].__doc__ or ""
    parser = argparse.ArgumentParser(
        description=document, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder of images, one folder a class")
    parser.add_argument("--rounds", type=int, help="turns of each contestant")
    parser.add_argument("--json", type=Path, help=argparse.SUPPRESS)
    return parser


def _arguments() -> argparse.Namespace:
    return _parser().parse_known_args()[0]


def rounds(default: int) -> int:
    """Returns the number of rounds."""
    return int(_arguments().rounds or default)


def data_folder() -> Path | None:
    """Returns the folder of images in `--data` or $CLR_TUI_BENCH_DATA."""
    named = _arguments().data or os.environ.get("CLR_TUI_BENCH_DATA")
    return Path(named).resolve() if named else None


def take_turns(
    contestants: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Measures all contestants in each round, so that other load affects all of them.

    Each round starts with a different one.
    """
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            measured[name].append(contestants[name]())
    return measured


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Returns the ratio to ours in each round."""
    return [a / b for a, b in zip(theirs, ours, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Returns the median, lowest and highest of the rounds."""
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(rows: Iterable[Row]) -> str:
    """Formats a Markdown table."""
    lines = ["| what | who | median | rounds | ratio |", "|---|---|--:|--:|---|"]
    for row in rows:
        counted = row.unit == "bytes" or row.median >= 1000
        digits = 0 if counted else 1 if row.median >= 20 else 2
        low, middle, high = (f"{v:,.{digits}f}" for v in (row.low, row.median, row.high))
        lines.append(
            f"| {row.what} | {row.who} | {middle} {row.unit} | {low} to {high} | {row.ratio} |"
        )
    return "\n".join(lines)


def figure_line(figure: Figure) -> str:
    """Formats a row as readable text."""
    word = "reached" if figure.reached else "NOT REACHED"
    return f"{word}: {figure.what}: {figure.measured} (aim: {figure.goal})"


def machine() -> str:
    """Describes processor, usable cores, memory and system, without the host name."""
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{_processor()}, {cores()} cores, {gigabytes:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not on macOS
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def versions() -> str:
    """Returns the versions of the packages involved."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join(found)
