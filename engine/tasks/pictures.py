"""From image files to the bytes of small square pictures; neither numpy nor torch is loaded."""

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
"""What is opened, whatever the file's name says: formats that hold pixels, the usual ones first.

EPS is none of them: Pillow runs Ghostscript, a whole programming language, on it. IPTC may hold an
image of any format, EPS included; WMF is drawn by the operating system.
"""


def read_pictures(files: Sequence[str], size: int) -> list[bytes | str]:
    """Decodes files one after the other.

    Args:
        files: in any raster format that Pillow reads.
        size: side of the resulting pictures, pixels; they are scaled until they cover that square,
            and cut at its edges evenly.

    Returns:
        Of each file its picture, shape (channels, size, size), a byte a value: 1 channel where it
        is grey, else 3 (RGB). Of one that cannot be read, why: a few words.
    """
    Image.preinit()  # else Pillow loads all its plugins to look for one that the name leaves open
    found: list[bytes | str] = []
    for file in files:
        try:
            found.append(_picture(file, size))
        # Pillow's plugins raise whatever their parsers stumble over in a damaged file.
        except Exception as error:  # noqa: BLE001
            found.append(_reason(error))
    return found


def _picture(file: str, size: int) -> bytes:
    with Image.open(file, formats=_FORMATS) as image:
        # JPEG can be decoded at a half, a quarter or an eighth for much less; twice the size that
        # is wanted leaves the filter below enough to work on.
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
    """Of an image of 16 bits a pixel."""
    import numpy as np

    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a raster image, or a damaged one"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # A name in it may hold what no log and no cache can.
    return str(error).encode(errors="replace").decode() or type(error).__name__
