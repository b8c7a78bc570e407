"""Range test: steps per second on a folder of JPEGs, clr-tui beside today's tools.

    python tests/benchmarks/bench_range.py [--data DIR] [--rounds N]

32x32 and 128x128 pixels, the article's augmentation, batch 64, SGD with momentum. clr-tui is the
real worker, including its log; torch-lr-finder, Lightning's Tuner, fastai's lr_find and a plain
DataLoader loop are timed with 0 and 2 worker processes, and the better one counts. The bare limit
is the engine's network on one batch in memory, with nothing drawn, read or written. Each has one
warm-up turn: clr-tui's images are then decoded, as in every run but the first on a folder
(`bench_decode.py` measures the first).
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import engine_runs
import measure
import photographs
from peers import END, LIMIT_ENVIRONMENT, START, Contestant

from clr_tui.engine.log.events import TrialFinished
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import RangeTest, TaskConfig

WORKERS = (0, 2)
TOOLS = {
    "lr_finder": "torch-lr-finder",
    "lightning": "Lightning Tuner",
    "fastai": "fastai lr_find",
    "plain": "plain DataLoader loop",
}
OURS, LIMIT = "clr-tui", "bare limit"
GOALS = {"torch-lr-finder": 3.0, "Lightning Tuner": 2.0, "fastai lr_find": 2.0, LIMIT: 0.9}


def our_seconds(runs: Path, data: Path, size: int, steps: int) -> float:
    """Times a whole sweep in the worker: the second of two, to match the others' warm-up."""
    run = create_run(
        runs,
        task=TaskConfig(data=str(data), image_size=size, device="cpu"),
        job=RangeTest(start_lr=START, end_lr=END, steps=steps, seeds=2),
        version="0",
    )
    ends = engine_runs.of(engine_runs.finish(run), TrialFinished)
    return ends[1].time - ends[0].time


def best_of(tool: str, data: Path, size: int, steps: int) -> tuple[str, Contestant]:
    """Returns the tool with the better number of workers, warmed up."""
    timed = []
    for workers in WORKERS:
        peer = Contestant(tool, data, size, workers)
        peer.seconds(3)
        timed.append((peer.seconds(steps // 2), workers, peer))
    timed.sort(key=lambda entry: entry[0])
    for _, _, peer in timed[1:]:
        peer.close()
    _, workers, peer = timed[0]
    return f"{TOOLS[tool]}, {workers} workers", peer


def limit(data: Path, size: int, steps: int) -> tuple[str, Contestant]:
    """Returns the faster of both memory layouts."""
    peers = [Contestant("bare", data, size, layout, LIMIT_ENVIRONMENT) for layout in (0, 1)]
    timed = [(peer.seconds(3), peer.seconds(steps))[1] for peer in peers]
    last = timed[1] < timed[0]
    peers[not last].close()
    return f"{LIMIT}, {'channels_last' if last else 'contiguous'}", peers[last]


def bench(report: measure.Report, runs: Path, size: int, steps: int, rounds: int) -> None:
    """Adds the rows and figures of one image size."""
    data = photographs.folder()
    peers = dict(best_of(tool, data, size, steps) for tool in TOOLS)
    name, bare = limit(data, size, steps)
    peers[name] = bare
    contestants: dict[str, Callable[[], float]] = {
        OURS: partial(our_seconds, runs, data, size, steps)
    }
    contestants |= {name: partial(peer.seconds, steps) for name, peer in peers.items()}
    seconds = measure.take_turns(contestants, rounds)
    for peer in peers.values():
        peer.close()
    ours = seconds[OURS]
    for name, theirs in seconds.items():
        times = measure.ratio(theirs, ours)
        ratio = "" if name == OURS else f"clr-tui is {measure.spread(times)} times as fast"
        report.add(f"{size}x{size}: {name}", [steps / s for s in theirs], "steps/s", ratio)
        goal = next((g for tool, g in GOALS.items() if name.startswith(tool)), None)
        if goal is not None:
            middle = statistics.median(times)
            what = f"range test {size}x{size} against {name}"
            report.reach(what, f"at least {goal:g}", f"{middle:.2f}", middle >= goal)


def main() -> int:
    report = measure.Report("range test")
    with tempfile.TemporaryDirectory() as folder:
        engine_runs.own_cache(Path(folder))
        bench(report, Path(folder), 32, 60, measure.rounds(3))
        bench(report, Path(folder), 128, 8, measure.rounds(2))
    report.notes.append(f"data: {photographs.name()}")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
