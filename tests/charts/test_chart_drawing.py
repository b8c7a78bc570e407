import re
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from chart_samples import cells, lines, reference, sweep_chart
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len

from clr_tui.tui.charts.cells import Grid, changed_spans, to_text
from clr_tui.tui.charts.chart import (
    Area,
    Axis,
    Band,
    Chart,
    HLine,
    Mark,
    Series,
    VLine,
)
from clr_tui.tui.charts.draw import draw, draw_grid
from clr_tui.tui.charts.palette import DARK, PLAIN
from clr_tui.tui.charts.svg import to_svg


def test_values_that_a_logarithmic_axis_cannot_show_are_said_to_be_left_out():
    y = np.array([1.0, 0.1, 0.0, -0.5, 0.2])
    for log, title, shown in (
        (True, "loss (log)", "loss (log), 0 and less left out"),
        (True, "", "0 and less left out"),
        (False, "loss", "loss"),
    ):
        one = Chart(series=(Series(np.arange(5.0), y),), y=Axis(log=log), title=title)
        assert to_text(draw(one, 60, 16, PLAIN)).split("\n")[0].strip() == shown
        assert (f">{shown}<" in to_svg(one)) == bool(shown)
        positive = Chart(series=(Series(np.arange(5.0), np.abs(y) + 1),), y=Axis(log=log))
        assert "left out" not in to_text(draw(positive, 60, 16, PLAIN))


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
ANY_ARRAY = st.integers(0, 40).flatmap(lambda n: arrays(np.float64, n, elements=ANY_FLOAT))
ANY_TEXT = st.text(max_size=12)
ANY_LIMIT = st.none() | ANY_FLOAT

SERIES = st.builds(
    Series,
    x=ANY_ARRAY,
    y=ANY_ARRAY,
    name=ANY_TEXT,
    colour=st.sampled_from(["loss", "raw", "best"]),
    kind=st.sampled_from(["line", "points"]),
    faint=st.booleans(),
)
AXIS = st.builds(Axis, label=ANY_TEXT, log=st.booleans(), lo=ANY_LIMIT, hi=ANY_LIMIT)
CHARTS = st.builds(
    Chart,
    series=st.lists(SERIES, max_size=3).map(tuple),
    x=AXIS,
    y=AXIS,
    vlines=st.lists(
        st.builds(VLine, ANY_FLOAT, ANY_TEXT, st.just("base"), st.booleans(), ANY_TEXT), max_size=3
    ).map(tuple),
    hlines=st.lists(st.builds(HLine, ANY_FLOAT, ANY_TEXT), max_size=2).map(tuple),
    bands=st.lists(st.builds(Band, ANY_FLOAT, ANY_FLOAT), max_size=2).map(tuple),
    areas=st.lists(st.builds(Area, ANY_ARRAY, ANY_ARRAY, ANY_ARRAY), max_size=1).map(tuple),
    marks=st.lists(st.builds(Mark, ANY_FLOAT, st.none() | ANY_FLOAT, ANY_TEXT), max_size=3).map(
        tuple
    ),
    title=ANY_TEXT,
    empty=ANY_TEXT,
)


@settings(max_examples=150, deadline=None)
@given(CHARTS, st.integers(0, 70), st.integers(0, 30), st.sampled_from([DARK, PLAIN]))
def test_anything_is_drawn_into_rows_of_the_right_size(chart, width, height, palette):
    rows = draw(chart, width, height, palette)
    assert len(rows) == height
    for row in rows:
        text = "".join(span.text for span in row)
        assert cell_len(text) == width
        assert all(c.isprintable() for c in text)


def test_the_reference_sweep_at_any_size():
    lr, loss = reference()
    chart = replace(sweep_chart(), series=(Series(lr, loss, "smoothed"),))
    for width in range(1, 90, 7):
        for height in range(1, 40, 3):
            for row in lines(chart, width, height):
                assert cell_len(row) == width


def test_decades_and_bounds_stand_on_the_axis_row():
    row = lines(sweep_chart(), 120, 24)[-2]
    for word in ("1e-7", "1e-6", "1e-5", "base 6.0e-04", "max 3.6e-03", "1e-1", "1e0"):
        assert word in row
    # A decade whose label has no room keeps its tick.
    assert lines(sweep_chart(), 120, 24)[-3].count("┬") >= 7
    assert lines(sweep_chart(), 120, 24)[-1].strip() == "learning rate (log)"


@pytest.mark.parametrize("factor", [1.01, 1.05, 1.2, 1.5, 2.0, 6.0])
@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_labels_of_bounds_never_run_into_each_other(factor, width):
    chart = sweep_chart(base=3.6e-3 / factor)
    row = lines(chart, width, 20)[-2]
    assert "max" in row
    words = re.sub(r"(base|max) (?=\d)", r"\1", row).split()
    assert all(re.fullmatch(r"1e-?\d|(base|max)([\d.]+e-\d\d)?", word) for word in words)
    if factor >= 2:
        assert "base" in row


def test_labels_of_bounds_stay_on_the_chart_at_its_edges():
    chart = sweep_chart(base=1.1e-7, peak=0.99)
    row = lines(chart, 80, 20)[-2]
    assert "base" in row
    assert "max" in row


def test_the_selected_bound_differs_in_shape():
    for palette in (DARK, PLAIN):
        for selected, heavy, light in (("max", "max", "base"), ("base", "base", "max")):
            rows = draw(sweep_chart(selected=selected), 100, 24, palette)
            assert {c for _, _, c in cells(rows, heavy)} >= {"┃", "▲"}
            assert {c for _, _, c in cells(rows, light)} >= {"│", "┴"}
            assert "┃" not in {c for _, _, c in cells(rows, light)}
            bold = {ink.role for row in rows for text, ink in row if ink.weight == "strong"}
            assert bold == {heavy}


def test_a_moved_bound_changes_its_columns_only():
    before = draw_grid(sweep_chart(), 100, 24, DARK)
    after = draw_grid(sweep_chart(peak=4.5e-3), 100, 24, DARK)
    spans = changed_spans(before, after)
    assert spans
    assert max(end for *_, end in spans) - min(start for _, start, _ in spans) < 30


def test_the_band_is_tinted_between_the_bounds():
    rows = draw(sweep_chart(), 100, 24, DARK)
    row = rows[12]
    place, tinted = 0, []
    for text, ink in row:
        tinted += range(place, place + len(text)) if ink.tint == "band" else []
        place += len(text)
    lines_at = sorted({x for _, x, c in cells(rows, "base") + cells(rows, "max") if c in "│┃"})
    assert (tinted[0], tinted[-1]) == (lines_at[0], lines_at[-1])
    assert len(tinted) == lines_at[-1] - lines_at[0] + 1


def test_without_tints_the_band_is_a_pattern_in_empty_cells():
    rows = draw(sweep_chart(), 100, 24, PLAIN)
    assert not any(ink.tint for row in rows for _, ink in row)
    inside = cells(rows, "band")
    assert inside
    assert {c for _, _, c in inside} == {"·"}
    plain = draw(replace(sweep_chart(), bands=()), 100, 24, PLAIN)
    assert cells(plain, "loss") == cells(rows, "loss")


def test_the_raw_curve_lies_under_the_smoothed_one():
    both = draw(sweep_chart(), 100, 24, DARK)
    smoothed = replace(sweep_chart(), series=sweep_chart().series[1:])
    alone = draw(replace(smoothed, y=Axis("loss", lo=1.5, hi=1.68)), 100, 24, DARK)
    both = draw(replace(sweep_chart(), y=Axis("loss", lo=1.5, hi=1.68)), 100, 24, DARK)
    dots = [c for c in cells(alone, "loss") if c[0] > 0]
    assert dots == [c for c in cells(both, "loss") if c[0] > 0]


def test_crossing_curves_keep_the_dots_of_both():
    x = np.linspace(0, 1, 200)
    chart = Chart((Series(x, x, "up"), Series(x, 1 - x, "down", "validation")))
    rows = draw(chart, 60, 20, DARK)
    visible = {(y, x) for y, x, _ in cells(rows, "loss") + cells(rows, "validation") if y > 0}
    for one in chart.series:
        alone = draw(replace(chart, series=(one,)), 60, 20, DARK)
        assert {(y, x) for y, x, _ in cells(alone, one.colour) if y > 0} <= visible


def test_tick_labels_are_right_aligned_and_the_gutter_is_constant():
    for hi in (1.7, 12.0, 480.0):
        chart = Chart((Series([0, 1], [hi / 2, hi]),), y=Axis("loss"))
        rows = lines(chart, 80, 20)
        axis = {row.index(c) for row in rows for c in "│┤" if c in row}
        assert axis == {6}
        ends = {row.index("┤") for row in rows if "┤" in row}
        assert ends == {6}
        assert all(row[5] != " " for row in rows if "┤" in row)


def test_limits_given_are_kept():
    chart = Chart((Series([0, 1, 2], [5, 6, 7]),), x=Axis(lo=0, hi=10), y=Axis(lo=0, hi=10))
    rows = draw(chart, 60, 20, DARK)
    assert max(x for _, x, _ in cells(rows, "loss")) < 7 + 0.25 * 53
    assert 3 <= min(y for y, _, _ in cells(rows, "loss")) <= 8


def test_a_spike_of_the_raw_curve_does_not_press_the_smoothed_one_flat():
    x = np.arange(1000.0)
    raw, smoothed = np.sin(x / 50), np.sin(x / 50)
    raw[500] = 1e6
    chart = Chart((Series(x, raw, "raw", "raw", faint=True), Series(x, smoothed, "smoothed")))
    rows = {y for y, _, _ in cells(draw(chart, 80, 24, DARK), "loss")}
    assert len(rows) > 12


def test_the_divergence_is_marked_with_a_word():
    chart = replace(sweep_chart(), marks=(Mark(0.05, 1.6, "diverged", "diverged"),))
    text = to_text(draw(chart, 100, 24, PLAIN))
    assert "✗ diverged" in text
    lost = replace(sweep_chart(), marks=(Mark(0.05, float("nan"), "diverged", "diverged"),))
    assert "✗ diverged" in lines(lost, 100, 24)[1]


def test_a_word_at_the_right_edge_goes_to_the_left():
    chart = replace(sweep_chart(), marks=(Mark(0.99, 1.6, "diverged", "diverged"),))
    assert "diverged ✗" in to_text(draw(chart, 100, 24, PLAIN))


def test_suggestions_are_ticks_on_the_top_edge_with_words_where_there_is_room():
    marks = (Mark(1e-5, label="valley"), Mark(2e-2, label="steepest"), Mark(2.3e-2, label="slide"))
    top = lines(replace(sweep_chart(), marks=marks), 120, 24)[1]
    assert top.count("▾") == 3
    assert "▾ valley" in top
    assert "slide" in top
    crowd = tuple(Mark(1e-3 * 1.1**i, label=f"rule {i}") for i in range(9))
    top = lines(replace(sweep_chart(), marks=crowd), 120, 24)[1]
    for word in top.replace("rule ", "rule").replace("▾", " ").split():
        assert word[:4] in ("rule", "│", "┃", "╷")


def test_the_word_of_a_suggestion_stands_nearer_to_its_own_mark_than_to_any_other():
    marks = (Mark(6.7e-4, label="valley"), Mark(2.8e-3, label="minimum/10"))
    for factor in np.geomspace(0.1, 10, 60):
        other = Mark(6.7e-4 * factor, label="slide")
        top = lines(replace(sweep_chart(), marks=(*marks, other)), 120, 24)[1]
        for word in ("valley", "minimum/10", "slide"):
            before, found, after = top.partition(word)
            if found:
                right, left = before.endswith("▾ "), after.startswith(" ▾")
                assert right != left
                beyond = after[:3] if right else before[-3:]
                assert not beyond.strip(), top


def test_a_suggestion_whose_word_has_no_room_on_the_top_edge_has_it_on_a_row_below():
    names = ("valley", "steepest", "slide")
    marks = tuple(Mark(1e-3 * 1.2**i, label=name) for i, name in enumerate(names))
    chart = Chart(x=Axis("rate", log=True, lo=1e-7, hi=1.0), y=Axis(lo=0, hi=1), marks=marks)
    shown = lines(chart, 100, 24)
    assert shown[0].count("▾") == 3 or shown[1].count("▾") == 3
    for name in names:
        (row,) = (row for row in shown if name in row)
        before, _, after = row.partition(name)
        assert before.endswith("▾ ") != after.startswith(" ▾")


def test_words_stand_over_the_pattern_of_a_band_that_has_no_colour():
    marks = (Mark(0.3, label="valley"), Mark(0.6, 0.5, "best", "best"))
    band = Area([0.0, 1.0], [-9.0, -9.0], [9.0, 9.0])
    axes = {"x": Axis(lo=0, hi=1), "y": Axis(lo=0, hi=1)}
    text = to_text(
        draw(Chart(areas=(band,), bands=(Band(0, 1),), marks=marks, **axes), 60, 12, PLAIN)
    )
    assert "▾░valley░" in text
    assert "★░best░" in text


@pytest.mark.parametrize("above", [0.0, 0.02, 0.1])
def test_words_of_points_cover_neither_each_other_nor_a_mark(above):
    for apart in np.linspace(0, 0.3, 31):
        places = [(0.4 + apart * i, 0.5 + above * i) for i in range(4)]
        marks = tuple(Mark(x, y, f"best {i}e-3", "best") for i, (x, y) in enumerate(places))
        curve = Series(np.linspace(0, 1, 50), np.full(50, 0.5))
        axes = {"x": Axis(lo=0, hi=1.5), "y": Axis(lo=0, hi=1)}
        text = to_text(draw(Chart((curve,), marks=marks, **axes), 90, 16, PLAIN))
        unlabelled = tuple(replace(mark, label="") for mark in marks)
        bare = to_text(draw(Chart((curve,), marks=unlabelled, **axes), 90, 16, PLAIN))
        assert text.count("★") == bare.count("★")
        whole = re.findall(r"(?<![^\W\d_])best \de-3(?!\w)", text)
        assert len(whole) == len(set(whole)) >= 2
        assert text.count("b") == text.count("t") == len(whole)


def test_points_have_the_glyph_of_their_series_on_the_chart_and_in_the_legend():
    points = Series([1, 2, 3], [1, 3, 2], "adam", "entry-1", "points", glyph="▲")
    chart = Chart((points, Series([1, 3], [1, 2], colour="entry-1")))
    text = "\n".join(lines(chart, 60, 12))
    assert text.count("▲") == 4
    assert "▲ adam" in text
    assert to_svg(chart).count(">▲<") == 4
    assert "<circle" not in to_svg(chart)


def test_the_word_of_a_line_stands_over_the_curve():
    chart = Chart((Series([0, 1], [1, 1], "x", "lr"),), hlines=(HLine(1, "base", "base"),))
    assert any("base" in row for row in lines(chart, 60, 12))


def test_a_target_is_a_line_with_a_label():
    chart = Chart((Series([0, 1], [0, 100]),), hlines=(HLine(65, "target 65 %"),))
    row = next(row for row in lines(chart, 80, 20) if "target" in row)
    assert row.rstrip().endswith("target 65 %")
    assert row.count("╌") > 40


def test_points_are_marks_of_their_own():
    chart = Chart(
        (
            Series([0, 1, 2, 3], [1, 2, 3, 4], "train"),
            Series([1, 2], [3, 1], "validation", "validation", kind="points"),
        )
    )
    rows = draw(chart, 60, 20, PLAIN)
    marks = [c for c in cells(rows, "validation") if c[0] > 0]
    assert [c for _, _, c in marks] == ["•", "•"]


def test_the_legend_names_each_series_in_its_colour():
    rows = draw(sweep_chart(), 100, 24, DARK)
    words = {span.ink.role: span.text for span in rows[0] if span.text.strip()}
    assert words["loss"].strip() == "━━ smoothed"
    assert words["raw"].strip() == "┄┄ raw"
    assert words["muted"].strip() == "loss"


def test_a_seed_band_is_a_tinted_area_or_a_pattern():
    x = np.linspace(0, 1, 50)
    chart = Chart((Series(x, x),), areas=(Area(x, x - 0.2, x + 0.2, "seeds"),))
    assert "░░ seeds" in lines(chart, 60, 20)[0]
    assert any(ink.tint == "seed-band" for row in draw(chart, 60, 20, DARK) for _, ink in row)
    pattern = cells(draw(chart, 60, 20, PLAIN)[1:], "seed-band")
    assert {c for _, _, c in pattern} == {"░"}


def test_an_empty_chart_says_what_will_come():
    chart = replace(sweep_chart(0), vlines=(), bands=())
    text = to_text(draw(chart, 80, 24, DARK))
    assert "The loss comes with the first steps." in text
    assert "1e-4" in text  # the axis is known before the data are
    assert "first steps" not in to_text(draw(sweep_chart(2), 80, 24, DARK))
    narrow = Chart(empty="words that do not fit into a single row")
    assert "words that do" in to_text(draw(narrow, 20, 10, DARK))


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [1.0, 1.0, 1.0],
        [np.nan] * 5,
        [np.inf, -np.inf],
        [0.0, -1.0],
        [1e-320, 1e-320],
        [1e308, -1e308],
        [1e17, 1e17 + 64],
    ],
)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("size", [(10, 3), (1, 1), (80, 24)])
def test_degenerate_data(values, log, size):
    chart = Chart(
        (Series(np.arange(len(values)), values, "one"),),
        x=Axis("step"),
        y=Axis("loss", log=log),
        vlines=(VLine(np.nan, "base"), VLine(0.0, "max")),
    )
    for row in lines(chart, *size):
        assert cell_len(row) == size[0]


def test_control_characters_and_wide_ones_do_not_disturb_the_rows():
    chart = replace(
        sweep_chart(), title="花\x1b[31m\n\tflowers\u0301\u200b", x=Axis("\x9b2J", True)
    )
    rows = lines(chart, 70, 24)
    assert all(cell_len(row) == 70 for row in rows)
    assert "\x1b" not in "".join(rows)
    assert "花" in rows[0]


def test_half_a_wide_character_is_none():
    chart = Chart(hlines=(HLine(0.0, "花花花花花"),), marks=(Mark(0.0, 0.0, "best"),))
    for width in range(4, 20):
        (row,) = lines(chart, width, 1)
        assert cell_len(row) == width


def test_drawing_again_changes_nothing():
    assert draw(sweep_chart(), 100, 30, DARK) == draw(sweep_chart(), 100, 30, DARK)


def test_a_step_more_changes_little():
    fixed = Axis("loss", lo=1.5, hi=1.68)
    old = draw_grid(replace(sweep_chart(60), y=fixed), 160, 44, DARK)
    new = draw_grid(replace(sweep_chart(61), y=fixed), 160, 44, DARK)
    assert 0 < sum(end - start for _, start, end in changed_spans(old, new)) < 60


def title_cells(text):
    return draw_grid(Chart(title=text), cell_len(text), 4, DARK)


def test_changed_finds_exactly_the_cells_that_differ():
    assert changed_spans(title_cells("abcdef   "), title_cells("abXdeY   ")) == [
        (0, 2, 3),
        (0, 5, 6),
    ]
    assert changed_spans(title_cells("abc"), title_cells("abc")) == []
    assert changed_spans(title_cells("Xbc"), title_cells("abX")) == [(0, 0, 1), (0, 2, 3)]


def test_changed_takes_a_wide_character_whole():
    assert changed_spans(title_cells("a花b  "), title_cells("a茶b  ")) == [(0, 1, 3)]
    assert changed_spans(title_cells("a花b  "), title_cells("axyb  ")) == [(0, 1, 3)]
    assert changed_spans(title_cells("axyb  "), title_cells("a花b  ")) == [(0, 1, 3)]


def test_changed_takes_the_ink_of_a_wide_character_from_its_first_half():
    def grid(edge):
        made = Grid(5, 1)
        made.put(0, 0, "a花b", "text")
        made.tint(slice(0, 1), slice(0, 5), np.arange(5)[None] < edge, "band")
        return made

    assert changed_spans(grid(2), grid(3)) == []
    assert changed_spans(grid(3), grid(4)) == [(0, 3, 4)]
    assert changed_spans(grid(1), grid(2)) == [(0, 1, 3)]


def test_changed_sees_the_tint_of_a_blank_and_not_its_ink():
    def grid(role, tint):
        made = Grid(3, 1)
        made.put(0, 0, " a ", role)
        if tint:
            made.tint(slice(0, 1), slice(0, 3), np.array([[True, False, False]]), "band")
        return made

    assert changed_spans(grid("loss", tint=False), grid("loss", tint=True)) == [(0, 0, 1)]
    assert changed_spans(grid("loss", tint=False), grid("lr", tint=False)) == [(0, 1, 2)]


def test_text_is_plain():
    rows = draw(sweep_chart(), 80, 24, DARK)
    text = to_text(rows)
    assert len(text.split("\n")) == 24
    assert not any(unicodedata.category(c) == "Cc" for c in text.replace("\n", ""))
    assert all(line == line.rstrip() for line in text.split("\n"))
