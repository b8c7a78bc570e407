"""Reads lines of schema 1, which had only images and accuracy, as events of the current schema."""

from __future__ import annotations

import math
from typing import Union

import msgspec

from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY

_ROUNDING = 0.01
"""Share of an image that float32 loses when it sums the shares of some thousand images."""


class _Line(ev.Event, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rejects lines with a field of schema 2."""


class _TaskReady(_Line, frozen=True, kw_only=True, tag="task-ready"):
    name: str
    model: str
    classes: list[str]
    train: int
    validation: int
    test: int
    channels: int
    image_size: int
    parameters: int
    trainable: int
    batch_size: int
    steps_per_epoch: int
    skipped: int = 0


class _Steps(_Line, frozen=True, kw_only=True, tag="steps"):
    trial: int
    step: list[int]
    lr: list[float]
    loss: list[float | None]
    accuracy: list[float | None] | None = None
    elapsed: float = 0.0
    images_per_second: float | None = None
    left: float | None = None


class _Evaluated(_Line, frozen=True, kw_only=True, tag="evaluated"):
    trial: int
    step: int
    part: ev.Part
    loss: float | None
    accuracy: float | None
    lr: float | None = None
    epoch: int | None = None
    checkpoint: str | None = None


class _EpochFinished(_Line, frozen=True, kw_only=True, tag="epoch-finished"):
    trial: int
    epoch: int
    step: int
    train_loss: float | None
    train_accuracy: float | None
    seconds: float | None
    best_epoch: int
    best_accuracy: float | None


class _RateChosen(_Line, frozen=True, kw_only=True, tag="rate-chosen"):
    entry: int
    lr: float
    base_lr: float | None = None
    source: ev.RateSource
    trial: int | None = None
    steps: int = 0
    images: int = 0
    seconds: float = 0.0
    note: str = ""


class _Overall(_Line, frozen=True, kw_only=True, tag="overall"):
    done: int
    failed: int
    stopped: int
    running: int
    total: int
    fraction: float
    left: float | None = None


Changed = Union[_TaskReady, _Steps, _Evaluated, _EpochFinished, _RateChosen, _Overall]  # noqa: UP007

DECODE = msgspec.json.Decoder(Changed).decode
"""Decodes a line of an event that schema 2 changed; any other raises an error of msgspec."""


class Upgrade:
    """Converts the events of one log, in order, from schema 1 to the current one."""

    def __init__(self) -> None:
        self._images: dict[ev.Part, int] = {}

    def __call__(self, old: Changed) -> ev.AnyEvent:
        """Converts the next event."""
        fields = msgspec.structs.asdict(old)
        match old:
            case _Steps():
                accuracy = fields.pop("accuracy")
                return ev.Steps(
                    metrics={} if accuracy is None else {ACCURACY.name: accuracy},
                    samples_per_second=fields.pop("images_per_second"),
                    eta_seconds=fields.pop("left"),
                    **fields,
                )
            case _TaskReady():
                self._images = {"validation": old.validation, "test": old.test}
                return ev.TaskReady(metrics=[ACCURACY], samples="images", **fields)
            case _Evaluated():
                accuracy = self._counted(fields.pop("accuracy"), old.part)
                return ev.Evaluated(metrics={ACCURACY.name: accuracy}, **fields)
            case _EpochFinished():
                train = {ACCURACY.name: fields.pop("train_accuracy")}
                best = self._counted(fields.pop("best_accuracy"), "validation")
                return ev.EpochFinished(train_metrics=train, best_value=best, **fields)
            case _RateChosen():
                return ev.RateChosen(samples=fields.pop("images"), **fields)
            case _Overall():
                return ev.Overall(eta_seconds=fields.pop("left"), **fields)

    def _counted(self, accuracy: float | None, part: ev.Part) -> float | None:
        """Returns the exact share of whole images that `accuracy` was rounded from.

        Early versions wrote sums of float32 shares, such as 0.9499999 for 19 of 20 images, or
        1.0000001 for all of them.
        """
        images = self._images.get(part)
        if accuracy is None or not math.isfinite(accuracy) or not images:
            return accuracy
        count = round(accuracy * images)
        return count / images if 0 < abs(accuracy * images - count) < _ROUNDING else accuracy
