"""What a range test recommends, checked by a grid around it: the real commands and a real pool."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from homes import Home
from scipy import stats

pytestmark = pytest.mark.slow


def run(home: Home, *arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "clr_tui.tui", *map(str, arguments)],
        env={**home.env, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict, dict, str]]:
    """A range test and a grid around it: the home, both results, what was said meanwhile."""
    home = Home(tmp_path_factory.mktemp("home"))
    code, out, err = run(home, "range-test", "--epochs", "3", "--headless", "--json")
    assert code == 0, err
    swept = json.loads(out)
    length = ("--epochs", "2", "--seeds", "2", "--no-whole-cycles", "--step-size-epochs", "1")
    around = f"around:{swept['run']}x3"
    code, out, err = run(home, "compare", "--lr", around, *length, "--headless", "--json")
    assert code == 0, err
    yield home, swept, json.loads(out), err
    home.close()


def test_the_swept_optimizer_trains_at_each_rate(verified) -> None:
    home, swept, found, said = verified
    assert (found["status"], found["trials_done"]) == ("done", 6)
    (one,) = found["sensitivity"]["optimizers"]
    assert one["label"] == "sgd(momentum=0.9)+clr"
    middle = one["points"][1]["lr"]
    assert middle == pytest.approx(swept["bounds"]["max_lr"], rel=0.005)
    assert [p["lr"] / middle for p in one["points"]] == pytest.approx(
        [10 ** (-1 / 3), 1, 10 ** (1 / 3)], rel=0.01
    )
    assert {entry["base_lr"] for entry in found["entries"]} == {
        entry["lr"] / 6 for entry in found["entries"]
    }
    stored = json.loads(home.only_run("compare").config_path.read_text())
    assert (stored["parent"], stored["job"]["swept_in"]) == (swept["run"], swept["run"])
    assert f"{one['label']}: 3 rates, grid:" in said


def test_what_each_rule_costs_is_told_from_the_trials_alone(verified) -> None:
    _, swept, found, _ = verified
    (one,) = found["sensitivity"]["optimizers"]
    assert {cost["rule"]: cost["lr"] for cost in one["costs"]} == {
        rule["rule"]: rule["lr"] for rule in swept["suggestions"] if rule["lr"] is not None
    }
    recommended = next(rule["rule"] for rule in swept["suggestions"] if rule["recommended"])
    assert one["costs"][0]["rule"] == recommended
    values = {p["lr"]: [p["values"]["0"], p["values"]["1"]] for p in one["points"]}
    by_label = {entry["label"]: entry["test_last"]["values"] for entry in found["entries"]}
    assert sorted(values.values()) == sorted(by_label.values())
    best = max(values, key=lambda lr: np.mean(values[lr]))
    assert one["best"]["lr"] == best
    for cost in one["costs"]:
        if cost["lost"] is None or cost["at"] == best:
            continue
        moves = np.subtract(values[best], values[cost["at"]])
        assert cost["lost"] == pytest.approx(np.mean(moves))
        if np.ptp(moves) > 1e-9:
            half = stats.t.ppf(0.975, 1) * stats.sem(moves)
            assert cost["half_width"] == pytest.approx(half)


def test_the_result_is_replayed_and_exported(verified) -> None:
    home, _, found, _ = verified
    code, out, err = run(home, "replay", found["run"], "--headless", "--json")
    assert code == 0, err
    assert json.loads(out)["sensitivity"] == found["sensitivity"]
    code, out, err = run(home, "attach", found["run"], "--headless")
    assert code == 0, err
    assert "sgd(momentum=0.9)+clr: " in out
    assert " ".join(out.split()).count(found["sensitivity"]["words"][0]) == 1
    code, out, err = run(home, "export", found["run"], "--rates-csv", "-")
    assert code == 0, err
    rows = list(csv.DictReader(io.StringIO(out)))
    (one,) = found["sensitivity"]["optimizers"]
    assert [float(row["mean"]) for row in rows] == [p["mean"] for p in one["points"]]
    code, out, err = run(home, "export", found["run"], "--markdown", "-")
    assert code == 0, err
    assert found["sensitivity"]["words"][0] in out.replace("\\", "")
