"""The policies that move a learning rate, and the settings that they share."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from clr_tui.engine.settings.limits import LENGTH
from clr_tui.engine.settings.table import described

Policy = Literal[
    "triangular",
    "triangular2",
    "exp-range",
    "exp-range-amplitude",
    "linear-decay",
    "one-cycle",
    "cosine",
    "warmup-stable-decay",
    "constant",
]
POLICIES: tuple[Policy, ...] = get_args(Policy)
FACTOR = 6.0
"""Default of max_lr / base_lr (Smith 2017, section 3.3: 3 or 4; the article: 6)."""
GAMMA = 0.99994
"""Decay per step of the exp-range policies (Smith 2017, section 4.1.1)."""
WARMUP, DECAY = 0.05, 0.2
"""Default shares of a training (Hägele et al. 2024, section 3, decay over 10 to 20 %)."""


WholeCycles = Annotated[bool, described("round the length up to whole cycles", rare=True)]
StepSize = Annotated[
    float, described("half a cycle in epochs (Smith 2017: 2 to 10)", title="step size", **LENGTH)
]
Gamma = Annotated[float, described("decay per step in the exp-range policies", gt=0, le=1)]
Warmup = Annotated[
    float,
    described("share of the training that warms up, in cosine and warmup-stable-decay", ge=0, le=1),
]
Decay = Annotated[
    float, described("share of the training that decays, in warmup-stable-decay", ge=0, le=1)
]
Factor = Annotated[
    float, described("upper bound / lower bound, if no lower bound is given", gt=1, rare=True)
]
