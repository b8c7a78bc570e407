"""What habits of reading a comparison do to its figures: looking often, and targets."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measured import report_on
from populations import MEAN, SPREAD, Floats

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.curves_csv import read_curves

EPOCHS = 24
TARGET = 0.8


def told_by_looking(first: int, last: int, runs: int, rng: np.random.Generator) -> float:
    """How often two equal optimizers are told apart if one looks after each seed, and then stops.

    Args:
        first: the number of seeds at the first look; `last` at the last.
    """
    told = 0
    for _ in range(runs):
        values = MEAN + SPREAD * rng.normal(size=(2, last))
        looks = (report_on(values[:, :seeds]).pairs[0] for seeds in range(first, last + 1))
        told += any(pair.distinguishable for pair in looks)
    return told / runs


def csv_report(curves: Floats) -> CompareReport:
    """The report of a CSV of validation accuracies, shape (entries, seeds, epochs)."""
    lines = ["optimizer,seed,epoch,val_acc"]
    for entry, of_entry in enumerate(curves):
        for seed, curve in enumerate(of_entry):
            lines += [f"{entry},{seed},{e},{float(v)!r}" for e, v in enumerate(curve, 1)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "curves.csv"
        path.write_text("\n".join(lines) + "\n")
        config, events = read_curves(path)
    history = RunHistory(config)
    for event in events:
        history.apply(event)
    return compare_report(history, target=TARGET)


def epochs_to_target(noise: float, runs: int, rng: np.random.Generator) -> float:
    """The mean epoch in which noisy curves are said to reach the target.

    Without noise, the curve reaches it in epoch 9.

    Args:
        noise: standard deviation of a value about the curve.
    """
    smooth = 0.9 - 0.4 * np.exp(-np.arange(1, EPOCHS + 1) / 6)
    found = []
    for _ in range(runs):
        curves = np.clip(smooth + noise * rng.normal(size=(1, 3, EPOCHS)), 0, 1)
        to_target = csv_report(curves).entries[0].to_target
        if to_target is not None and to_target.mean_epoch is not None:
            found.append(to_target.mean_epoch)
    return float(np.mean(found))
