"""Our partial updates paint what Textual's own would paint, in far fewer bytes."""

import random

import pyte
import pytest
from chart_samples import sweep_chart
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.strip import Strip

from clr_tui.tui import textual_internals
from clr_tui.tui.widgets.chart_view import ChartView

WIDTH, HEIGHT = 40, 12
CONSOLE = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
STYLES = [
    None,
    Style(color="#ff0000"),
    Style(color="#00ff00", bgcolor="#101010"),
    Style(bold=True, color="#3366ff"),
    Style(bgcolor="#222222"),
]
# Textual's own, whichever module was imported first.
THEIRS = ChopsUpdate.render_segments


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(ChopsUpdate, "render_segments", THEIRS)


def random_row(rng):
    segments, left = [], WIDTH
    while left > 0:
        word = "".join(rng.choice("ab░⠿ 花") for _ in range(rng.randint(1, 9)))
        strip = Strip([Segment(word, rng.choice(STYLES))]).crop(0, left)
        segments += strip
        left -= strip.cell_length
    return Strip(segments, WIDTH)


def chopped(row, cuts):
    return dict(zip(cuts[:-1], row.divide(cuts[1:]), strict=True))


def painted(screen, sequences):
    pyte.Stream(screen).feed(sequences)
    return [[screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def whole(rows):
    screen = pyte.Screen(WIDTH, HEIGHT)
    for y, row in enumerate(rows):
        pyte.Stream(screen).feed(f"\x1b[{y + 1};1H" + row.render(CONSOLE))
    return screen


@pytest.mark.parametrize("seed", range(60))
def test_the_terminal_ends_up_showing_the_new_rows_where_it_was_told_to(seed):
    rng = random.Random(seed)
    old = [random_row(rng) for _ in range(HEIGHT)]
    new = [random_row(rng) for _ in range(HEIGHT)]
    chops, ends, spans = [], [], []
    for y in range(HEIGHT):
        cuts = sorted({0, WIDTH, *(rng.randrange(1, WIDTH) for _ in range(rng.randint(0, 3)))})
        chops.append(chopped(new[y], cuts))
        ends.append(cuts[1:])
        if rng.random() < 0.7:
            start = rng.randrange(0, WIDTH - 1)
            spans.append((y, start, rng.randrange(start + 1, WIDTH + 1)))
    if not spans:
        return
    update = ChopsUpdate(chops, spans, ends)
    ours = painted(whole(old), textual_internals.lean_segments(update, CONSOLE))
    before = painted(whole(old), "")
    after = painted(whole(new), "")
    told = {(y, x) for y, start, end in spans for x in range(start, end)}
    # A wide character that an update cuts in half is a blank in both drawings: not compared.
    halves = {
        (y, x + d)
        for grid in (before, after)
        for y in range(HEIGHT)
        for x in range(WIDTH)
        if grid[y][x].data in ("", "花")
        for d in (-1, 0, 1)
    }
    for y in range(HEIGHT):
        for x in range(WIDTH):
            if (y, x) not in halves:
                expected = after if (y, x) in told else before
                assert ours[y][x] == expected[y][x], (y, x)


def test_the_cells_painted_are_those_that_textual_paints_and_no_more():
    row = Strip([Segment("x" * 20, STYLES[1]), Segment("y" * 20, STYLES[2])], WIDTH)
    chops = [chopped(row, [0, WIDTH]) for _ in range(HEIGHT)]
    update = ChopsUpdate(chops, [(3, 30, 32), (4, 30, 32)], [[WIDTH]] * HEIGHT)
    ours, theirs = textual_internals.lean_segments(update, CONSOLE), THEIRS(update, CONSOLE)
    assert ours.count("y") == 4
    assert "x" not in ours
    assert theirs.count("x") == 40
    assert len(ours) * 3 < len(theirs)


def test_links_keep_their_sequences():
    link = Style(color="#ff0000", link="https://example.org")
    chops = [{0: Strip([Segment("docs", link)], 4)}]
    text = textual_internals.lean_segments(ChopsUpdate(chops, [(0, 0, 4)], [[4]]), CONSOLE)
    assert "https://example.org" in text
    assert text.count("\x1b]8;") == 2


async def test_a_chart_on_the_screen_makes_updates_lean():
    class ChartApp(App):
        def compose(self):
            yield ChartView(sweep_chart())

    assert ChopsUpdate.render_segments is THEIRS
    async with ChartApp().run_test(size=(80, 24)):
        assert ChopsUpdate.render_segments is textual_internals.lean_segments
