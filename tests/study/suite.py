"""The settings of the study: what is trained, with which optimizer, at which batch size.

The order is the order of work: one setting of each kind comes before more of the same.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

RATES_PER_DECADE = 4
"""Of the ladder that all trainings use: neighbours differ by a factor of 1.78."""
CENTRES = {
    "sgd": -1.5,
    "sgd(momentum=0)": -0.5,
    "adam": -2.5,
    "adamw": -2.5,
    "rmsprop": -3.0,
    "lion_pytorch:Lion": -3.5,
}
"""Where to begin looking for the best rate, as log10. Only the number of trainings depends on it:
the search goes on until the best rate is enclosed."""
DEFAULTS = {
    "sgd": 1e-3,
    "sgd(momentum=0)": 1e-3,
    "adam": 1e-3,
    "adamw": 1e-3,
    "rmsprop": 1e-2,
    "lion_pytorch:Lion": 1e-4,
}
"""The default rates of their classes."""
SWEEPS = ((100, 3), (300, 3), (1000, 3), (3000, 1))
"""Seeds by the length of a sweep in steps."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One task with one optimizer, whose best rate is found by training at many."""

    kind: str
    """The name of its task, see `workloads`."""
    optimizer: str
    """As after `--optimizer`."""
    batch_size: int = 64
    epochs: int = 8
    """Of each training: whole cycles of twice `step_size` epochs."""
    step_size: float = 4.0
    policy: str = "triangular"
    seeds: int = 3
    """Trainings at each rate near the best."""
    start_lr: float = 1e-7
    end_lr: float = 1.0
    sweeps: tuple[tuple[int, int], ...] = SWEEPS
    """Length in steps and number of seeds of each group of sweeps."""
    all_early: bool = False
    """Whether its long sweeps do not wait until all settings have their trainings."""

    @property
    def name(self) -> str:
        """Its file of results, without suffix."""
        optimizer = self.optimizer.replace("(momentum=0)", "0").split(":")[-1].lower()
        policy = "" if self.policy == "triangular" else f"-{self.policy}"
        long = f"-e{self.epochs}" if (self.kind, self.epochs) in _LONG else ""
        return f"{self.kind}-{optimizer}-b{self.batch_size}{policy}{long}"

    @property
    def is_cheap(self) -> bool:
        """Whether more seeds cost little, so that they need not wait for other settings."""
        return self.seeds > 3

    @property
    def centre(self) -> int:
        """The step of the ladder where the search begins."""
        return round(CENTRES[self.optimizer] * RATES_PER_DECADE)

    @property
    def is_accuracy(self) -> bool:
        """Whether its primary metric is an accuracy, which Smith's rule reads."""
        return self.kind not in ("table", "text")

    def described(self) -> dict[str, Any]:
        """All that its results depend on, as plain values."""
        # Seeds and sweeps can be added to results that are there.
        return {k: v for k, v in asdict(self).items() if k not in ("seeds", "sweeps", "all_early")}


_LONG = {("digits", 32)}


HELD_OUT_FIRST = ("table", "shufflenet", "resnet18")


def is_held_out(setting: Setting) -> bool:
    """Whether it only reports: rules and limits are chosen by the other half of the suite.

    Every other setting of a kind of task, beginning with the first or the second.
    """
    alike = [other for other in SUITE if other.kind == setting.kind]
    return (alike.index(setting) + (setting.kind in HELD_OUT_FIRST)) % 2 == 1


def rate(step: int) -> float:
    """The learning rate at a step of the ladder."""
    return float(f"{10 ** (step / RATES_PER_DECADE):.6g}")


def step_of(lr: float) -> float:
    """The place of a rate on the ladder."""
    return RATES_PER_DECADE * math.log10(lr)


def _settings() -> list[Setting]:
    every = tuple((steps, 3) for steps, _ in SWEEPS)
    digits = Setting(kind="digits", optimizer="sgd", seeds=5)
    table = Setting(kind="table", optimizer="adam", seeds=5, all_early=True)
    text = Setting(kind="text", optimizer="adamw", epochs=4, step_size=2.0, sweeps=SWEEPS[:3])
    frozen = Setting(kind="frozen", optimizer="sgd", seeds=5, all_early=True)
    costly = ((100, 3), (300, 3), (1000, 1))
    flowers = Setting(kind="flowers32", optimizer="sgd", epochs=4, step_size=2.0, sweeps=costly)
    # On the flowers, seeds of this network differ by up to 16 points after 4 epochs and by 5 after
    # 16; on the digits by 1. Seeds of MobileNetV2 and SqueezeNet differ by 8 and 16 there.
    vision = replace(flowers, kind="shufflenet", epochs=16, step_size=8.0)
    flowers64 = replace(flowers, kind="flowers64", sweeps=costly[:2])
    lion = "lion_pytorch:Lion"
    bare: dict[str, Any] = {"optimizer": "sgd(momentum=0)", "end_lr": 10.0}
    return [
        replace(digits, sweeps=every, all_early=True),
        replace(table, sweeps=every),
        replace(frozen, sweeps=every),
        replace(digits, optimizer="adam"),
        text,
        replace(digits, **bare),
        replace(table, optimizer="sgd"),
        replace(frozen, optimizer="adam", batch_size=128),
        replace(digits, optimizer=lion),
        replace(table, **bare, batch_size=32),
        replace(frozen, optimizer=lion),
        vision,
        replace(digits, optimizer="adamw", batch_size=256, epochs=16),
        replace(digits, optimizer="rmsprop", batch_size=32),
        replace(table, optimizer="rmsprop", batch_size=256, epochs=16),
        replace(frozen, **bare, batch_size=32),
        flowers,
        replace(digits, policy="constant"),
        replace(text, optimizer="sgd"),
        replace(digits, optimizer="adam", policy="one-cycle"),
        replace(digits, optimizer="adam", batch_size=512, epochs=32, step_size=16.0),
        replace(digits, optimizer="sgd", batch_size=16),
        replace(vision, optimizer="adam"),
        replace(text, optimizer=lion, batch_size=32),
        replace(frozen, optimizer="adamw", policy="constant"),
        replace(flowers, optimizer="adam", batch_size=128, epochs=8, step_size=4.0),
        replace(table, optimizer="adamw", batch_size=512, epochs=16),
        replace(digits, epochs=32),
        replace(table, optimizer=lion, batch_size=128, policy="one-cycle"),
        replace(frozen, optimizer="rmsprop", batch_size=512, epochs=16),
        replace(vision, kind="resnet18", optimizer="adamw", epochs=6, step_size=3.0),
        replace(digits, optimizer="sgd", batch_size=512, epochs=32, step_size=16.0),
        replace(digits, **bare, batch_size=16),
        replace(text, optimizer="rmsprop", batch_size=128, epochs=8, step_size=4.0),
        flowers64,
        replace(flowers, **bare, batch_size=32),
        replace(digits, optimizer=lion, batch_size=16),
        replace(digits, optimizer="adamw", batch_size=32, policy="one-cycle"),
        replace(flowers, optimizer="rmsprop", batch_size=256, epochs=8, step_size=4.0),
        replace(flowers64, optimizer="adam"),
    ]


SUITE: tuple[Setting, ...] = tuple(_settings())
