from dataclasses import replace

from clr_tui.tui.text.chart_options import (
    RANGE_TEST_X,
    WEIGHTS,
    ChartOptions,
    options_in,
    view_of,
)


def test_smoothing_walks_through_all_its_steps_and_stops_at_the_ends():
    options = ChartOptions(smoothing=1.0)
    seen = [options.smoothing]
    while (following := options.smoother(1)) != options:
        options = following
        seen.append(options.smoothing)
    assert tuple(seen) == WEIGHTS
    for alpha in reversed(WEIGHTS[:-1]):
        options = options.smoother(-1)
        assert options.smoothing == alpha
    assert options.smoother(-1) == options


def test_a_smoothing_between_the_steps_goes_to_its_neighbours():
    options = ChartOptions(smoothing=0.07)
    assert options.smoother(1).smoothing == 0.05
    assert options.smoother(-1).smoothing == 0.1


def test_the_x_axes_cycle():
    options = ChartOptions()
    seen = []
    for _ in range(5):
        seen.append(options.x)
        options = options.next_x(RANGE_TEST_X)
    assert seen == ["lr", "step", "epoch", "seconds", "lr"]


def test_the_title_says_how_the_loss_is_drawn():
    assert ChartOptions(smoothing=1.0).loss_title == "loss"
    assert ChartOptions(smoothing=0.05, y_log=True).loss_title == "loss (log, smoothing 0.05)"


def test_a_remembered_view_is_read_and_what_makes_no_sense_is_as_usual():
    usual = ChartOptions(x="epoch", smoothing=0.1)
    names, axes = ("x", "y_log", "smoothing"), ("epoch", "step")
    shown = ChartOptions(x="step", y_log=True, smoothing=0.1)
    view = view_of(shown, usual, names)
    assert view == {"x": "step", "y_log": True}
    assert options_in(view, usual, names, axes) == shown
    assert options_in(view, usual, ("y_log",), axes) == replace(usual, y_log=True)
    odd = {"x": ["lr"], "y_log": 1, "smoothing": float("nan"), "colour": "red"}
    assert options_in(odd, usual, names, axes) == usual
