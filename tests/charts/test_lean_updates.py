"""Our updates paint what Textual's own would paint, in far fewer bytes."""

import random

import pyte
import pytest
from chart_samples import sweep_chart
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

from clr_tui.tui import textual_internals
from clr_tui.tui.textual_internals import lean_regions, lean_screen
from clr_tui.tui.widgets.chart_view import ChartView

WIDTH, HEIGHT = 40, 12
STYLES = [
    None,
    Style(color="#ff0000"),
    Style(color="#00ff00", bgcolor="#101010"),
    Style(bold=True, color="#3366ff"),
    Style(bgcolor="#222222"),
    Style(underline=True, color="bright_red"),
    Style(reverse=True, bgcolor="blue"),
    Style(italic=True, color="color(200)", bgcolor="color(17)"),
]
# Textual's own, whichever module was imported first.
THEIRS = ChopsUpdate.render_segments
THEIR_SCREEN = LayoutUpdate.render_segments


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(ChopsUpdate, "render_segments", THEIRS)
    monkeypatch.setattr(LayoutUpdate, "render_segments", THEIR_SCREEN)


@pytest.fixture
def console():
    """A terminal of which nothing is known yet."""
    return Console(color_system="truecolor", force_terminal=True, width=WIDTH)


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
        pyte.Stream(screen).feed(
            f"\x1b[{y + 1};1H" + row.render(Console(color_system="truecolor", force_terminal=True))
        )
    return screen


@pytest.mark.parametrize("seed", range(60))
def test_the_terminal_ends_up_showing_the_new_rows_where_it_was_told_to(seed, console):
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
    ours = painted(whole(old), lean_regions(update, console))
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
                assert seen(ours[y][x]) == seen(expected[y][x]), (y, x)


@pytest.mark.parametrize("seed", range(40))
def test_after_any_updates_the_terminal_shows_what_textuals_own_would_show(seed, console):
    """Words of one width: where a wide character is cut, Textual's own leaves halves."""
    rng = random.Random(seed)
    ours, theirs = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    rows = [narrow_row(rng) for _ in range(HEIGHT)]
    for number in range(8):
        if number == 0 or rng.random() < 0.3:
            whole_screen = LayoutUpdate([[row] for row in rows], Region(0, 0, WIDTH, HEIGHT))
            pairs = [(lean_screen, THEIR_SCREEN, whole_screen)]
        else:
            spans = [
                (y, start, rng.randrange(start + 1, WIDTH + 1))
                for y in range(HEIGHT)
                if rng.random() < 0.5
                for start in [rng.randrange(0, WIDTH - 1)]
            ]
            for y, start, end in spans:
                new = narrow_row(rng)
                parts = (rows[y].crop(0, start), new.crop(start, end), rows[y].crop(end, WIDTH))
                rows[y] = Strip.join(parts)
            regions = ChopsUpdate([{0: row} for row in rows], spans, [[WIDTH]] * HEIGHT)
            pairs = [(lean_regions, THEIRS, regions)] if spans else []
        for lean, own, update in pairs:
            pyte.Stream(ours).feed(lean(update, console))
            pyte.Stream(theirs).feed(own(update, console).replace("\n", ""))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            assert seen(ours.buffer[y][x]) == seen(theirs.buffer[y][x]), (y, x)


def narrow_row(rng):
    words = [
        Segment("".join(rng.choice("ab░⠿   ") for _ in range(8)), rng.choice(STYLES))
        for _ in range(WIDTH // 8)
    ]
    return Strip(words, WIDTH)


def seen(cell):
    """What can be seen of a cell: of a blank not the colour of its text."""
    if cell.data != " " or cell.underscore or cell.reverse:
        return cell
    return cell.data, cell.bg


def screen_of(rows):
    return LayoutUpdate([[row] for row in rows], Region(0, 0, WIDTH, HEIGHT))


def test_what_the_terminal_shows_is_not_sent_again(console):
    rng = random.Random(1)
    rows = [random_row(rng) for _ in range(HEIGHT)]
    assert lean_screen(screen_of(rows), console)
    assert lean_screen(screen_of(rows), console) == ""
    changed = [*rows[:5], Strip([Segment("x" * WIDTH, STYLES[1])], WIDTH), *rows[6:]]
    assert lean_screen(screen_of(changed), console).count("x") == WIDTH
    spans = [(5, 0, WIDTH)]
    update = ChopsUpdate([{0: row} for row in changed], spans, [[WIDTH]] * HEIGHT)
    assert lean_regions(update, console) == ""


def test_each_terminal_is_painted_whole_at_first(console):
    rows = [Strip([Segment("x" * WIDTH)], WIDTH)] * HEIGHT
    other = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    assert lean_screen(screen_of(rows), console).count("x") == WIDTH * HEIGHT
    assert lean_screen(screen_of(rows), other).count("x") == WIDTH * HEIGHT


def test_a_terminal_that_others_wrote_on_is_painted_whole(console):
    class OfConsole(App):
        pass

    app = OfConsole()
    app.console = console
    rows = [Strip([Segment("x" * WIDTH)], WIDTH)] * HEIGHT
    assert lean_screen(screen_of(rows), console)
    textual_internals.forget_cells(app)
    assert lean_screen(screen_of(rows), console).count("x") == WIDTH * HEIGHT


def test_the_cells_painted_are_those_that_textual_paints_and_no_more(console):
    row = Strip([Segment("x" * 20, STYLES[1]), Segment("y" * 20, STYLES[2])], WIDTH)
    chops = [chopped(row, [0, WIDTH]) for _ in range(HEIGHT)]
    update = ChopsUpdate(chops, [(3, 30, 32), (4, 30, 32)], [[WIDTH]] * HEIGHT)
    ours, theirs = lean_regions(update, console), THEIRS(update, console)
    assert ours.count("y") == 4
    assert "x" not in ours
    assert theirs.count("x") == 40
    assert len(ours) * 3 < len(theirs)


def test_a_style_is_sent_once_and_then_only_what_differs(console):
    background = "#101010"
    words = [("one", "#ff0000"), (" ", None), ("two", "#ff0000"), ("three", "#00ff00")]
    row = Strip([Segment(text, Style(color=c, bgcolor=background)) for text, c in words])
    text = lean_screen(LayoutUpdate([[row]], Region(0, 0, 12, 1)), console)
    assert text == (
        "\x1b[1;1H\x1b[38;2;255;0;0;48;2;16;16;16mone two\x1b[38;2;0;255;0mthree\x1b[0m"
    )


def test_links_keep_their_sequences(console):
    link = Style(color="#ff0000", link="https://example.org")
    chops = [{0: Strip([Segment("docs", link)], 4)}]
    update = ChopsUpdate(chops, [(0, 0, 4)], [[4]])
    for _ in range(2):  # they are not compared
        text = lean_regions(update, console)
        assert "https://example.org" in text
        assert text.count("\x1b]8;") == 2


async def test_a_chart_on_the_screen_makes_updates_lean():
    class ChartApp(App):
        def compose(self):
            yield ChartView(sweep_chart())

    assert ChopsUpdate.render_segments is THEIRS
    async with ChartApp().run_test(size=(80, 24)):
        assert ChopsUpdate.render_segments is lean_regions
        assert LayoutUpdate.render_segments is lean_screen
