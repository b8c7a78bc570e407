"""Reads lines of schema 1, which had only images and accuracy, as events of the current schema."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY

_RENAMED = {
    "images_per_second": "samples_per_second",
    "left": "eta_seconds",
    "images": "samples",
    "best_accuracy": "best_value",
}
"""Fields with a new name. No event of the current schema has one with an old name."""
_ACCURACIES = {"accuracy": "metrics", "train_accuracy": "train_metrics"}
"""Accuracies, and the fields that hold all metrics by name instead."""
_ROUNDING = 0.01
"""Share of an image that float32 loses when it sums the shares of some thousand images."""


MARKS = re.compile(b'"(?:%s)"' % "|".join((*_RENAMED, *_ACCURACIES, "task-ready")).encode())
"""A line without any of these is the same in both schemas, and need not be upgraded."""


class Upgrade:
    """Decodes the lines of one log in order. Lines of schema 2 are decoded too."""

    def __init__(self) -> None:
        self._images: dict[ev.Part, int] = {}

    def __call__(self, line: bytes) -> ev.AnyEvent:
        """Decodes the next line; raises an error of msgspec if it is not an event."""
        fields = msgspec.json.decode(line, type=dict[str, Any])
        kind = fields.get("type")
        for old in _RENAMED.keys() & fields.keys():
            fields[_RENAMED[old]] = fields.pop(old)
        for old in _ACCURACIES.keys() & fields.keys():
            accuracy = fields.pop(old)
            in_sweep = kind == "steps" and accuracy is None
            fields[_ACCURACIES[old]] = {} if in_sweep else {ACCURACY.name: accuracy}
        if kind == "task-ready" and "metrics" not in fields:
            fields |= {"metrics": [msgspec.to_builtins(ACCURACY)], "samples": "images"}
            event = msgspec.convert(fields, ev.TaskReady)
            self._images = {"validation": event.validation, "test": event.test}
            return event
        return self._exact(msgspec.convert(fields, ev.AnyEvent))

    def _exact(self, event: ev.AnyEvent) -> ev.AnyEvent:
        if isinstance(event, ev.Evaluated) and ACCURACY.name in event.metrics:
            accuracy = self._counted(event.metrics[ACCURACY.name], event.part)
            return msgspec.structs.replace(
                event, metrics={**event.metrics, ACCURACY.name: accuracy}
            )
        if isinstance(event, ev.EpochFinished):
            best = self._counted(event.best_value, "validation")
            return msgspec.structs.replace(event, best_value=best)
        return event

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
