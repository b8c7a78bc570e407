"""Decoding image files into the bytes of small square pictures, without numpy or torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from PIL import Image, ImageOps, UnidentifiedImageError

_FORMATS = (
    *("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP", "JPEG2000", "DIB", "TGA", "ICO", "PCX"),
    *("BLP", "CUR", "DCX", "DDS", "FITS", "FLI", "FTEX", "GBR", "ICNS", "IM", "IMT", "MCIDAS"),
    *("MSP", "PCD", "PIXAR", "PSD", "QOI", "SGI", "SPIDER", "SUN", "XBM", "XPM", "XVTHUMB"),
    # Pillow has it from 11.3 on.
    *(("AVIF",) if importlib.util.find_spec("PIL.AvifImagePlugin") else ()),
)
"""The raster formats that are opened, whatever the file's name, common ones first.

Not EPS: Pillow runs Ghostscript, a whole programming language, on it. Nor IPTC, which may hold an
image of any format, including EPS, nor WMF, which the operating system draws.
"""


def read_pictures(files: Sequence[str], size: int) -> list[bytes | str]:
    """Decodes files one after another.

    Args:
        files: in any raster format that Pillow reads.
        size: side of the resulting pictures, pixels; images are scaled to cover that square, and
            cropped evenly.

    Returns:
        For each file its picture, shape (channels, size, size), one byte per value, 1 channel if
        it is grey, else 3 (RGB); or, if it cannot be read, the reason in a few words.
    """
    Image.preinit()  # else Pillow loads all its plugins for a name that does not decide the format
    found: list[bytes | str] = []
    for file in files:
        try:
            found.append(_picture(file, size))
        # Pillow's parsers may raise anything on a damaged file.
        except Exception as error:  # noqa: BLE001
            found.append(_reason(error))
    return found


def _picture(file: str, size: int) -> bytes:
    with Image.open(file, formats=_FORMATS) as image:
        # Decoding JPEG at a half, a quarter or an eighth is much cheaper; twice the wanted size
        # leaves enough for the filter below.
        image.draft(None, (2 * size, 2 * size))
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode == "I" or image.mode.startswith("I;16"):
            plain = _high_bytes(image)
        else:
            plain = image.convert("L" if image.mode in ("1", "L", "LA", "La", "F") else "RGB")
    width, height = plain.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    small = plain.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    return b"".join(channel.tobytes() for channel in small.split())


def _high_bytes(image: Image.Image) -> Image.Image:
    """The high bytes of an image with 16 bits per pixel."""
    import numpy as np

    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a raster image, or a damaged one"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # It may quote a name that is not UTF-8.
    return str(error).encode(errors="replace").decode() or type(error).__name__
