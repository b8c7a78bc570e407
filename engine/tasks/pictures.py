"""Decoding image files into the bytes of small square pictures, without torch."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from typing import Literal, NamedTuple

from PIL import ExifTags, Image, UnidentifiedImageError

from clr_tui.engine.settings.image_suffixes import PLUG_INS
from clr_tui.engine.tasks.deep_files import deep_values, raw_mode
from clr_tui.engine.tasks.deep_pixels import Span, scaled, to_bytes

Remark = Literal["on white", "not rotated", "not finite", "first frame"]
"""It is transparent in places and shown on white; its EXIF data cannot be read, so it is used as it
is stored; it has pixels that are no finite numbers; it is the first of several in the file."""


class Picture(NamedTuple):
    """A decoded image."""

    values: bytes
    """(channels, size, size), one byte per value; 1 channel if it is grey, else 3 (RGB)."""
    is_grey: bool
    remarks: tuple[Remark, ...] = ()
    span: Span | None = None
    """For more than 8 bits per value: the values that became 0 and 255."""
    alpha: bytes | None = None
    """(size, size), from 0 to 255, of a picture of more than 8 bits that is transparent in places;
    its values are multiplied by it. None if it has been put on white, or is transparent nowhere."""


FORMATS = (
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


LARGE_BYTES = 1 << 28
"""Images that take more memory are decoded one at a time: 33 million pixels, 11 million with
transparency or of more than 8 bits. A JPEG counts as it is decoded, reduced. So are larger files,
whose metadata may take as much memory again."""
_PLAIN_BYTES, _OTHER_BYTES = 8, 24
"""Of memory per pixel while an image is decoded: of 8 bits without transparency, of any other."""


class Large(NamedTuple):
    """What is known of an image that has not been decoded, as it is large."""

    width: int
    height: int
    needs: int
    """About so many bytes of memory."""


_EXIF_HEADER = b"Exif\0\0"
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a photo upright, by its orientation (EXIF 2.3, tag 0x0112).

`ImageOps.exif_transpose` also rewrites the EXIF data, which fails if any of it is odd.
"""


def read_pictures(
    files: Sequence[str], size: int, large: bool = False
) -> list[Picture | Large | str]:
    """Decodes files one after another.

    Args:
        files: in any raster format that Pillow reads.
        size: side of the resulting pictures, pixels; images are scaled to cover that square, and
            cropped evenly.
        large: whether to decode large images, too. Those beyond Pillow's limit, 179 million pixels,
            never are.

    Returns:
        For each file its picture, or, if it cannot be read, the reason in a few words.
    """
    Image.preinit()  # else Pillow loads all its plugins for a name that does not decide the format
    formats = (*FORMATS, *_plug_in_formats())
    found: list[Picture | Large | str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `Large` is the answer
        for file in files:
            try:
                found.append(_picture(file, size, formats, large))
            # Pillow's parsers may raise anything on a damaged file.
            except Exception as error:  # noqa: BLE001
                found.append(_reason(error))
    return found


def _plug_in_formats() -> list[str]:
    """The formats of the plug-ins that are installed and can be imported."""
    for plug_in in PLUG_INS:
        if plug_in.format not in Image.OPEN and plug_in.is_installed:
            with contextlib.suppress(ImportError, OSError):
                module = importlib.import_module(plug_in.module)
                if plug_in.register:
                    getattr(module, plug_in.register)()
    return [plug_in.format for plug_in in PLUG_INS if plug_in.format in Image.OPEN]


def _picture(file: str, size: int, formats: tuple[str, ...], large: bool) -> Picture | Large:
    length = os.stat(file).st_size
    if length > LARGE_BYTES and not large:
        return Large(0, 0, 4 * length)
    with Image.open(file, formats=formats) as image:
        # Decoding JPEG at a half, a quarter or an eighth is much cheaper; twice the wanted size
        # leaves enough for the filter in `_square`.
        image.draft(None, (2 * size, 2 * size))
        if (needs := _memory(image)) > LARGE_BYTES and not large:
            return Large(*image.size, needs)
        remarks: list[Remark] = ["first frame"] if _has_frames(image) else []
        raw = raw_mode(image)
        image.load()
        orientation, is_odd = _orientation(image)
        turn = _TURNS.get(orientation)
        remarks += ["not rotated"] if is_odd else []
        deep = deep_values(image, raw, file)
        if deep is None:
            plain, on_white = _plain(image)
    if deep is None:
        remarks += ["on white"] if on_white else []
        channels = _square(plain, turn, size).split()
        values = b"".join(channel.tobytes() for channel in channels)
        return Picture(values, len(channels) == 1, tuple(remarks))
    shades = scaled(deep.kind, deep.values, deep.alpha)
    remarks += ["on white"] if shades.alpha else []
    remarks += [] if shades.is_finite else ["not finite"]
    values = b"".join(to_bytes(_square(channel, turn, size)) for channel in shades.channels)
    alpha = to_bytes(_square(shades.alpha, turn, size)) if shades.alpha else None
    return Picture(values, len(shades.channels) == 1, tuple(remarks), shades.span, alpha)


def _memory(image: Image.Image) -> int:
    """The bytes that decoding an opened image takes, about."""
    plain = image.mode in ("1", "L", "RGB") and not image.has_transparency_data
    return image.width * image.height * (_PLAIN_BYTES if plain else _OTHER_BYTES)


def _has_frames(image: Image.Image) -> bool:
    """Whether the file holds more images, other than further views of a photo, or layers."""
    try:
        return image.format not in ("MPO", "PSD") and bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 - a second image that cannot be read is none
        return False


def _orientation(image: Image.Image) -> tuple[int, bool]:
    """The orientation of a loaded image, 1 if it has none, and whether its EXIF data is odd."""
    data = image.info.get("exif") or b""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        if orientation is None and len(data) > len(_EXIF_HEADER):
            # Pillow may have met the error while opening the file, and kept quiet about it.
            tags = Image.Exif()
            tags.load(data)
            return 1, not len(tags)
    except Exception:  # noqa: BLE001 - as above
        return 1, True
    return (orientation, False) if isinstance(orientation, int) else (1, orientation is not None)


def _plain(image: Image.Image) -> tuple[Image.Image, bool]:
    """An image of 8 bits in mode L or RGB, on white if it was transparent; and whether it was."""
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == mode else image.convert(mode), False
    clear = image.convert("LA" if mode == "L" else "RGBA")
    alpha = clear.getchannel("A")
    # Many TGA files have a fourth channel of zeros without a meaning.
    unused = (0, 0) if image.format == "TGA" else (255, 255)
    if alpha.getextrema() in ((255, 255), unused):
        return clear.convert(mode), False
    white = Image.new(mode, clear.size, "white")
    return Image.composite(clear.convert(mode), white, alpha), True


def _square(image: Image.Image, turn: Image.Transpose | None, size: int) -> Image.Image:
    """The middle of an image, turned upright and scaled."""
    if turn is not None:
        image = image.transpose(turn)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a raster image that Pillow can read, or a damaged one"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # It may quote a name that is not UTF-8.
    return str(error).encode(errors="replace").decode() or type(error).__name__
