"""Turns rows that are JSON objects into columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats, Ints

Row = dict[str, Any]
_MAX_ITEMS = 16
"""Of a list of numbers whose items get names of their own."""
_MAX_DEPTH = 8
_NOT_FINITE = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})


class Columns:
    """The numbers of some rows by name, those in objects and lists within as "a/b" and "a/0".

    A null is no value; `nan` and infinities are values that are not finite, also as text.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._parts: dict[str, list[tuple[Ints, Floats]]] = {}
        self.texts: dict[str, str] = {}
        """Names whose values are text, each with one of them."""
        self._take(rows, np.arange(len(rows)), "", 0)

    def found(self) -> dict[str, tuple[Ints, Floats]]:
        """By name: the rows that have a value, rising, and the values, NaN where not finite."""
        return {name: _in_order(parts) for name, parts in self._parts.items()}

    def _take(self, rows: Sequence[Row], places: Ints, prefix: str, depth: int) -> None:
        """Takes the rows; `places` are their numbers."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for i, row in enumerate(rows):
            groups.setdefault(tuple(row), []).append(i)
        for names, chosen in groups.items():
            own = places[chosen]
            for name in names:
                self._take_column(prefix + name, [rows[i][name] for i in chosen], own, depth)

    def _take_column(self, name: str, values: list[Any], places: Ints, depth: int) -> None:
        try:
            numbers = np.array(values, np.float64)
        except (TypeError, ValueError, OverflowError):
            self._take_each(name, values, places, depth)
            return
        if numbers.ndim != 1:
            self._take_each(name, values, places, depth)
        elif None in values:
            present = np.array([value is not None for value in values])
            self._put(name, places[present], numbers[present])
        else:
            self._put(name, places, numbers)

    def _take_each(self, name: str, values: list[Any], places: Ints, depth: int) -> None:
        """Takes a column that holds something else than numbers."""
        numbers, within = np.full(len(values), math.nan), np.zeros(len(values), np.bool_)
        inner: list[Row] = []
        inner_places: list[int] = []
        for i, value in enumerate(values):
            row = _within(value)
            if row is not None:
                inner.append(row)
                inner_places.append(int(places[i]))
            elif isinstance(value, str) and value.strip().lower() not in _NOT_FINITE:
                self._take_text(name, value, numbers, within, i)
            elif value is not None and not isinstance(value, list | dict):
                numbers[i], within[i] = _number(value), True
        self._put(name, places[within], numbers[within])
        if inner and depth < _MAX_DEPTH:
            self._take(inner, np.array(inner_places), f"{name}/", depth + 1)

    def _take_text(self, name: str, text: str, numbers: Floats, within: Bools, i: int) -> None:
        try:
            numbers[i], within[i] = float(text), True
        except ValueError:
            self.texts.setdefault(name, text)

    def _put(self, name: str, places: Ints, numbers: Floats) -> None:
        if len(places):
            numbers = np.where(np.isfinite(numbers), numbers, math.nan)
            self._parts.setdefault(name, []).append((places, numbers))


def _within(value: Any) -> Row | None:
    """The object, or the list of a few numbers as one; None if it is neither."""
    if isinstance(value, dict):
        return {str(key): inner for key, inner in value.items()}
    if isinstance(value, list) and len(value) <= _MAX_ITEMS:
        return {str(i): item for i, item in enumerate(value)}
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floats
        return math.nan


def _in_order(parts: list[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    if len(parts) == 1:
        return parts[0]
    places = np.concatenate([places for places, _ in parts])
    order = np.argsort(places, kind="stable")
    return places[order], np.concatenate([numbers for _, numbers in parts])[order]
