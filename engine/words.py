"""Learning rates, distances between them, counts and lists in words."""

from __future__ import annotations

import math
from collections.abc import Sequence


def lr_str(lr: float) -> str:
    """A finite learning rate above 0 for a sentence, to two digits: `3.6e-3`, `1e-1`, `1`, `10`."""
    mantissa, exponent = f"{lr:.1e}".split("e")
    mantissa = mantissa.removesuffix(".0")
    power = int(exponent)
    if 0 <= power <= 2:
        return f"{float(mantissa) * 10**power:g}"
    return f"{mantissa}e{power}"


def exact_lr(value: float) -> str:
    """A learning rate as one would type it, to four digits: `0.0036`, `5e-4`, `1.234e-5`."""
    short = f"{value:.4g}"
    if value == 0 or 1e-3 <= abs(value) < 1e4 or "e" not in f"{value:.3e}":
        return short
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def decades_apart(lr: float, other: float) -> str:
    """`lr` relative to `other`: `a decade below`, rounded; empty within one, or if one is <= 0."""
    if not (lr > 0 and other > 0):  # in a damaged log
        return ""
    distance = math.log10(lr) - math.log10(other)
    if abs(distance) <= 1:
        return ""
    whole = round(abs(distance))
    decades = "a decade" if whole == 1 else f"{whole} decades"
    return f"{decades} {'above' if distance > 0 else 'below'}"


def many(count: int, what: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{count} {plural(what, count)}"


def plural(what: str, count: int) -> str:
    """`seed` for 1, `seeds` for any other number."""
    return what if count == 1 else f"{what}s"


def gib(size: int) -> str:
    """`1.5 GiB` for a number of bytes."""
    return f"{size / (1 << 30):.1f} GiB"


def all_of(count: int, what: str) -> str:
    """`the only seed`, `all 3 seeds`."""
    return f"the only {what}" if count == 1 else f"all {count} {what}s"


def be(count: int) -> str:
    """`is` for one, `are` for any other number."""
    return "is" if count == 1 else "are"


def have(count: int) -> str:
    """`has` for one, `have` for any other number."""
    return "has" if count == 1 else "have"


def was(count: int) -> str:
    """`was` for one, `were` for any other number."""
    return "was" if count == 1 else "were"


def type_in_words(value: object) -> str:
    """`None`, `an int`, `a dict`; `an object of type Net` for a class that is not built in."""
    if value is None:
        return "None"
    name = type(value).__name__
    if type(value).__module__ != "builtins":
        return f"an object of type {name}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listed(labels: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; at least one label."""
    *first, last = labels
    return f"{', '.join(first)} and {last}" if first else last
