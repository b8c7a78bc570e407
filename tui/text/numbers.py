"""Formats numbers with constant width and their unit; a dash for None or one that is not finite."""

from __future__ import annotations

import math

from clr_tui.engine.words import exact_lr
from clr_tui.tui.text.clean import plain

UNKNOWN = "-"
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def lr(value: float | None) -> str:
    """Format a learning rate, seven characters: `3.6e-03`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN.rjust(7)
    return f"{value:.1e}"


def loss(value: float | None) -> str:
    """Format a loss to three digits, eight characters: `   1.592`, `  0.0412`, ` 3.00e-5`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN.rjust(8)
    size = abs(value)
    if not size or 0.1 <= size < 999.9995:
        return f"{value:8.3f}"
    if 1e-4 <= size < 0.1:
        small = f"{value:.{2 - math.floor(math.log10(size))}f}"
        return small.rjust(8) if len(small) <= 8 else scientific(value)
    return scientific(value)


def scientific(value: float) -> str:
    """Format a number with an exponent and as many digits, up to three, as eight cells allow."""
    shapes = (_with_exponent(value, digits) for digits in (2, 1, 0))
    return next((text for text in shapes if len(text) <= 8), "").rjust(8)


def _with_exponent(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def exact(value: float | None) -> str:
    """Format any value to four digits, eight characters without a sign: `0.4120`, `3.600e-5`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if not size:
        return "0"
    if 9999.5 <= size < 999_999.5:
        return f"{value:.0f}"
    return f"{value:#.4g}".rstrip(".") if 1e-3 <= size < 9999.5 else _with_exponent(value, 3)


def place(x: float) -> str:
    """Format a place on an x axis: `12 400` for whole numbers, else `3.241`, `3.6e-3`."""
    return count(x) if x == round(x) and abs(x) < 1e15 else exact_lr(x)


def percent(fraction: float | None) -> str:
    """Format a fraction of 1 as per cent, seven characters: ` 64.1 %`."""
    if fraction is None or not math.isfinite(fraction):
        return UNKNOWN.rjust(7)
    return f"{100 * fraction:5.1f} %"


def count(value: float | None) -> str:
    """Format a whole number with thousands apart: `1 640`."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    return f"{round(value):,}".replace(",", " ")


def of_total(done: int | None, total: int | None) -> str:
    """Format progress in constant width: `  76 / 1 080`."""
    whole = count(total)
    return f"{count(done).rjust(len(whole))} / {whole}"


def throughput(value: float | None) -> str:
    """Format images per second: `1 640`; below ten with one decimal: `3.2`."""
    if value is not None and 0 < value < 9.95:
        return f"{value:.1f}"
    return count(value)


def duration(seconds: float | None) -> str:
    """Format a duration: `0:04`, `12:30`, `3:04:05`; from four days `4 d 3 h`."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole >= 4 * 86400:
        return f"{whole // 86400} d {whole % 86400 // 3600} h"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rough_duration(seconds: float) -> str:
    """Format a duration for a sentence: `40 seconds`, `4 minutes`, `1.5 hours`, `3 days`."""
    units = ((1.0, "second", 90.0), (60.0, "minute", 5400.0), (3600.0, "hour", 172_800.0))
    found = ((size, unit) for size, unit, until in units if seconds < until)
    size, unit = next(found, (86_400.0, "day"))
    value = max(seconds / size, 1.0)
    figure = f"{value:.1f}".removesuffix(".0") if value < 3 and size > 1 else f"{value:.0f}"
    return f"{figure} {unit}{'' if figure == '1' else 's'}"


def size(value: float | None) -> str:
    """Format bytes with a suitable unit: `1.5 GB`, `80 GB`, `312 MB`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    unit = 0
    while value >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:.0f}"
    return f"{digits} {_BYTE_UNITS[unit]}"


def memory(used: float | None, total: float | None) -> str:
    """Format used and total bytes in one unit: `3.1 / 80 GB`."""
    if total is None or not math.isfinite(total) or total <= 0:
        return size(used)
    shown = size(total)
    scale = 1000 ** _BYTE_UNITS.index(shown.split()[1])
    part = f"{used / scale:.1f}" if used is not None and math.isfinite(used) else UNKNOWN
    return f"{part} / {shown}"


def age(seconds: float | None) -> str:
    """Format an age: `now`, `40 s ago`, `5 min ago`, `2 h ago`, `3 d ago`."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    return "now" if seconds < 5 else f"{in_one_unit(seconds)} ago"


def in_one_unit(seconds: float) -> str:
    """Format a time in whole units: `40 s`, `5 min`, `2 h`, `3 d`."""
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds // 86400)} d"


def silent_words(seconds: float, host: str = "") -> str:
    """Say for how long nothing has come: "silent for 3 min", "silent for 40 s on HOST".

    In tens of seconds, because each change of the words is drawn.
    """
    where = f" on {plain(host)}" if host else ""
    return f"silent for {in_one_unit(seconds if seconds >= 60 else seconds // 10 * 10)}{where}"


def short_lr(value: float | None) -> str:
    """Format a learning rate for a narrow column, two digits: `3.6e-3`, `0.50`, `1.0`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    mantissa, exponent = f"{value:.1e}".split("e")
    if -1 <= int(exponent) <= 1:
        return f"{float(f'{value:.1e}'):.{1 - int(exponent)}f}"
    return f"{mantissa}e{int(exponent)}"
