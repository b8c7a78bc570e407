"""The embedded data set: handwritten digits (provenance and licence: DIGITS.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clr_tui.engine.tasks.dataset import Dataset
from clr_tui.engine.tasks.split import stratified_split

FILE = Path(__file__).with_name("digits.npz")


def read_digits(*_: object) -> Dataset:
    """The 1,797 digits, 8x8 grey, scaled from 0..16 to 0..255; fixed split 70/15/15 % by class."""
    with np.load(FILE) as file:
        ink, labels = file["images"], file["labels"].astype(np.int64)
    train, validation, test = stratified_split(labels, (0.15, 0.15))
    return Dataset(
        classes=[str(digit) for digit in range(10)],
        images=np.round(ink * (255 / 16)).astype(np.uint8)[:, np.newaxis],
        labels=labels,
        train=train,
        validation=validation,
        test=test,
        upright=True,
    )
