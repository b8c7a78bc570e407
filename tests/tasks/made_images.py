"""Image files for the tests to read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def save_image(path: Path, seed: int, size: tuple[int, int] = (20, 16), mode: str = "RGB") -> None:
    """An image of random pixels; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.RandomState(seed).randint(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def fill_folder(root: Path, counts: dict[str, int], mode: str = "RGB") -> Path:
    """`counts` images for each class folder; no two of them alike."""
    for number, (name, count) in enumerate(counts.items()):
        for i in range(count):
            save_image(root / name / f"{i:03}.png", seed=1000 * number + i, mode=mode)
    return root


def save_deep_png(path: Path, values: np.ndarray, clear: tuple[int, ...] = ()) -> None:
    """A PNG of 16 bits per value, which Pillow cannot write.

    (height, width, channels); `clear` is the value or the colour that is transparent, if any.
    """
    height, width, channels = values.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    key = chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear)) if clear else b""
    content = chunk(b"IHDR", header) + key + chunk(b"IDAT", zlib.compress(rows))
    content += chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def save_tiff(path: Path, values: np.ndarray, *, compressed: bool = False, **changed: int) -> None:
    """A TIFF of any integers or floats, in the byte order of `values`.

    (height, width, channels); `changed` are tags by name, such as `photometric=0`.
    """
    order = ">" if values.dtype.newbyteorder(">") == values.dtype else "<"
    height, width, channels = values.shape
    data = values.tobytes()
    data = zlib.compress(data) if compressed else data
    kinds = {"u": 1, "i": 2, "f": 3}
    tags: dict[str, tuple[int, str, list[int]]] = {
        "width": (256, "I", [width]),
        "height": (257, "I", [height]),
        "bits": (258, "H", [values.dtype.itemsize * 8] * channels),
        "compression": (259, "H", [8 if compressed else 1]),
        "photometric": (262, "H", [2 if channels > 2 else 1]),
        "start": (273, "I", [8]),
        "channels": (277, "H", [channels]),
        "rows": (278, "I", [height]),
        "length": (279, "I", [len(data)]),
        "planes": (284, "H", [1]),
        "alpha": (338, "H", [0] * (channels == 4)),
        "format": (339, "H", [kinds[values.dtype.kind]] * channels),
    }
    used = {name: tag for name, tag in tags.items() if tag[2]}
    beyond = 8 + len(data) + 2 + 12 * len(used) + 4
    entries = rest = b""
    for name, (tag, kind, numbers) in used.items():
        numbers = [changed.get(name, number) for number in numbers]
        packed = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
        entries += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[kind], len(numbers))
        if len(packed) > 4:
            entries += struct.pack(f"{order}I", beyond + len(rest))
            rest += packed
        else:
            entries += packed.ljust(4, b"\0")
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, 8 + len(data))
    count = struct.pack(f"{order}H", len(used))
    path.write_bytes(head + data + count + entries + bytes(4) + rest)
