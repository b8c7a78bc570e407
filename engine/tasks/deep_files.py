"""The values of images whose files hold more than 8 bits each.

Pillow has modes for such values only for one channel, and reduces those of colours to the high
byte. numpy is imported where it is needed: most sets of images have no such pixels, and the
processes that decode them start faster without it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageFile

if TYPE_CHECKING:
    from clr_tui.engine.tasks.deep_pixels import Values

_OPPOSITE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""The opposite of a byte order: big, little, the machine's own."""
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}
"""What libtiff, which returns the machine's own byte order, makes of values in a file. Pillow's
TIFF plug-in corrects only unsigned ones."""
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_PLANES, _TIFF_FORMAT = 258, 262, 284, 339


class DeepValues(NamedTuple):
    """The values of an image as its file holds them."""

    kind: str
    """See `Span`."""
    values: Values
    """(height, width, channels), without an alpha channel."""
    alpha: Values | None = None
    """(height, width, 1), 0 where the image is transparent, 1 where it is not; None if opaque."""


def raw_mode(image: ImageFile.ImageFile) -> str:
    """How the file of an image that is not loaded yet holds its pixels, such as `RGB;16B`.

    Has it loaded in the right byte order.
    """
    if not image.tile:
        return ""
    decoder, _, _, arguments = image.tile[0]
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    if not isinstance(raw, str):
        return ""
    if decoder == "libtiff" and raw in _NATIVE:
        raw = _NATIVE[raw]
        image.tile = [_with_raw_mode(tile, raw) for tile in image.tile]
    return raw


def deep_values(image: ImageFile.ImageFile, raw: str, file: str) -> DeepValues | None:
    """The values of an image of more than 8 bits, or of signed ones; None for any other.

    Args:
        image: opened from `file` and loaded.
        raw: its `raw_mode` before that.
        file: read again if Pillow holds only the high bytes.

    Raises:
        ValueError: Pillow reads the file wrongly.
    """
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})  # of TIFF
    bits = tags.get(_TIFF_BITS, (8,))
    if tags.get(_TIFF_PLANES) == 2 and len(bits) > 1 and max(bits) > 8:
        raise ValueError("its 16-bit channels lie one after another, which Pillow cannot read")
    if image.mode == "L" and tags.get(_TIFF_FORMAT) == (2,):
        return DeepValues("signed 8-bit", _one_channel(image, "int8"))
    if image.mode == "F":
        return DeepValues("floating-point", _one_channel(image))
    if image.mode == "I" or image.mode.startswith("I;16"):
        kind = "16-bit" if image.mode != "I" or ";16" in raw else "32-bit"
        # Unsigned in the file, but signed in Pillow.
        values = _one_channel(image, "uint32" if raw == "I;32N" else None)
        is_inverted = kind == "16-bit" and tags.get(_TIFF_PHOTOMETRIC) == 0
        return DeepValues(kind, *_with_key(image, 65535 - values if is_inverted else values))
    if image.format in ("PNG", "TIFF") and re.fullmatch(r"(RGB|RGBX|RGBA|RGBa|LA);16[BLN]", raw):
        return DeepValues("16-bit", *_both_bytes(image, raw, file))
    if image.format == "PPM" and image.mode == "RGB":
        colours = _netpbm_colours(file)
        return None if colours is None else DeepValues("16-bit", colours)
    return None


def _one_channel(image: ImageFile.ImageFile, dtype: str | None = None) -> Values:
    """(height, width, 1); the bits of each value taken for a `dtype`."""
    import numpy as np

    values = np.asarray(image)
    return (values.view(dtype) if dtype else values).astype(np.float64)[..., np.newaxis]


def _both_bytes(image: ImageFile.ImageFile, raw: str, file: str) -> tuple[Values, Values | None]:
    """All 16 bits of an image with several channels, and its alpha.

    Pillow's decoders take the high byte of each value. Given the opposite byte order, they take the
    low one.
    """
    kind = image.format or ""
    mode, order = raw.split(";16")
    if mode == "LA":
        # Two values of 16 bits take up the four bytes of RGBA; there is no LA;16L.
        four = _decoded(file, kind, "RGBA")
        return _with_alpha(four[..., 0::2] * 256 + four[..., 1::2])
    plain = "RGBA" if mode == "RGBa" else mode  # else Pillow divides by alpha, in 8 bits
    high = _decoded(file, kind, f"{plain};16{order}")
    low = _decoded(file, kind, f"{plain};16{_OPPOSITE[order]}")
    values = high * 256 + low
    if values.shape[2] == 3:
        return _with_key(image, values)
    return _with_alpha(values, premultiplied=mode == "RGBa")


def _decoded(file: str, kind: str, raw: str) -> Values:
    """The values of an image whose pixels are taken to be stored as `raw`."""
    import numpy as np

    with Image.open(file, formats=[kind]) as image:
        image.tile = [_with_raw_mode(tile, raw) for tile in image.tile]
        return np.asarray(image).astype(np.float64)


def _with_raw_mode(tile: Any, raw: str) -> Any:
    """A part of an image to be decoded: decoder, box, offset, arguments."""
    *first, arguments = tile
    changed = raw if isinstance(arguments, str) else (raw, *arguments[1:])
    return type(tile)(*first, changed) if hasattr(tile, "_fields") else (*first, changed)


def _with_key(image: ImageFile.ImageFile, values: Values) -> tuple[Values, Values | None]:
    """Values, and their alpha if a PNG declares one value or colour transparent."""
    key = image.info.get("transparency") if image.format == "PNG" else None
    if key is None or not (is_clear := (values == key).all(axis=-1, keepdims=True)).any():
        return values, None
    return values, 1.0 - is_clear


def _with_alpha(values: Values, *, premultiplied: bool = False) -> tuple[Values, Values | None]:
    """The colours and the alpha of values of 16 bits whose last channel is alpha."""
    colours, alpha = values[..., :-1], values[..., -1:] / 65535
    if (alpha == 1).all():
        return colours, None
    if premultiplied:
        colours = colours / alpha.clip(1 / 65535)
    return colours, alpha


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
