"""The settings of a learning-rate range test."""

from __future__ import annotations

from typing import Annotated

import msgspec

from clr_tui.engine.settings.limits import COUNT, LENGTH, RATE, TIME
from clr_tui.engine.settings.optimizer_config import OptimizerConfig, OptimizerSetting
from clr_tui.engine.settings.table import described

SMOOTHING = 0.05
"""The weight of a new loss in a smoothed curve."""
SUBSET_SAMPLES = 512
"""Validation samples, at most, that a sweep is evaluated on."""


class RangeTest(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="range-test"):
    """A learning-rate range test (Smith 2017, section 3.3), swept exponentially."""

    start_lr: Annotated[
        float, described("first learning rate, too low to learn anything", **RATE)
    ] = 1e-7
    end_lr: Annotated[
        float, described("last learning rate, unless the loss diverges first", **RATE)
    ] = 1.0
    epochs: Annotated[float, described("length in epochs, but at least 100 steps", **LENGTH)] = 2.0
    """Of the training part."""
    seeds: Annotated[
        int, described("number of sweeps, each from new weights", **COUNT, example="3")
    ] = 1
    time: Annotated[
        float | None,
        described(
            "time to spend, such as 90s or 5m, which sets length and number of sweeps",
            **TIME,
            metavar="TIME",
            format="duration",
            example="5m",
            empty="use epochs and seeds",
        ),
    ] = None
    """In seconds, from the start of the run."""
    accuracy: Annotated[
        bool, described("also measure accuracy on a validation subset, as Smith does")
    ] = False
    steps: Annotated[
        int | None,
        described(
            "length in steps instead of epochs",
            **COUNT,
            example="200",
            empty="use epochs",
            rare=True,
        ),
    ] = None
    smoothing: Annotated[
        float,
        described(
            "weight of a new loss in the smoothed curve; 1 means no smoothing",
            gt=0,
            le=1,
            rare=True,
        ),
    ] = SMOOTHING
    """The smoothed curve determines the early end."""
    divergence: Annotated[
        float,
        described(
            "stop when the smoothed loss exceeds this multiple of its minimum", gt=1, rare=True
        ),
    ] = 4.0
    optimizer: OptimizerSetting = OptimizerConfig()
