"""The settings of a training."""

from __future__ import annotations

from typing import Annotated

import msgspec

from clr_tui.engine.settings.limits import COUNT, RATE
from clr_tui.engine.settings.optimizer_config import OptimizerConfig, OptimizerSetting
from clr_tui.engine.settings.policy_settings import (
    DECAY,
    FACTOR,
    GAMMA,
    WARMUP,
    Decay,
    Factor,
    Gamma,
    Policy,
    StepSize,
    Warmup,
    WholeCycles,
)
from clr_tui.engine.settings.table import described


class Train(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="train"):
    """CLR training between two bounds."""

    base_lr: Annotated[
        float,
        described(
            "lower bound of the learning rate",
            **RATE,
            example="6e-4",
            empty="max lr / factor",
            derive=lambda job: job.max_lr / job.factor,
        ),
    ]
    max_lr: Annotated[
        float,
        described(
            "upper bound of the learning rate; a range test finds one", **RATE, example="3.6e-3"
        ),
    ]
    policy: Annotated[Policy, described("how the learning rate moves between the bounds")] = (
        "triangular"
    )
    step_size_epochs: StepSize = 4.0
    epochs: Annotated[int, described("length of the training in epochs", **COUNT)] = 16
    gamma: Gamma = GAMMA
    warmup: Warmup = WARMUP
    decay: Decay = DECAY
    scheduler: Annotated[
        str,
        described(
            "a torch.optim.lr_scheduler class that moves the rate, in place of a policy",
            format="scheduler",
            metavar="S",
            example="MultiStepLR(milestones=[8,12])",
            empty="none",
            rare=True,
        ),
    ] = ""
    """As text; the policy is then `constant`."""
    min_momentum: Annotated[
        float | None,
        described(
            "momentum (or first beta) at max_lr; it moves against the rate",
            ge=0,
            lt=1,
            example="0.85",
            empty="constant momentum",
            rare=True,
        ),
    ] = None
    """At `base_lr` the momentum is the optimizer's own."""
    whole_cycles: WholeCycles = True
    factor: Factor = FACTOR
    optimizer: OptimizerSetting = OptimizerConfig()

    def __post_init__(self) -> None:
        """Makes the policy `constant` if a scheduler moves the rate."""
        if self.scheduler:
            msgspec.structs.force_setattr(self, "policy", "constant")

    @property
    def schedule(self) -> str:
        """The name of what moves the rate, for people: a policy, or a scheduler of torch."""
        return self.scheduler.partition("(")[0] or self.policy
