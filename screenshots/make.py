"""Regenerates every picture in screenshots/ from real runs.

    python screenshots/make.py [--data DIR] [--image-size N] [--epochs N] [--runs DIR]

Sweeps, trains at the recommended bounds, trains and sweeps once more for the list of runs, verifies
the recommendation, compares the article's optimizers, and draws the app's screens. Without `--data`
it uses the bundled digits. With `--runs` the runs are kept there, and those that are there and done
are not made again: so pictures are drawn anew in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ.pop("NO_COLOR", None)

from terminal_svg import to_svg

from clr_tui.engine.log.rundir import find_run
from clr_tui.engine.log.summary import summarise
from clr_tui.tui.app import ClrTuiApp

FOLDER = Path(__file__).parent


def command(runs: Path, *arguments: str) -> dict[str, object]:
    """Returns the output of `clr-tui ... --json`."""
    full = [sys.executable, "-m", "clr_tui.tui", *arguments, "--runs-dir", str(runs), "--json"]
    done = subprocess.run(full, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


async def picture(
    name: str,
    runs: Path,
    run: str | None,
    *,
    size: tuple[int, int] = (120, 36),
    theme: str = "clr-dark",
    keys: tuple[str, ...] = (),
) -> None:
    """Opens the app on `run` (None for the list of runs) and draws the screen."""
    app = ClrTuiApp(runs, open_run=find_run(runs, run) if run else None)
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await pilot.pause(1.5)
        for key in keys:
            await pilot.press(key)
        await pilot.pause(1.0)
        rows = [list(strip) for strip in app.screen._compositor.render_strips()]
        background = app.current_theme.background or "#000000"
        title = " ".join(["clr-tui", *(["attach", run] if run else [])])
        (FOLDER / name).write_text(to_svg(rows, size[0], title, background), encoding="utf-8")
        print(f"screenshots/{name}")


def make_runs(runs: Path, task: list[str], epochs: int, seeds: int) -> dict[str, str]:
    """Makes the runs that are not there; returns the ids of those with a picture of their own.

    Ids are counted by kind, so that the order of the runs of a kind is part of their names.
    """
    name = Path(task[1]).name
    sweep, training = f"range-test-{name}-1", f"train-{name}-1"
    other_training, other_sweep = f"train-{name}-2", f"range-test-{name}-2"
    grid, comparison = f"compare-{name}-1", f"compare-{name}-2"
    length = ["--epochs", str(epochs), "--seeds", str(seeds)]
    made: dict[str, list[str]] = {
        sweep: ["range-test", *task, "--seeds", "3"],
        training: ["train", "--from", sweep, "--epochs", "16"],
        other_sweep: ["range-test", *task, "--end-lr", "1e-3"],
        grid: ["compare", "--lr", f"around:{sweep}", *length],
        comparison: ["compare", *task, "--study", "cnn", *length],
        other_training: ["train", *task, "--base-lr", "1e-3", "--max-lr", "6e-3", "--epochs", "8"],
    }
    for run, arguments in made.items():
        if not is_done(runs, run):
            print(run, json.dumps(command(runs, *arguments).get("verdict")))
    return {"sweep": sweep, "training": training, "grid": grid, "comparison": comparison}


def is_done(runs: Path, run: str) -> bool:
    """Whether there is such a run, and it was not stopped."""
    return (runs / run).is_dir() and summarise(find_run(runs, run)).status == "done"


def main() -> None:
    """Makes the runs, then the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--image-size", default=None)
    parser.add_argument("--epochs", type=int, default=16, help="of each trial of a comparison")
    parser.add_argument("--seeds", type=int, default=3, help="of each comparison")
    parser.add_argument("--runs", type=Path, default=None, help="a folder to keep the runs in")
    args = parser.parse_args()
    task = ["--data", args.data]
    if args.image_size:
        task += ["--image-size", args.image_size]
    with tempfile.TemporaryDirectory() as folder:
        runs = args.runs or Path(folder) / "runs"
        made = make_runs(runs, task, args.epochs, args.seeds)
        asyncio.run(picture("range-test.svg", runs, made["sweep"]))
        asyncio.run(picture("range-test-light.svg", runs, made["sweep"], theme="clr-light"))
        asyncio.run(picture("range-test-80x24.svg", runs, made["sweep"], size=(80, 24)))
        asyncio.run(picture("training.svg", runs, made["training"]))
        asyncio.run(picture("sensitivity.svg", runs, made["grid"], size=(120, 40)))
        asyncio.run(picture("comparison.svg", runs, made["comparison"], size=(120, 40)))
        asyncio.run(picture("runs.svg", runs, None, size=(120, 30), keys=("end",)))
        asyncio.run(picture("new-run.svg", runs, None, size=(120, 36), keys=("n",)))


if __name__ == "__main__":
    main()
