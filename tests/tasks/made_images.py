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


def save_deep_png(path: Path, values: np.ndarray) -> None:
    """A PNG of 16 bits per value, which Pillow cannot write; (height, width, channels)."""
    height, width, channels = values.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def save_tiff(path: Path, values: np.ndarray) -> None:
    """An uncompressed TIFF of unsigned integers, in the byte order of `values`.

    (height, width, channels), of 1 or 3 channels.
    """
    order = ">" if values.dtype.newbyteorder(">") == values.dtype else "<"
    height, width, channels = values.shape
    bits = values.dtype.itemsize * 8
    data = values.tobytes()
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 2 if channels == 3 else 1),
        (273, 4, 8),
        (277, 3, channels),
        (278, 4, height),
        (279, 4, len(data)),
    ]
    after = 8 + len(data) + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, kind, value in tags:
        if tag == 258 and channels == 3:
            entries += struct.pack(f"{order}HHII", tag, kind, 3, after)
        elif kind == 3:
            entries += struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0)
        else:
            entries += struct.pack(f"{order}HHII", tag, kind, 1, value)
    path.write_bytes(
        (b"MM" if order == ">" else b"II")
        + struct.pack(f"{order}HI", 42, 8 + len(data))
        + data
        + struct.pack(f"{order}H", len(tags))
        + entries
        + struct.pack(f"{order}I", 0)
        + struct.pack(f"{order}HHH", bits, bits, bits)
    )
