"""Image files for the tests to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save_image(path: Path, seed: int, size: tuple[int, int] = (20, 16), mode: str = "RGB") -> None:
    """An image of random pixels; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.RandomState(seed).randint(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def fill_folder(root: Path, counts: dict[str, int], mode: str = "RGB") -> Path:
    """`counts` images for each class folder; no two of them alike."""
    for number, (name, count) in enumerate(counts.items()):
        for i in range(count):
            save_image(root / name / f"{i:03}.png", seed=1000 * number + i, mode=mode)
    return root
