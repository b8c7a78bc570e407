"""The rates of a grid as CSV."""

from __future__ import annotations

import csv
import io
import math

from made_grids import grid_history

from clr_tui.engine.analysis.comparison.sensitivity import sensitivity_of
from clr_tui.engine.analysis.recordings.rates_csv import HEADER, rates_csv


def test_a_row_for_each_rate_and_a_column_for_each_seed() -> None:
    ends = {
        "sgd+clr": [[0.1, 0.3], [0.5, "stopped"], [0.6, math.nan]],
        "adam(eps=1e-6)": [["waiting"], [None], [0.25, 0.25]],
    }
    found = sensitivity_of(grid_history(ends, "grid:1e-3..0.1x3"))
    header, *rows = csv.reader(io.StringIO(rates_csv(found)))
    assert header == [*HEADER, "seed 0", "seed 1"]
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["optimizer"], float(row["lr"])) for row in table] == [
        (label, lr) for label in ("sgd+clr", "adam(eps=1e-06)") for lr in (1e-3, 1e-2, 0.1)
    ]
    first, second, third, fourth, fifth, sixth = table
    points = found.optimizers[0].points
    assert [float(first[name]) for name in ("mean", "low", "high")] == [
        points[0].mean,
        points[0].low,
        points[0].high,
    ]
    assert (second["state"], second["seed 0"], second["seed 1"]) == ("stopped", "0.5", "")
    assert (third["state"], third["lost"], third["mean"]) == ("diverged", "1", "")
    assert third["seed 0"] == "0.6"
    assert (fourth["state"], fourth["mean"]) == ("stopped", "")  # the run is over
    assert (fifth["state"], fifth["lost"]) == ("failed", "1")
    assert (sixth["mean"], sixth["low"], sixth["high"]) == ("0.25", "", "")
