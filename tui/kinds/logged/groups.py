"""Which values share a chart, by their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from clr_tui.engine.analysis.metric_names import MetricName, Sort, in_order, read_name
from clr_tui.tui.text.clean import plain

MOST_RATES = 8
"""Learning rates that share a chart: more could not be told apart."""
RATES = "learning rate"
_ACCURACY = re.compile(r"\bacc\b")
_SYSTEM = re.compile(r"^_?system[/._-]", re.IGNORECASE)


@dataclass(frozen=True)
class Curve:
    """One name on a chart."""

    name: str
    """As it was logged."""
    label: str
    """For the legend: "train", "val", "val epoch"; the name if that says too little."""
    part: str
    """`train`, `val` or `test`."""


@dataclass(frozen=True)
class ChartGroup:
    """The names that share a chart."""

    title: str
    sort: Sort
    quantity: str
    curves: tuple[Curve, ...]

    @property
    def key(self) -> str:
        """Identifies the chart while others come and go."""
        return f"{self.sort} {_key(self.quantity)}"


def chart_groups(names: Iterable[str]) -> list[ChartGroup]:
    """Makes charts of names: losses first, then metrics, learning rates, the rest.

    Values of one quantity on several parts of the data share a chart, such as `train_loss` and
    `val_loss`; so do learning rates.
    """
    known = in_order(map(read_name, dict.fromkeys(names)))
    rates = [one for one in known if one.sort == "lr"]
    together = 1 < len({one.quantity.casefold() for one in rates}) <= MOST_RATES
    found: dict[tuple[Sort, str], list[MetricName]] = {}
    for one in known:
        quantity = RATES if together and one.sort == "lr" else _key(one.quantity)
        found.setdefault((one.sort, quantity), []).append(one)
    return [
        _group(sort, RATES if together and sort == "lr" else own[0].quantity, own)
        for (sort, _), own in found.items()
    ]


def _key(quantity: str) -> str:
    """The same for names that differ only in how they are written."""
    return _ACCURACY.sub("accuracy", quantity.casefold())


def _group(sort: Sort, quantity: str, names: list[MetricName]) -> ChartGroup:
    title = plain(quantity if len(names) > 1 else names[0].name)
    if sort == "system":
        title = _SYSTEM.sub("", title) or title
    labels = _short_names(names) if quantity == RATES else _part_labels(names)
    curves = tuple(
        Curve(one.name, plain(label), one.part or "train")
        for one, label in zip(names, labels, strict=True)
    )
    return ChartGroup(title, sort, quantity, curves)


def _part_labels(names: list[MetricName]) -> list[str]:
    """The part of the data and what a value stands for; the name where that is not unique."""
    labels = [" ".join(filter(None, (one.part or "train", one.each))) for one in names]
    count = Counter(labels)
    return [
        one.name if count[label] > 1 else label for one, label in zip(names, labels, strict=True)
    ]


def _short_names(names: list[MetricName]) -> list[str]:
    """Names without the words that they all begin with."""
    least, greatest = min(one.name for one in names), max(one.name for one in names)
    equal = [a == b for a, b in zip(least, greatest, strict=False)]
    common = least[: equal.index(False) if False in equal else len(equal)]
    start = max(common.rfind(mark) for mark in "/_.- ") + 1
    return [one.name[start:] or one.name for one in names]
