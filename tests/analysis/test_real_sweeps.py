"""Verdicts on sweeps that were really made, as they came.

real_sweeps.json: raw losses of a small CNN (three conv - batch norm - ReLU - pool blocks) on 4,300
photographs of flowers at 32x32, batch 64, SGD, 106 steps; momentum 0.9 but for `nomom`. `flowers`
and `nomom` from 1e-7 to 1; `fall` only to 1e-2; `random` with shuffled labels.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_sweeps import sweep_history

from clr_tui.engine.analysis.sweep.curve import curve_of
from clr_tui.engine.analysis.sweep.suggest import suggestions
from clr_tui.engine.analysis.sweep.verdict import verdict

SWEEPS = json.loads((Path(__file__).parent / "real_sweeps.json").read_text())
KINDS = {"flowers": "recommended", "nomom": "recommended", "fall": "falling", "random": "flat"}
ENDS = {"fall": 1e-2}


def curve(*names):
    end = ENDS.get(names[0].split("-")[0], 1.0)
    return curve_of(sweep_history(*(SWEEPS[n] for n in names), end=end, steps=106))


@pytest.mark.parametrize("name", SWEEPS)
def test_verdict_on_a_single_sweep(name):
    assert verdict(curve(name)).kind == KINDS[name.split("-")[0]]


@pytest.mark.parametrize("kind", ["flowers", "fall", "random"])
def test_verdict_on_several_seeds(kind):
    names = [n for n in SWEEPS if n.startswith(kind)]
    assert verdict(curve(*names)).kind == KINDS[kind]


def test_five_seeds_recommend_the_rate_that_trains_best():
    """CLR trainings of 8 epochs: 63.5 % at 6e-3, 64.8 at 1e-2, 66.1 at 1.7e-2, 64.9 at 3e-2.

    Means over validation and test accuracy of two seeds.
    """
    found = suggestions(curve(*(n for n in SWEEPS if n.startswith("flowers"))))[0]
    assert found.recommended
    assert 1.2e-2 <= found.lr <= 2.4e-2
