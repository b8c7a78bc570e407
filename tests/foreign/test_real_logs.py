"""Logs that the real libraries wrote show exactly the values that these were given.

real_logs/README.md says how they were made.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from reading import Points, follow_one

REAL = Path(__file__).parent / "real_logs"
LOGS = {
    "lightning": ("lightning_logs/version_0/metrics.csv", "Lightning CSV", set()),
    "keras": ("training.csv", "Keras CSV", set()),
    "keras_semicolon": ("training.csv", "Keras CSV", set()),
    "keras_tab": ("training.csv", "Keras CSV", set()),
    "fastai": ("history.csv", "fastai CSV", {"time"}),
    "ultralytics": ("results.csv", "Ultralytics CSV", {"time"}),
    "timm": ("summary.csv", "timm CSV", set()),
    "lr_finder": ("history.csv", "CSV", set()),
    "openmmlab": ("run/vis_data/scalars.json", "OpenMMLab scalars", set()),
    "trainer": ("trainer_state.json", "Hugging Face Trainer", set()),
}
"""The log of each library, the name of its format, and the values that the library adds itself."""


def expected_of(name: str) -> tuple[str, Points]:
    """What counts, and the values by name; of several at one step the last."""
    found = json.loads((REAL / name / "expected.json").read_text())
    points: Points = {
        key: sorted({step: None if math.isnan(v) else v for step, v in values}.items())
        for key, values in found["values"].items()
    }
    return found["x"], points


@pytest.mark.parametrize("name", LOGS)
def test_a_log_shows_exactly_what_was_logged(name: str) -> None:
    place, title, added = LOGS[name]
    follower = follow_one(REAL / name / place)
    shown = follower.read()
    x, values = expected_of(name)
    assert {key: shown[key] for key in values} == values
    assert shown.keys() - values.keys() == added
    assert follower.log.format == title
    assert {follower.history.logged.column(key).x for key in values} == {x}
    assert not follower.warnings
    assert follower.history.corrupt == 0


def test_the_history_of_torch_lr_finder_as_json_is_the_same() -> None:
    _, values = expected_of("lr_finder")
    assert follow_one(REAL / "lr_finder" / "history.json").read() == values


def test_settings_stand_beside_the_logs() -> None:
    lightning = follow_one(REAL / "lightning")
    assert lightning.log.settings == {"width": "3", "dropout": "0.1"}
    assert follow_one(REAL / "ultralytics").log.settings["model"] == "yolo11n.pt"
    assert follow_one(REAL / "trainer").log.settings["max_steps"] == "12"


def test_a_header_that_stands_again_is_told() -> None:
    fastai = follow_one(REAL / "fastai")
    fastai.read()
    assert fastai.remarks == [
        "the header stands again above row 3, and the epochs begin again: they count on from 2"
    ]


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_found_in_its_folder(name: str) -> None:
    follower = follow_one(REAL / name)
    assert follower.read().keys() >= expected_of(name)[1].keys()
