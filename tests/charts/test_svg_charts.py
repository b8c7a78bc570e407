import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from chart_samples import reference, sweep_chart
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clr_tui.tui.charts.chart import Area, Axis, Chart, HLine, Mark, Series
from clr_tui.tui.charts.svg import stack_svg, text_width, to_svg

NAME = "{http://www.w3.org/2000/svg}"
ANY = arrays(np.float64, st.integers(0, 30), elements=st.floats(allow_nan=True))


def parsed(chart, **options):
    return ElementTree.fromstring(to_svg(chart, **options))


def words(root):
    return [text.text or "" for text in root.iter(f"{NAME}text")]


def points(line):
    return np.array([pair.split(",") for pair in line.get("points").split()], dtype=float)


def test_curves_are_vectors_with_the_shape_of_the_data():
    lr, loss = reference()
    chart = Chart((Series(lr, loss, "smoothed"),), x=Axis("lr", True, 1e-7, 1.0), y=Axis("loss"))
    (line,) = parsed(chart).iter(f"{NAME}polyline")
    drawn = points(line)
    assert len(drawn) == len(lr)
    # Positions follow log10(lr) and the loss, upside down, by a straight line each.
    assert np.corrcoef(drawn[:, 0], np.log10(lr))[0, 1] > 0.99999
    assert np.corrcoef(drawn[:, 1], loss)[0, 1] < -0.9999
    assert int(drawn[:, 1].argmax()) == int(loss.argmin())


def test_the_parts_of_a_chart_are_all_there():
    chart = replace(
        sweep_chart(),
        hlines=(HLine(1.6, "target"),),
        marks=(Mark(8e-4, label="valley"), Mark(0.05, 1.6, "diverged", "diverged")),
    )
    shown = words(parsed(chart, title="LR range test"))
    for word in (
        "LR range test", "loss", "raw", "smoothed", "1e-7", "1e0", "base 6.0e-04", "max 3.6e-03",
        "valley", "diverged", "target", "learning rate (log)",
    ):  # fmt: skip
        assert word in shown


def test_gaps_break_the_line():
    y = np.array([1, 2, np.nan, 2, 1.0])
    assert len(list(parsed(Chart((Series(np.arange(5), y),))).iter(f"{NAME}polyline"))) == 2


def test_text_is_escaped():
    evil = "<script>alert('x')</script> & \"q\" \x1b[31m"
    chart = replace(sweep_chart(), title=evil, x=Axis(evil, True), empty=evil)
    text = to_svg(chart)
    assert "<script" not in text
    assert "\x1b" not in text
    assert any("<script>" in shown for shown in words(ElementTree.fromstring(text)))


def test_dark_and_light_differ_in_colours_only():
    dark, light = to_svg(sweep_chart(), dark=True), to_svg(sweep_chart(), dark=False)
    assert dark != light
    assert re.sub(r"#\w{6}", "", dark) == re.sub(r"#\w{6}", "", light)


def test_a_million_points_make_a_small_file():
    x = np.arange(1_000_000.0)
    y = np.random.default_rng(0).normal(size=len(x))
    y[123_456] = 50
    text = to_svg(Chart((Series(x, y, "noise"),)))
    assert len(text) < 100_000
    (line,) = ElementTree.fromstring(text).iter(f"{NAME}polyline")
    drawn = points(line)
    assert drawn[:, 1].min() < np.sort(drawn[:, 1])[1] - 100


def test_points_and_areas_have_shapes_of_their_own():
    x = np.arange(4.0)
    chart = Chart(
        (Series(x, x, "validation", "validation", kind="points"),),
        areas=(Area(x, x - 1, x + 1, "seeds"),),
    )
    root = parsed(chart)
    assert len(list(root.iter(f"{NAME}circle"))) == 5  # and one in the legend
    assert len(list(root.iter(f"{NAME}polygon"))) == 1


@pytest.mark.parametrize("factor", [1.02, 1.3, 2.0, 6.0])
def test_labels_of_bounds_stand_apart(factor):
    root = parsed(sweep_chart(base=3.6e-3 / factor))
    spans = []
    for text in root.iter(f"{NAME}text"):
        if (text.text or "").startswith(("base", "max")):
            x, wide = float(text.get("x")), 6.5 * len(text.text)
            start = {"start": x, "middle": x - wide / 2, "end": x - wide}[text.get("text-anchor")]
            spans.append((start, start + wide))
    (first, second) = sorted(spans)
    assert first[1] <= second[0] + 1


@settings(max_examples=60, deadline=None)
@given(ANY, ANY, st.booleans(), st.booleans(), st.text(max_size=20))
def test_any_data_can_be_drawn_as_svg(x, y, log_x, log_y, title):
    chart = Chart(
        (Series(x, y, "a"), Series(x, y, "b", kind="points")),
        x=Axis("x", log_x),
        y=Axis("y", log_y),
        areas=(Area(x, y, y),),
        marks=(Mark(float(x[0]) if len(x) else np.nan, np.nan, "here"),),
    )
    text = to_svg(chart, title=title)
    ElementTree.fromstring(text)
    assert "nan" not in re.sub(r">[^<]*<", "", text).replace("aria-label", "")


def test_a_legend_of_many_rows_leaves_the_chart_its_height():
    def chart(count):
        names = [f"sgd(momentum=0.9)+clr(lr={i}e-4)" for i in range(count)]
        return Chart(tuple(Series([0, 1], [i, i + 1], name) for i, name in enumerate(names)))

    few, many = (float(parsed(chart(n), height_px=320).get("height")) for n in (4, 64))
    assert few == 320
    clip = next(parsed(chart(64), height_px=320).iter(f"{NAME}clipPath"))
    assert float(clip[0].get("height")) > 100
    stacked = ElementTree.fromstring(stack_svg([chart(64), chart(4)], 960, 320))
    lower = stacked.findall(f"{NAME}svg")[1]
    assert float(lower.get("y")) > 320
    assert float(stacked.get("height")) == float(lower.get("y")) + 320
    assert many > 320


def test_words_of_points_do_not_overlap():
    for apart in np.linspace(0, 0.2, 21):
        marks = tuple(Mark(0.3 + apart * i, 0.5, f"best {i}e-3", "best") for i in range(4))
        chart = Chart((Series([0, 1], [0.5, 0.5]),), y=Axis(lo=0, hi=1), marks=marks)
        boxes = []
        for text in parsed(chart, width_px=960).iter(f"{NAME}text"):
            if (text.text or "").startswith("best"):
                width = text_width(text.text)
                shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor")]
                left = float(text.get("x")) - shift * width
                boxes.append((left, left + width, float(text.get("y"))))
        assert boxes
        for i, (left, right, base) in enumerate(boxes):
            for begin, end, other in boxes[:i]:
                assert left >= end or right <= begin or abs(base - other) >= 13
