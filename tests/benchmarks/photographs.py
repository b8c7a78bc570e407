"""A folder of JPEGs to train on: a given one, or a generated one that is always the same."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import measure
import numpy as np
from PIL import Image

BUILD = Path(__file__).resolve().parents[2] / "build"
COUNTS = {"daisy": 764, "dandelion": 1052, "rose": 784, "sunflower": 733, "tulip": 984}
"""The size of a well-known set of flowers: 4,317."""
WIDTH, HEIGHT = 320, 240


def folder() -> Path:
    """Returns the folder in `--data` or $CLR_TUI_BENCH_DATA, else the generated, cached one."""
    named = measure.data_folder()
    if named is not None:
        return named
    made = BUILD / "bench-flowers"
    whole = made.with_name("bench-flowers.whole")
    if not whole.exists():
        print("making 4,317 JPEGs", flush=True)
        _make(made)
        whole.touch()
    return made


def name() -> str:
    """Names the data in a table."""
    named = measure.data_folder()
    if named is not None:
        return f"{named.name}, {sum(1 for _ in named.rglob('*.jp*g')):,} JPEGs"
    return f"{sum(COUNTS.values()):,} made JPEGs of {WIDTH}x{HEIGHT}"


def _make(root: Path) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for label, (flower, count) in enumerate(COUNTS.items()):
            (root / flower).mkdir(parents=True, exist_ok=True)
            list(
                pool.map(
                    lambda i, f=flower, la=label: _draw(root / f / f"{i:04}.jpg", la, i),
                    range(count),
                )
            )


def _draw(path: Path, label: int, number: int) -> None:
    """Draws petals on a soft, grainy background: about as hard to decode as a photograph."""
    rng = np.random.default_rng([label, number])
    soft = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    picture = np.asarray(soft.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), dtype=np.float32)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x -= rng.uniform(0.3, 0.7) * WIDTH
    y -= rng.uniform(0.3, 0.7) * HEIGHT
    petals = np.cos(np.arctan2(y, x) * (4 + label)) * 30 + rng.uniform(50, 90)
    inside = (np.hypot(x, y) < petals)[..., np.newaxis]
    colour = rng.uniform(64, 255, 3).astype(np.float32)
    picture = np.where(inside, 0.3 * picture + 0.7 * colour, picture)
    picture += rng.normal(0, 6, picture.shape).astype(np.float32)
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=90)
