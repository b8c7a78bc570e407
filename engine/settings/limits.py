"""Limits of numbers, and the sentences about invalid numbers and names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clr_tui.engine.errors import UserError, did_you_mean

MAX_COUNT = 10**9
RATE: dict[str, Any] = {"gt": 0, "ge": 1e-30, "le": 1e6}
"""Limits of a learning rate: far beyond what can train, and well within float32."""
COUNT: dict[str, Any] = {"ge": 1, "le": MAX_COUNT}
LENGTH: dict[str, Any] = {"gt": 0, "ge": 1e-6, "le": MAX_COUNT}
"""In epochs."""
TIME: dict[str, Any] = {"ge": 5, "le": 30 * 86400, "unit": "seconds"}
_MAX_DIGITS = 40
"""Characters of an invalid value to show."""


@dataclass(frozen=True)
class Limits:
    """The limits of a number; NaN and infinite numbers are never allowed."""

    gt: float | None = None
    ge: float | None = None
    """Together with `gt`: the smallest value that makes sense."""
    lt: float | None = None
    le: float | None = None
    unit: str = ""
    written: str = ""
    """Examples of values, if not plain numbers: "0.65 or 65%"."""

    def mistake(self, field: str, value: float, name: str = "") -> UserError | None:
        """The mistake of a `value` outside the limits; `name` is the field's name in its text."""
        words = self._broken(value)
        if not words:
            return None
        said = shown(value) if isinstance(value, int) else f"{value:g}"
        return UserError(f"{name or field} must be {words}, not {said}", field)

    def _broken(self, value: float) -> str:
        """What `value` should be, in words; empty if it is within the limits."""
        finite = value - value == 0  # an int may be too large for isfinite
        above = finite and (self.gt is None or value > self.gt)
        below = self.lt is None or value < self.lt
        least = self.ge is None or value >= self.ge
        most = self.le is None or value <= self.le
        if above and below and least and most:
            return ""
        if not above or self.ge is None or self.lt is not None:
            return self._both()
        return self._unit(f"at most {_written(self.le)}" if least else f"at least {self.ge:g}")

    def _low(self) -> str:
        return f"above {self.gt:g}" if self.gt is not None else f"at least {self.ge or 0:g}"

    def _both(self) -> str:
        ends = [self._low()]
        if self.lt is not None:
            ends.append(f"below {self.lt:g}")
        elif self.le is not None and self.ge is None:
            ends.append(f"at most {self.le:g}")
        words = self._unit(" and ".join(ends) if len(ends) > 1 else f"a number {ends[0]}")
        return f"{words}, such as {self.written}" if self.written else words

    def _unit(self, words: str) -> str:
        return f"{words} {self.unit}" if self.unit else words


SHARE = Limits(gt=0, lt=1, written="0.65 or 65%")
"""The limits of a target for an accuracy."""


def _written(value: float | None) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def shown(value: object) -> str:
    """The value as text, shortened if it is long."""
    text = str(value)
    return text if len(text) <= _MAX_DIGITS else f"{text[:_MAX_DIGITS]}..."


def choice_mistake(field: str, value: str, choices: Iterable[str], name: str = "") -> UserError:
    """The mistake of a `value` that is not in `choices`; `name` as for `Limits.mistake`."""
    near = did_you_mean(value.lower(), choices) or f": choose from {', '.join(choices)}"
    return UserError(f"no {name or field} '{shown(value)}'{near}", field)


def not_below(lower: str, low: float, upper: str, high: float) -> list[UserError]:
    """The mistake of a field `lower` whose value is not below that of `upper`."""
    if low < high:
        return []
    return [UserError(f"{lower} {low:g} is not below {upper} {high:g}", lower)]
