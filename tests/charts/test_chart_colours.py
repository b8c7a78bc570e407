import pytest
from rich.color import Color, ColorSystem

from clr_tui.tui.charts.cells import ROLES, Ink
from clr_tui.tui.charts.palette import (
    DARK,
    DARK_16,
    DARK_256,
    LIGHT,
    LIGHT_16,
    LIGHT_256,
    PLAIN,
    palette_for,
)

QUIET = {"raw", "lr-ahead", "frame", "band", "seed-band"}


def luminance(colour):
    def linear(part):
        part /= 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    r, g, b = Color.parse(colour).get_truecolor()
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)


def contrast(a, b):
    """WCAG 2.1, relative luminance."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT, DARK_256, LIGHT_256], ids=lambda p: p.name)
def test_colours_are_legible_on_the_background_and_on_the_band(palette):
    for role in ROLES:
        colour = palette.colours[role]
        least = 1.7 if role in QUIET else 4.5
        assert contrast(colour, palette.background) >= least, role
        if role not in {"frame", "band", "seed-band"}:
            assert contrast(colour, palette.tints["band"]) >= least - 0.5, role


@pytest.mark.parametrize("palette", [DARK, LIGHT, DARK_256, LIGHT_256], ids=lambda p: p.name)
def test_the_band_shows_quietly(palette):
    tint = palette.tints["band"]
    for system in (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT):
        back, fore = (
            Color.parse(c).downgrade(system).get_truecolor().hex for c in (palette.background, tint)
        )
        if palette.name.endswith("256") or system == ColorSystem.TRUECOLOR:
            assert 1.05 < contrast(back, fore) < 1.6


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda p: p.name)
def test_what_stands_side_by_side_differs_in_colour(palette):
    for a, b in (("loss", "validation"), ("base", "max"), ("loss", "raw"), ("lr", "lr-ahead")):
        one, other = (Color.parse(palette.colours[r]).get_truecolor() for r in (a, b))
        assert sum(abs(x - y) for x, y in zip(one, other, strict=True)) > 120


@pytest.mark.parametrize("palette", [DARK_16, LIGHT_16], ids=lambda p: p.name)
def test_sixteen_colours_are_the_terminals_own(palette):
    for role in ROLES:
        colour = palette.style(Ink(role)).color
        assert colour.is_default or (colour.number is not None and colour.number < 16)
    assert not palette.tinted


def test_without_colour_there_is_none():
    for role in ROLES:
        for weight in ("normal", "faint", "strong"):
            style = PLAIN.style(Ink(role, "band", weight))
            assert style.color is None
            assert style.bgcolor is None
    assert PLAIN.style(Ink("raw")).dim
    assert PLAIN.style(Ink("max", None, "strong")).bold
    assert not PLAIN.style(Ink("loss")).dim


def test_faint_is_mixed_with_the_background_where_colours_can_be_mixed():
    faint = DARK.style(Ink("loss", None, "faint"))
    assert contrast(faint.color.name, DARK.background) < contrast(
        DARK.colours["loss"], DARK.background
    )
    assert not faint.dim
    assert DARK_16.style(Ink("loss", None, "faint")).dim


def test_the_palette_follows_the_terminal():
    assert palette_for(dark=True, colours=2**24, no_color=False) is DARK
    assert palette_for(dark=False, colours=2**24, no_color=False) is LIGHT
    assert palette_for(dark=True, colours=256, no_color=False) is DARK_256
    assert palette_for(dark=False, colours=16, no_color=False) is LIGHT_16
    assert palette_for(dark=True, colours=2**24, no_color=True) is PLAIN
    assert palette_for(dark=True, colours=None, no_color=False) is PLAIN
