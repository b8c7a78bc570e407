"""Regenerates every picture in screenshots/ from real runs.

    python screenshots/make.py [--data DIR] [--image-size N] [--epochs N]
    python screenshots/make.py --from-run RUNS/compare-flowers-1

Sweeps, trains at the recommended bounds, trains and sweeps once more for the list of runs, compares
the article's optimizers, and draws the app's screens. Without `--data` it uses the bundled digits.
With `--from-run` it runs nothing and draws only that comparison.
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

from clr_tui.engine.log.rundir import RunDir, find_run
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


def make_runs(runs: Path, task: list[str], epochs: int) -> tuple[str, str]:
    """Runs a sweep over three seeds and a training at its bounds; returns their ids."""
    sweep = command(runs, "range-test", *task, "--seeds", "3")
    print(json.dumps(sweep.get("verdict")))
    train = command(runs, "train", "--from", str(sweep["run"]), "--epochs", str(epochs))
    command(runs, "train", *task, "--base-lr", "1e-3", "--max-lr", "6e-3", "--epochs", "8")
    command(runs, "range-test", *task, "--end-lr", "1e-3")
    return str(sweep["run"]), str(train["run"])


def compare(runs: Path, task: list[str], epochs: int) -> str:
    """Compares the article's six optimizers over three seeds; returns the run's id."""
    lengths = ["--epochs", str(epochs), "--seeds", "3"]
    found = command(runs, "compare", *task, "--study", "cnn", *lengths)
    print(json.dumps(found.get("verdict")))
    return str(found["run"])


def picture_of_comparison(run: RunDir) -> None:
    """Draws the comparison `run`."""
    asyncio.run(picture("comparison.svg", run.path.parent, run.id, size=(120, 40)))


def main() -> None:
    """Makes the runs, then the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--image-size", default=None)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--from-run", type=Path, default=None, help="the folder of a comparison")
    args = parser.parse_args()
    if args.from_run:
        picture_of_comparison(RunDir(args.from_run.resolve()))
        return
    task = ["--data", args.data]
    if args.image_size:
        task += ["--image-size", args.image_size]
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        sweep, train = make_runs(runs, task, args.epochs)
        asyncio.run(picture("range-test.svg", runs, sweep))
        asyncio.run(picture("range-test-light.svg", runs, sweep, theme="clr-light"))
        asyncio.run(picture("range-test-80x24.svg", runs, sweep, size=(80, 24)))
        asyncio.run(picture("training.svg", runs, train))
        picture_of_comparison(find_run(runs, compare(runs, task, args.epochs)))
        asyncio.run(picture("runs.svg", runs, None, size=(120, 30), keys=("end",)))
        asyncio.run(picture("new-run.svg", runs, None, size=(120, 36), keys=("n",)))


if __name__ == "__main__":
    main()
