"""Charts as PNG: the SVG that charts.svg draws, in pixels.

It draws the few elements that this program's own SVG has, with Pillow; so both pictures are one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from clr_tui.engine.errors import UserError
from clr_tui.tui.charts.palette import blended
from clr_tui.tui.cli.nearest_characters import NAME, register

if TYPE_CHECKING:
    from PIL.Image import Image

_SCALE = 2
"""Pixels of the picture for one px of the SVG, as screens of high resolution want."""
_FINER = 2
"""Pixels that are drawn for one of the picture along each axis, for smooth edges."""
_MOST_PIXELS = 60_000_000
"""Of a picture; Pillow itself warns of larger ones when it opens them."""
_REGULAR = ("DejaVuSans.ttf", "Arial Unicode.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")
_BOLD = ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf")
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_NAMESPACE = "{http://www.w3.org/2000/svg}"
Points = list[tuple[float, float]]


def to_png(svg: str) -> bytes:
    """Draws a document of `to_svg` or `stack_svg` as PNG, at twice its size.

    Text is in DejaVu Sans, Arial or Liberation Sans, whichever the system has; else in Pillow's own
    font, with ASCII alone.

    Raises:
        UserError: Pillow is not installed, or there are too many charts for one picture.
    """
    try:
        from PIL import Image, features
    except ImportError:
        raise UserError(
            "PNG pictures need Pillow: pip install 'pillow>=10.1', or write SVG"
        ) from None
    if not features.check("freetype2"):
        raise UserError("PNG pictures need a Pillow with FreeType: install its wheel, or write SVG")
    root = ElementTree.fromstring(svg)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    scale = _SCALE if width * height * _SCALE**2 <= _MOST_PIXELS else 1
    if width * height * scale**2 > _MOST_PIXELS:
        raise UserError("these are too many charts for one PNG: write SVG, or show fewer of them")
    charts = [one for one in root if _kind(one) == "svg"] or [root]
    picture = Image.new("RGB", (width * scale, height * scale))
    for chart in charts:
        drawn = _Drawing(chart, scale * _FINER).image
        picture.paste(drawn.reduce(_FINER), (0, round(float(chart.get("y", 0)) * scale)))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _kind(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(_NAMESPACE)


@dataclass(frozen=True)
class _Pen:
    """How a line is drawn; widths and dashes in pixels."""

    colour: tuple[int, int, int, int]
    width: float
    dashes: tuple[float, float] | None
    round_ends: bool


class _Drawing:
    """One chart, `scale` pixels for each px of the SVG."""

    def __init__(self, chart: ElementTree.Element, scale: int) -> None:
        from PIL import Image

        self.scale = scale
        self.size = int(chart.attrib["width"]) * scale, int(chart.attrib["height"]) * scale
        ground = next(one.attrib["fill"] for one in chart if one.get("width") == "100%")
        self.ground = ground
        self.image: Image.Image = Image.new("RGB", self.size, ground)
        self._aim(self.image)
        clips = {one.attrib["id"]: one[0] for one in chart if _kind(one) == "clipPath"}
        for element in chart:
            if _kind(element) == "g":
                name = element.attrib["clip-path"].removeprefix("url(#").removesuffix(")")
                self._clipped(element, clips[name])
            elif element.get("width") != "100%":
                self._draw(element)

    def _aim(self, image: Image) -> None:
        from PIL import ImageDraw

        self.draw = ImageDraw.Draw(image, "RGBA")  # mixes colours that are not opaque

    def _clipped(self, group: ElementTree.Element, clip: ElementTree.Element) -> None:
        layer = self.image.copy()
        self._aim(layer)
        for element in group:
            self._draw(element)
        left, top, width, height = (float(clip.attrib[n]) for n in ("x", "y", "width", "height"))
        x, y = (round(end) for end in self._at(left, top))
        right, bottom = (round(end) for end in self._at(left + width, top + height))
        self.image.paste(layer.crop((x, y, right, bottom)), (x, y))
        self._aim(self.image)

    def _draw(self, element: ElementTree.Element) -> None:
        kind, have = _kind(element), element.attrib
        if kind == "text":
            self._text(element)
        elif kind == "line":
            ends = [self._at(float(have[f"x{n}"]), float(have[f"y{n}"])) for n in (1, 2)]
            self._line(ends, self._pen(have))
        elif kind == "polyline":
            self._line(self._points(have["points"]), self._pen(have))
        elif kind == "polygon":
            points = self._points(have["points"])
            if len(points) > 1:
                self.draw.polygon(points, fill=_colour(have["fill"], have.get("opacity")))
        elif kind == "rect":
            x, y, w, h = (float(have[name]) for name in ("x", "y", "width", "height"))
            fill = _colour(have["fill"], have.get("opacity"))
            self.draw.rectangle([self._at(x, y), self._at(x + w, y + h)], fill=fill)
        elif kind == "circle":
            self._circle(have)
        elif kind == "path":
            for points in _path(have["d"]):
                scaled = [self._at(*point) for point in points]
                if "stroke" in have:
                    self._line(scaled, self._pen(have))
                else:
                    self.draw.polygon(scaled, fill=_colour(have["fill"]))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale, y * self.scale

    def _points(self, words: str) -> Points:
        pairs = (point.split(",") for point in words.split())
        return [self._at(float(x), float(y)) for x, y in pairs]

    def _pen(self, have: Mapping[str, str]) -> _Pen:
        on, off = map(float, have.get("stroke-dasharray", "0 0").split())
        # Joints of a curve overlap: only straight lines can let something through.
        share = float(have.get("stroke-opacity", 1))
        curve = "points" in have
        colour = blended(have["stroke"], self.ground, 1 - share) if curve else have["stroke"]
        return _Pen(
            colour=_colour(colour, None if curve else str(share)),
            width=float(have.get("stroke-width", 1)) * self.scale,
            dashes=(on * self.scale, off * self.scale) if on else None,
            round_ends=have.get("stroke-linecap") == "round",
        )

    def _line(self, points: Points, pen: _Pen) -> None:
        for part in _dashed(points, *pen.dashes) if pen.dashes else [points]:
            if len(part) > 1:
                self.draw.line(part, fill=pen.colour, width=max(1, round(pen.width)), joint="curve")
            if pen.round_ends:
                for x, y in (part[0], part[-1]):
                    self.draw.ellipse(_around(x, y, pen.width / 2), fill=pen.colour)

    def _circle(self, have: Mapping[str, str]) -> None:
        middle = self._at(float(have["cx"]), float(have["cy"]))
        radius = float(have["r"]) * self.scale
        if have["fill"] != "none":
            self.draw.ellipse(_around(*middle, radius), fill=have["fill"])
        else:
            width = float(have["stroke-width"]) * self.scale
            outside = _around(*middle, radius + width / 2)
            self.draw.ellipse(outside, outline=have["stroke"], width=round(width))

    def _text(self, element: ElementTree.Element) -> None:
        have = element.attrib
        size = float(have["font-size"]) * self.scale
        font, complete = _font(size, bold="font-weight" in have)
        words = element.text or ""
        if not complete:
            words = words.encode("ascii", NAME).decode("ascii")
        rim = float(have.get("stroke-width", 0)) * self.scale / 2
        self.draw.text(
            self._at(float(have["x"]), float(have["y"])),
            words,
            fill=have["fill"],
            font=font,
            anchor=_ANCHORS[have["text-anchor"]],
            stroke_width=round(rim),
            stroke_fill=have.get("stroke"),
        )


@lru_cache(maxsize=32)
def _font(size: float, *, bold: bool) -> tuple[Any, bool]:
    """Returns a font, and whether it has more than ASCII."""
    from PIL import ImageFont

    for name in (*_BOLD, *_REGULAR) if bold else _REGULAR:
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    register()
    return ImageFont.load_default(size), False


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _colour(colour: str, opacity: str | None = None) -> tuple[int, int, int, int]:
    from PIL import ImageColor

    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue, round(255 * float(opacity or 1))


def _dashed(points: Points, on: float, off: float) -> list[Points]:
    """Cuts a line into straight dashes of length `on` with gaps of length `off`."""
    x, y = np.array(points).T
    lengths = np.concatenate(([0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()))
    starts = np.arange(0.0, max(lengths[-1], 1e-9), on + off)
    ends = np.minimum(starts + on, lengths[-1])
    along = [np.interp(at, lengths, part) for at in (starts, ends) for part in (x, y)]
    return [[(a, b), (c, d)] for a, b, c, d in zip(*(part.tolist() for part in along), strict=True)]


def _path(words: str) -> Iterator[Points]:
    """The lines of a path of M, m, h, l and z, with absolute starts and relative steps."""
    points: Points = []
    for letter, numbers in _commands(words):
        x, y = points[-1] if points else (0.0, 0.0)
        if letter == "h":
            points.append((x + numbers[0], y))
        elif letter == "l":
            points.append((x + numbers[0], y + numbers[1]))
        elif letter in "Mm":
            if points:
                yield points
            points = [(x + numbers[0], y + numbers[1])]
    yield points


def _commands(words: str) -> Iterator[tuple[str, list[float]]]:
    spaced = "".join(f"|{letter} " if letter.isalpha() else letter for letter in words)
    for part in spaced.split("|")[1:]:
        letter, *numbers = part.split()
        yield letter, [float(number) for number in numbers]
