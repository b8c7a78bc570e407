"""The filter of charts and runs."""

from __future__ import annotations

import re

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.tui.text.name_filter import filtered, read_filter

CHARTS = ["train_loss", "val_loss", "val_acc", "lr", "metrics/a+b"]
RUNS = ["adam, seed 0", "adam, seed 1", "sgd lr=0.1"]


def kept(text: str) -> tuple[list[str], list[str]]:
    charts, runs = filtered(read_filter(text), CHARTS, RUNS)
    return (
        [name for name, keep in zip(CHARTS, charts, strict=True) if keep],
        [name for name, keep in zip(RUNS, runs, strict=True) if keep],
    )


@pytest.mark.parametrize(
    ("text", "charts", "runs"),
    [
        ("", CHARTS, RUNS),
        ("  ", CHARTS, RUNS),
        ("LOSS", ["train_loss", "val_loss"], RUNS),
        ("val loss", ["val_loss"], RUNS),
        ("!val", ["train_loss", "lr", "metrics/a+b"], RUNS),
        ("adam", CHARTS, RUNS[:2]),
        ("!adam !loss", ["val_acc", "lr", "metrics/a+b"], RUNS[2:]),
        ("adam loss", ["train_loss", "val_loss"], RUNS[:2]),
        ("/^val_(loss|acc)$/", ["val_loss", "val_acc"], RUNS),
        ("!/a/", ["lr"], ["sgd lr=0.1"]),
        ("/seed [01]/ acc", ["val_acc"], RUNS[:2]),
        ("lr", ["lr"], RUNS[2:]),  # both have it
        ("a+b", ["metrics/a+b"], RUNS),
        ("metrics/", ["metrics/a+b"], RUNS),
        ("/a", ["metrics/a+b"], RUNS),  # no pattern: it does not end with /
        ("nothing", [], RUNS),
        ("!nothing", CHARTS, RUNS),
        ("!", [], RUNS),
        (r"/cs\/a/", ["metrics/a+b"], RUNS),
    ],
)
def test_what_is_kept(text, charts, runs) -> None:
    assert kept(text) == (charts, runs)


@pytest.mark.parametrize("text", ["/(/", "loss /[/", "!/*/", "/(?P<a>x)(?P<a>y)/"])
def test_a_bad_pattern_is_one_sentence(text) -> None:
    with pytest.raises(UserError, match=re.escape("is not a regular expression")) as error:
        read_filter(text)
    assert "\n" not in error.value.message
