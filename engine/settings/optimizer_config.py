"""An optimizer as a setting: its name and its options."""

from __future__ import annotations

from typing import Annotated, Optional, Union

import msgspec

from clr_tui.engine.settings.table import described

Option = Union[bool, int, float, str, None, list[Optional[float]]]  # noqa: UP007, UP045 - msgspec wants it
"""The value of an optimizer's keyword argument."""


class OptimizerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The optimizer without its learning rate."""

    name: str = "sgd"
    """A class of torch.optim in lower case (`adamw`), or `package.module:Class`."""
    momentum: Annotated[float, described("momentum, for sgd only", ge=0, lt=1)] = 0.9
    weight_decay: Annotated[
        float,
        described(
            "weight decay; optimizers other than sgd have their own default", ge=0, example="1e-4"
        ),
    ] = 0.0
    """Passed to the optimizer if not 0."""
    options: dict[str, Option] = {}
    """Extra keyword arguments of its class, such as `betas` or `nesterov`."""


OptimizerSetting = Annotated[
    OptimizerConfig,
    described(
        "a torch.optim class or a.module:Class, such as 'adamw(weight_decay=0.05)'",
        format="optimizer",
        example="adamw",
    ),
]
