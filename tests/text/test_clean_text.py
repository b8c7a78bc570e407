import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.text.clean import REPLACEMENT, plain


@given(st.text())
def test_nothing_that_steers_a_terminal_gets_through(text):
    shown = plain(text)
    assert len(shown) == len(text)
    assert all(c == REPLACEMENT or unicodedata.category(c)[0] != "C" for c in shown)


def test_escape_sequences_show_as_what_they_are():
    assert plain("\x1b[31mred\x1b[0m\a") == f"{REPLACEMENT}[31mred{REPLACEMENT}[0m{REPLACEMENT}"


def test_markup_stays_text():
    assert plain("[bold]x[/bold] Größe 花") == "[bold]x[/bold] Größe 花"


def test_lines_become_one():
    assert plain("a\r\nb\tc\u2028d") == "a  b c d"


def test_undecodable_file_names_can_be_shown():
    name = b"f\xff.png".decode("utf-8", "surrogateescape")
    assert plain(name) == f"f{REPLACEMENT}.png"
    plain(name).encode("utf-8")


def test_direction_overrides_are_replaced():
    assert plain("a\u202eb") == f"a{REPLACEMENT}b"
