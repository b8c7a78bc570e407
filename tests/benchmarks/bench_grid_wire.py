"""Bytes that a grid of four charts sends to the terminal, while a loop logs four times a second.

    python tests/benchmarks/bench_grid_wire.py

On a real pty of 160x44 cells, counting every byte, including Textual's own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
from living_loop import LivingLoop
from screens import CLR_TUI, HEIGHT, WIDTH, Screen

BUDGET, FIRST_BUDGET = 1200, 30_000
"""Bytes per second while it grows, and of the first paint."""
STEPS, EACH, UPDATES, SECONDS = 3000, 5, 4, 40
"""Steps at the start, steps per update, updates per second, and how long it is watched."""
STILL = 3.0


def measured(size: tuple[int, int]) -> tuple[int, list[int], int]:
    """Returns the bytes of the first paint, of each second, and of an idle period."""
    with tempfile.TemporaryDirectory() as folder:
        loop = LivingLoop(Path(folder), STEPS)
        command = [*CLR_TUI, "attach", loop.run.id, "--runs-dir", folder]
        with Screen(command, size=size, environment={"XDG_STATE_HOME": folder}) as screen:
            screen.seconds_until(b"grad_norm")
            # What came before is not counted by the call above: another run counts it.
            screen.bytes_until_quiet(2.0)
            sizes = [_second(screen, loop) for _ in range(SECONDS)]
            screen.bytes_until_quiet(2.0)
            still = screen.bytes_until_quiet(STILL)
        with Screen(command, size=size, environment={"XDG_STATE_HOME": folder}) as screen:
            first = 0
            while first < 4000:  # until the charts have come
                first += screen.bytes_until_quiet(4.0)
        loop.end()
        return first, sizes, still


def _second(screen: Screen, loop: LivingLoop) -> int:
    """The bytes of a second in which the loop logs `UPDATES` times."""
    count, begin = 0, time.perf_counter()
    for update in range(UPDATES):
        loop.chunk(EACH)
        until = begin + (update + 1) / UPDATES
        while (left := until - time.perf_counter()) > 0:
            count += len(screen.read(left))
    return count


def main() -> int:
    report = measure.Report(f"grid of four charts on a pty of {WIDTH}x{HEIGHT}")
    first, sizes, still = measured((WIDTH, HEIGHT))
    mean = statistics.mean(sizes)
    report.add(f"{UPDATES} updates a second, {EACH} steps each", sizes, "bytes a second")
    words = f"mean {mean:.0f}, median {statistics.median(sizes):.0f}, unchanged {still}"
    kept = mean <= BUDGET and still == 0
    report.reach("bytes of the grid", f"{BUDGET} a second, 0 unchanged", words, kept)
    kept = first <= FIRST_BUDGET
    report.reach("bytes of the first paint", f"{FIRST_BUDGET}", f"{first}", kept)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
