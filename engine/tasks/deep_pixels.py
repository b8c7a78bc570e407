"""Pixels of more than 8 bits per value, which Pillow by itself would cut to 8.

numpy is imported where it is needed: most sets of images have no such pixels, and the processes
that decode them start faster without it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_OPPOSITE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""Of a byte order: big, little, the machine's own."""


class Span(NamedTuple):
    """The lowest and the highest value in one image, or in several of one kind."""

    kind: str
    """Of the pixels: `16-bit`, `32-bit` or `floating-point`."""
    low: float
    high: float


class DeepValues(NamedTuple):
    """The values of an image as its file holds them."""

    kind: str
    """See `Span`."""
    values: Values
    """(height, width, channels), without an alpha channel."""
    on_white: bool = False
    """Whether the image is transparent in places, and is shown on white."""


class DeepPicture(NamedTuple):
    """The values of an image scaled from `span` to 0 to 255, each channel an image of mode F."""

    channels: list[Image.Image]
    span: Span
    is_finite: bool
    """False if a NaN was replaced by the lowest value, or an infinity by the nearest finite one."""


def raw_mode(image: ImageFile.ImageFile) -> str:
    """How the file of an image that is not loaded yet holds its pixels, such as `RGB;16B`."""
    if not image.tile:
        return ""
    arguments = image.tile[0][3]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def deep_values(image: ImageFile.ImageFile, raw: str, file: str) -> DeepValues | None:
    """The values of an image of more than 8 bits; None for any other.

    Args:
        image: opened from `file` and loaded.
        raw: its `raw_mode` before that.
        file: read again if Pillow holds only the high bytes.
    """
    if image.mode == "F":
        return DeepValues("floating-point", _one_channel(image, raw))
    if image.mode == "I" or image.mode.startswith("I;16"):
        kind = "16-bit" if image.mode != "I" or ";16" in raw else "32-bit"
        return DeepValues(kind, _one_channel(image, raw))
    if image.format in ("PNG", "TIFF") and re.fullmatch(r"(RGB|RGBX|RGBA|LA);16[BLN]", raw):
        return DeepValues("16-bit", *_on_white(_both_bytes(image, raw, file)))
    if image.format == "PPM" and image.mode == "RGB":
        values = _netpbm_colours(file)
        return None if values is None else DeepValues("16-bit", values)
    return None


def scaled(kind: str, values: Values) -> DeepPicture:
    """Scales values, (height, width, channels), by their own range.

    Raises:
        ValueError: none of them is finite.
    """
    import numpy as np

    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("none of its pixels is a finite number")
    low, high = float(finite.min()), float(finite.max())
    # Halved first: the difference of two floats may be beyond the largest float.
    shades = np.nan_to_num(values, nan=low, posinf=high, neginf=low) / 2 - low / 2
    shades = shades / ((high / 2 - low / 2) or 1) * 255
    channels = [
        Image.fromarray(np.ascontiguousarray(shades[..., channel], dtype=np.float32))
        for channel in range(shades.shape[2])
    ]
    return DeepPicture(channels, Span(kind, low, high), finite.size == values.size)


def to_bytes(channel: Image.Image) -> bytes:
    """The values of an image of mode F, rounded."""
    import numpy as np

    return np.asarray(channel).round().clip(0, 255).astype(np.uint8).tobytes()


def _one_channel(image: ImageFile.ImageFile, raw: str) -> Values:
    import numpy as np

    values = np.asarray(image)
    if raw == "I;32N":  # unsigned in the file, but signed in Pillow
        values = values.view(np.uint32)
    return values.astype(np.float64)[..., np.newaxis]


def _both_bytes(image: ImageFile.ImageFile, raw: str, file: str) -> Values:
    """All 16 bits of an image with several channels, for which Pillow has no mode.

    Its decoders take the high byte of each value. Told the opposite byte order, they take the low
    one.
    """
    import numpy as np

    high = np.asarray(image).astype(np.float64)
    mode, order = raw.split(";16")
    with Image.open(file, formats=[image.format or ""]) as again:
        # Two values of 16 bits take up the four bytes of RGBA; there is no LA;16L.
        swapped = "RGBA" if mode == "LA" else f"{mode};16{_OPPOSITE[order]}"
        again.tile = [_with_raw_mode(tile, swapped) for tile in again.tile]
        low = np.asarray(again).astype(np.float64)
    if mode == "LA":
        return low[..., 0::2] * 256 + low[..., 1::2]
    return high * 256 + low


def _netpbm_colours(file: str) -> Values | None:
    """A binary PPM of more than 8 bits per value; None for any other file."""
    import numpy as np

    with Image.open(file, formats=["PPM"]) as image:
        decoder, _, offset, arguments = image.tile[0]
        if decoder != "ppm" or not isinstance(arguments, tuple) or int(arguments[1]) < 256:
            return None
        width, height = image.size
        values = np.fromfile(file, ">u2", width * height * 3, offset=offset)
        return values.reshape(height, width, 3).astype(np.float64)


def _with_raw_mode(tile: Any, raw: str) -> Any:
    """A part of an image to be decoded: decoder, box, offset, arguments."""
    *first, arguments = tile
    changed = raw if isinstance(arguments, str) else (raw, *arguments[1:])
    return type(tile)(*first, changed) if hasattr(tile, "_fields") else (*first, changed)


def _on_white(values: Values) -> tuple[Values, bool]:
    """Values of 16 bits without their alpha channel, if any, and whether it made a difference."""
    if values.shape[2] not in (2, 4):
        return values, False
    alpha = values[..., -1:] / 65535
    if (alpha == 1).all():
        return values[..., :-1], False
    return values[..., :-1] * alpha + 65535 * (1 - alpha), True
