"""Runs all benchmarks and writes RESULTS.md.

    make bench            (or python tests/benchmarks/run.py [--data DIR] [--only NAME,NAME])

Installs the peers into a separate environment, build/bench-venv, which takes torch and everything
else from this one. Without `--data` or $CLR_TUI_BENCH_DATA, a folder of JPEGs is generated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
from peers_environment import peers_python

HERE = Path(__file__).resolve().parent
BENCHES = (
    "frames",
    "wire",
    "grid_wire",
    "open",
    "decode",
    "augment",
    "range",
    "own_task",
    "log_call",
    "open_logs",
    "watch",
    "checkpoints",
    "compare",
)
WITH_PEERS = ("frames", "wire", "range", "own_task", "log_call", "open_logs")
TITLE = """# Results

Written by `make bench`. Times depend on the machine: compare ratios. "Rounds" are the lowest and
highest of the turns that the contestants took one after the other. [NOTES.md](NOTES.md) explains
the figures and what was tried.
"""


def bench(python: Path, name: str, folder: Path, arguments: list[str]) -> measure.Report | None:
    """Runs one benchmark, which prints its table; returns None if it failed."""
    path = folder / f"{name}.json"
    print(f"\n== {name}", flush=True)
    begin = time.monotonic()
    command = [python, HERE / f"bench_{name}.py", "--json", path, *arguments]
    ended = subprocess.run(command, check=False)
    print(f"({time.monotonic() - begin:.0f} s)", flush=True)
    return measure.load(path) if ended.returncode == 0 and path.exists() else None


def _versions(python: Path) -> str:
    """Returns the versions in that environment."""
    command = [python, "-c", "import measure; print(measure.versions())"]
    return subprocess.run(
        command, cwd=HERE, check=True, capture_output=True, text=True
    ).stdout.strip()


def results(reports: list[measure.Report], minutes: float, versions: str, remark: str) -> str:
    """Formats RESULTS.md."""
    day = time.strftime("%Y-%m-%d")
    lines = [TITLE, f"{day}, {minutes:.0f} minutes, on: {measure.machine()}. {remark}".strip(), ""]
    lines += [f"Versions: {versions}.", ""]
    lines += dict.fromkeys(note for report in reports for note in report.notes)
    lines += ["", "## Figures to reach", ""]
    lines += ["| figure | aim | measured | reached |", "|---|---|---|---|"]
    for report in reports:
        for f in report.figures:
            lines.append(f"| {f.what} | {f.goal} | {f.measured} | {'yes' if f.reached else 'no'} |")
    lines += ["", "## All measurements", ""]
    lines += [measure.table(row for report in reports for row in report.rows)]
    lines += ["", "Nothing here was measured on a GPU."]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder of images, one folder a class")
    parser.add_argument("--only", help=f"of {','.join(BENCHES)}; RESULTS.md stays as it is then")
    parser.add_argument("--rounds", type=int, help="turns of each contestant")
    parser.add_argument("--remark", default="", help="a sentence about the machine, for RESULTS.md")
    arguments = parser.parse_args()
    if arguments.data is not None:
        os.environ["CLR_TUI_BENCH_DATA"] = str(arguments.data.resolve())
    names = arguments.only.split(",") if arguments.only else BENCHES
    peers = peers_python()
    begin = time.monotonic()
    more = ["--rounds", str(arguments.rounds)] if arguments.rounds else []
    with tempfile.TemporaryDirectory() as folder:
        reports = [
            bench(peers if name in WITH_PEERS else Path(sys.executable), name, Path(folder), more)
            for name in names
        ]
    done = [report for report in reports if report is not None]
    minutes = (time.monotonic() - begin) / 60
    versions = _versions(peers)
    print(f"\n{measure.machine()}\n{versions}\n{minutes:.1f} minutes")
    for report in done:
        for figure in report.figures:
            print(measure.figure_line(figure))
    if not arguments.only:
        (HERE / "RESULTS.md").write_text(results(done, minutes, versions, arguments.remark))
    failed = len(reports) - len(done)
    print(f"{failed} of {len(reports)} benchmarks failed" if failed else "all benchmarks ran")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
