"""Seeded damage to files: bytes, lines, numbers, and the structure of JSON."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

Damage = Callable[[bytes, random.Random], bytes]

_NUMBERS = (
    *("0", "-1", "-0.0", "1e308", "-1e308", "1e-320", "1e999", "NaN", "-Infinity", "null", '""'),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 400, "0x10"),
    *("1,5", "1.000.000", "2147483648", "1e9", "true", "[]", "{}"),
)
_TEXTS = (
    *("", "\x00", "\x1b]52;c;aGk=\x07", "\u202eevil", "\u200b", "[bold]x[/bold]", "=1+1", "a\nb"),
    *("x" * 10_000, "..", "../../etc/passwd", "\ud7ff", "é" * 300, "None", "nan", "-1"),
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data) + 1)


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _remove(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 3, 20, 500)) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.randbytes(rng.choice((1, 5, 100))) + data[at:]


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: _place(data, rng)]


def _nuls(data: bytes, rng: random.Random) -> bytes:
    at = rng.choice((0, _place(data, rng)))
    return data[:at] + bytes(512) + data[at + rng.choice((0, 512)) :]


def _lengths(data: bytes, rng: random.Random) -> bytes:
    """Puts an extreme number where a binary format may have a length."""
    at = _place(data, rng)
    number = rng.choice((b"\xff" * 4, b"\xff" * 8, b"\xff" * 10 + b"\x01", bytes(8), b"\x7f" * 4))
    return data[:at] + number + data[at + len(number) :]


def _mark(data: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf" * 3)) + data


def _recode(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "utf-16-be")))


def _line_ends(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"", b"\x0b")))


def _repeat(data: bytes, rng: random.Random) -> bytes:
    return data * rng.choice((2, 3, 10))


def _lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(6)
    if how == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif how == 1:
        lines[one:one] = [lines[other]] * rng.choice((1, 10, 1000))
    elif how == 2:
        del lines[min(one, other) : max(one, other) + 1]
    elif how == 3:
        lines[one] += lines[other]
    elif how == 4:
        rng.shuffle(lines)
    else:
        lines[one] = lines[one][: rng.randrange(len(lines[one]) + 1)]
    return b"\n".join(lines)


def _number(data: bytes, rng: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    for match in sorted(
        rng.sample(found, min(len(found), rng.choice((1, 1, 3)))), key=lambda one: -one.start()
    ):
        data = data[: match.start()] + rng.choice(_NUMBERS).encode() + data[match.end() :]
    return data


def _nest(data: bytes, rng: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return b"[" * 100_000
    match = rng.choice(found)
    depth = rng.choice((100, 2_000, 100_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b'"', b'"')))
    deep = opening * depth + b"1" + closing * rng.choice((0, depth))
    return data[: match.start()] + deep + data[match.end() :]


def _separators(data: bytes, rng: random.Random) -> bytes:
    old = rng.choice((b",", b";", b"\t", b'"', b":", b" "))
    return data.replace(
        old, rng.choice((b"", b";", b'"', b"\t", b",,", b'""')), rng.choice((1, -1))
    )


def _values(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in plain data."""
    places = [path] if path else []
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inside in items:
        places += _values(inside, (*path, key))
    return places


def _json(data: bytes, rng: random.Random) -> bytes:
    """Changes values in one line of JSON, or in the whole file if it is one value."""
    lines = data.split(b"\n")
    objects = [i for i, line in enumerate(lines) if line.startswith(b"{") and line.endswith(b"}")]
    at = rng.choice(objects) if objects else None
    try:
        value = json.loads(data if at is None else lines[at])
    except (ValueError, RecursionError):
        return _number(data, rng)
    for _ in range(rng.choice((1, 1, 2, 5))):
        _change(value, rng)
    text = json.dumps(value).encode()
    if at is None:
        return text
    lines[at] = text
    return b"\n".join(lines)


def _change(value: Any, rng: random.Random) -> None:
    places = _values(value)
    if not places:
        return
    *above, key = rng.choice(places)
    holder = value
    for step in above:
        holder = holder[step]
    old = holder[key]
    how = rng.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[key] = rng.choice(_TEXTS)
    elif how == 2:
        holder[key] = json.loads(rng.choice([n for n in _NUMBERS if _is_json(n)]))
    elif how == 3:
        holder[key] = [old] * rng.choice((0, 1, 2, 1000))
    elif how == 4:
        holder[key] = {rng.choice(_TEXTS): old}
    elif how == 5 and isinstance(old, list) and old:
        holder[key] = old[: rng.randrange(len(old))]
    elif how == 6 and isinstance(holder, dict):
        holder[rng.choice(_TEXTS)] = holder.pop(key)
    elif isinstance(old, int | float) and not isinstance(old, bool):
        holder[key] = rng.choice((-old, old * 10**9, old + 1, 0, old / 1e9, 2**53, float("nan")))
    else:
        holder[key] = rng.choice((None, True, 0, -1, 2**63, 1e300, [], {}, "x" * 1_000_000))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


_ANY: tuple[Damage, ...] = (_flip, _remove, _insert, _truncate, _nuls, _repeat)
BINARY: tuple[Damage, ...] = (*_ANY, _lengths, _lengths, _flip)
"""For a format that is not text."""
TEXT: tuple[Damage, ...] = (
    *(*_ANY, _mark, _recode, _line_ends, _lines, _lines, _number, _number, _nest, _separators),
    *(_json, _json, _json, _json),
)
"""For text; damage to JSON is as good as damage to numbers where there is none."""


def damaged(data: bytes, seed: int, kinds: tuple[Damage, ...]) -> bytes:
    """The same data and seed give the same damage."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(kinds)(data, rng)
        data = data[: 8 << 20]
    return data


def first_difference(data: bytes, other: bytes) -> int:
    """The offset up to which both are equal."""
    low, high = 0, min(len(data), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if data[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
