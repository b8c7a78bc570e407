from itertools import combinations

import numpy as np
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


ENTRIES = [role for role in ROLES if role.startswith("entry-")]
# What eyes without red, green or blue cones see of linear RGB: Machado, Oliveira and Fernandes
# (2009), severity 1.0, from their table.
BLIND = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour, blind):
    """CIELAB (D65), as the standard has it, of what such eyes see."""
    rgb = np.array(Color.parse(colour).get_truecolor()) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(blind) @ linear, 0, 1)
    xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    ) @ seen / [0.95047, 1.0, 1.08883]  # fmt: skip
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


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


@pytest.mark.parametrize("blind", BLIND)
@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda p: p.name)
def test_entries_can_be_told_apart_by_all_eyes(palette, blind):
    seen = {role: lab(palette.colours[role], BLIND[blind]) for role in ENTRIES}
    apart = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    # A difference of 2.3 can just be seen. On light all eight must be dark, which leaves less room.
    least = 30 if blind == "none" else 15 if palette.dark else 10
    assert min(apart.values()) > least, min(apart, key=apart.get)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda p: p.name)
def test_bands_of_entries_are_quiet_and_curves_stand_out_from_them(palette):
    for role in ENTRIES:
        assert 1.15 < contrast(palette.tints[role], palette.background) < 1.4
        for curve in ENTRIES:
            assert contrast(palette.colours[curve], palette.tints[role]) > 3.5


@pytest.mark.parametrize("palette", [DARK_256, LIGHT_256], ids=lambda p: p.name)
def test_bands_that_would_all_be_grey_are_not_tinted(palette):
    assert not set(ENTRIES) & set(palette.tints)


@pytest.mark.parametrize("palette", [DARK_16, LIGHT_16], ids=lambda p: p.name)
def test_eight_entries_have_eight_colours_of_sixteen(palette):
    assert len({palette.colours[role] for role in ENTRIES}) == 8


@pytest.mark.parametrize("palette", [DARK_16, LIGHT_16], ids=lambda p: p.name)
def test_sixteen_colours_are_the_terminals_own(palette):
    for role in ROLES:
        colour = palette.style(Ink(role)).color
        assert colour.is_default or (colour.number is not None and colour.number < 16)
    assert not palette.tints


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
