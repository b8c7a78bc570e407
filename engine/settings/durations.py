"""Durations as people write them: `90s`, `5m`, `1h30m`."""

from __future__ import annotations

import re

_DURATION = re.compile(
    r"(?=.)(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*m(?:in)?)?\s*(?:(\d+(?:\.\d+)?)\s*s)?",
    re.IGNORECASE | re.ASCII,
)


def seconds_in(text: str) -> float | None:
    """The seconds of a duration with its units, largest first; None if it is not one."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def duration(seconds: float) -> str:
    """The shortest text for a finite duration of at least 0: `5m`, `1h30m`, `1m30s`, `2.5s`.

    What is less than a millisecond is left out.
    """
    whole, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(whole), 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    parts.append(f"{rest:.6g}s" if rest or not any(parts) else "")
    return "".join(parts)
