"""PNG pictures, read back with Pillow and compared with the SVG they are drawn from."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageColor

from clr_tui.engine.errors import UserError
from clr_tui.tui.charts import png
from clr_tui.tui.charts.chart import Area, Axis, Band, Chart, HLine, Mark, Series, VLine
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.charts.svg import stack_svg, to_svg

STEPS = np.arange(1.0, 101.0)
CHART = Chart(
    series=(
        Series(STEPS, 1 / STEPS, name="loss", colour="loss", strong=True),
        Series(STEPS, 1 - 1 / STEPS, name="ahead", colour="lr-ahead", dotted=True),
        Series(STEPS[::20], 0.3 + 0 * STEPS[::20], name="points", colour="lr", kind="points"),
    ),
    areas=(Area(STEPS, 0.5 + 0 * STEPS, 0.7 + 0 * STEPS, name="band", colour="entry-1"),),
    x=Axis("step"),
    y=Axis("loss", lo=0.0, hi=0.9),
    bands=(Band(20, 40),),
    vlines=(VLine(60, "max", "max"),),
    hlines=(HLine(0.4, "target"),),
    marks=(
        Mark(30, label="minimum"),
        Mark(80, 0.2, "best", "best"),
        Mark(90, 0.8, "x", "diverged"),
    ),
    title="train/loss – später",
)


def opened(svg: str) -> Image.Image:
    return Image.open(io.BytesIO(png.to_png(svg))).convert("RGB")


def near(picture: Image.Image, x: float, y: float, colour: str) -> bool:
    """Whether the pixel at a place of the SVG, or one beside it, has about that colour."""
    around = np.asarray(picture)[round(2 * y) - 2 : round(2 * y) + 3, round(2 * x) - 2 :][:, :5]
    return bool((abs(around - np.array(ImageColor.getrgb(colour))).sum(axis=2) < 24).any())


@pytest.fixture
def _only_pillows_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(png, "_REGULAR", ())
    monkeypatch.setattr(png, "_BOLD", ())
    png._font.cache_clear()
    yield
    png._font.cache_clear()


def test_curves_points_and_lines_are_where_the_svg_has_them() -> None:
    svg = to_svg(CHART, 960, 480)
    picture = opened(svg)
    assert picture.size == (1920, 960)
    assert picture.getpixel((8, 952)) == ImageColor.getrgb(str(DARK.background))
    curves = re.findall(r'<polyline points="([^"]+)" fill="none" stroke="([^"]+)"', svg)
    colour = {stroke: points.split() for points, stroke in curves}[DARK.colours["loss"]]
    points = [map(float, point.split(",")) for point in colour[8::7]]
    assert all(near(picture, x, y, DARK.colours["loss"]) for x, y in points)
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3.6" fill="([^"]+)"', svg)
    assert len(dots) == 5
    assert all(near(picture, float(x), float(y), colour) for x, y, colour in dots)
    lines = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="\1" [^>]*stroke="(#ff86b3)"', svg)
    assert all(near(picture, float(x), float(y) + 30, colour) for x, y, colour in lines)
    assert len(lines) == 1


def test_nothing_is_drawn_beyond_the_axes() -> None:
    svg = to_svg(CHART, 960, 480)  # the loss is above y's limit in its first step
    left, top, width = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', svg)[0]
    above = np.asarray(opened(svg))[: round(2 * float(top)) - 2, round(2 * float(left)) :]
    above = above[-40:, : round(2 * float(width))]
    loss = np.array(ImageColor.getrgb(DARK.colours["loss"]))
    assert not (abs(above - loss).sum(axis=2) < 24).any()


def test_charts_below_one_another_are_one_picture() -> None:
    svg = stack_svg([CHART, CHART, CHART], 600, 300, title="run")
    picture = np.asarray(opened(svg))
    height = len(picture) // 3
    assert picture.shape[1] == 1200
    assert (picture[height + 80 : 2 * height] == picture[2 * height + 80 :]).all()


def test_many_charts_are_drawn_smaller_and_too_many_refused() -> None:
    svg = stack_svg([Chart(title="a")] * 70, 960, 320)
    assert Image.open(io.BytesIO(png.to_png(svg))).size == (960, 70 * 320)
    huge = '<svg xmlns="http://www.w3.org/2000/svg" width="960" height="90000"/>'
    with pytest.raises(UserError, match="too many charts"):
        png.to_png(huge)


@pytest.mark.usefixtures("_only_pillows_font")
def test_without_a_font_of_the_system_text_is_in_ascii() -> None:
    title = np.asarray(opened(to_svg(CHART, 960, 480)))[30:80, 40:400]
    assert (title.max(axis=2) > 150).sum() > 200


def test_without_pillow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UserError, match="pip install 'pillow"):
        png.to_png(to_svg(CHART))
