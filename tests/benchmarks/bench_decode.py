"""The first start on a folder of JPEGs, on all cores and on one, and the second start.

    python tests/benchmarks/bench_decode.py [--data DIR] [--rounds N]

The first start decodes every file and caches the result; the second reads the cache. Each runs in
its own process, without the time of interpreter start and imports, at 64x64 pixels, the default for
the CNN.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import measure
import photographs

SIZE = 64
CHILD = "--child"


def seconds(data: Path, cache: Path | None, cores: int) -> float:
    """Times one start; `cache` None for an empty cache."""
    with tempfile.TemporaryDirectory() as new:
        command = [sys.executable, __file__, CHILD, str(data), str(cache or new), str(cores)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(ran.stdout)


def child(data: str, cache: str, cores: str) -> None:
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, usable[: int(cores)])
    from clr_tui.engine.tasks.folder import read_folder

    begin = time.perf_counter()
    read_folder(Path(data), SIZE, lambda what, done, total: None, print, Path(cache))
    print(time.perf_counter() - begin)


def main() -> int:
    if CHILD in sys.argv:
        child(*sys.argv[sys.argv.index(CHILD) + 1 :])
        return 0
    report = measure.Report("first start")
    data = photographs.folder()
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place)
        seconds(data, cache, measure.cores())
        spent = measure.take_turns(
            {
                "all cores": partial(seconds, data, None, measure.cores()),
                "one core": partial(seconds, data, None, 1),
                "from the cache": partial(seconds, data, cache, measure.cores()),
            },
            measure.rounds(3),
        )
    for name, times in spent.items():
        report.add(f"{photographs.name()}, {name}", times, "s")
    all_cores = spent["all cores"]
    faster = statistics.median(measure.ratio(spent["one core"], all_cores))
    report.reach(
        "decoding on all cores", "1.7 times one core", f"{faster:.2f} times", faster >= 1.7
    )
    sooner = statistics.median(measure.ratio(all_cores, spent["from the cache"]))
    report.reach("start from the cache", "20 times sooner", f"{sooner:.0f} times", sooner >= 20)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
