from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import STEPS, flat, make_sweep, make_training

from clr_tui.engine.log import events as ev

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "lr_find_cnn.csv"


def is_plain(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


def test_a_sweep_is_one_json_object(cli, runs: Path) -> None:
    run = make_sweep(runs)
    result = cli("replay", run.id, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert found["run"] == run.id
    assert found["kind"] == "range-test"
    assert found["status"] == "done"
    assert found["steps"] == STEPS
    assert found["diverged"] is False
    rules = {one["rule"]: one["lr"] for one in found["suggestions"]}
    assert found["bounds"]["max_lr"] == rules["bottom"] == found["best"]["lr"]
    assert found["bounds"]["base_lr"] == pytest.approx(rules["bottom"] / 6)
    assert found["best"]["low"] < rules["bottom"] < found["best"]["high"]
    assert rules["minimum/10"] == pytest.approx(1e-2, rel=0.3)
    assert found["verdict"]["kind"] == "recommended"
    assert found["verdict"]["sentence"].startswith("bottom is recommended: max_lr ")


def test_a_sweep_in_text(cli, runs: Path) -> None:
    run = make_sweep(runs)
    result = cli("attach", run.id)
    assert result.err == (
        f"`clr-tui train --from {run.id}` trains between these bounds;"
        f" `clr-tui compare --lr around:{run.id}` verifies max_lr\n"
    )
    text = result.out
    assert is_plain(text)
    lines = text.splitlines()
    assert lines[0].startswith(f"{run.id}  range test  digits · CNN · SGD(momentum 0.9)")
    assert max(map(len, lines)) <= 100
    assert "learning rate" in text
    assert any("⠀" < char <= "⣿" for char in text), "no curve is drawn"
    marked = [line for line in lines if line.startswith(">")]
    assert len(marked) == 1
    assert marked[0].split()[1:3] == ["bottom", "3.8e-02"]
    for rule in ("minimum/10", "steepest", "valley", "slide"):
        assert any(line.startswith(f"  {rule} ") for line in lines)
    assert lines[-1] == "bounds  base_lr 6.3e-03  max_lr 3.8e-02"


@pytest.mark.parametrize(("columns", "widest"), [("30", 40), ("60", 60), ("400", 160)])
def test_text_takes_the_width_there_is(cli, runs: Path, monkeypatch, columns, widest) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    make_sweep(runs)
    make_training(runs)
    for name in ("range", "train"):
        lines = cli("attach", name).out.splitlines()
        assert max(map(len, lines)) <= max(widest, 80 if name == "train" else 0)


def test_no_recommendation_says_why(cli, runs: Path) -> None:
    make_sweep(runs, flat)
    result = cli("attach")
    assert result.code == 0
    assert "flat within its noise" in result.out
    assert "bounds" not in result.out
    found = json.loads(cli("attach", "--json").out)
    assert found["bounds"] is None
    assert found["verdict"]["kind"] == "flat"


def test_a_training_is_one_json_object(cli, runs: Path) -> None:
    run = make_training(runs)
    found = json.loads(cli("attach", "--json").out)
    assert (found["run"], found["kind"], found["status"]) == (run.id, "train", "done")
    assert (found["steps"], found["epochs"]) == (152, 8)
    assert found["bounds"] == {"base_lr": 1e-3, "max_lr": 6e-3}
    assert found["best_validation"]["epoch"] == 5
    assert found["best_validation"]["accuracy"] == pytest.approx(0.75)
    assert found["final_validation"]["accuracy"] == pytest.approx(0.60)
    assert found["test_last"]["accuracy"] == 0.71
    assert found["test_best"]["accuracy"] == 0.73


def test_a_training_in_text(cli, runs: Path) -> None:
    make_training(runs)
    text = cli("attach").out
    assert is_plain(text)
    lines = text.splitlines()
    table = [line.split() for line in lines if line.strip()[:1].isdigit() and "%" in line]
    epochs = [row for row in table if len(row) >= 8]
    assert [row[0] for row in epochs] == [str(i) for i in range(1, 9)]
    assert [row[0] for row in epochs if row[-1] == "best"] == ["5"]
    assert any(line.startswith("test, last ") and "71.0 %" in line for line in lines)
    assert any(line.startswith("test, best on validation ") and "73.0 %" in line for line in lines)
    assert "mid-cycle" not in text


def test_a_training_that_ended_in_mid_cycle_says_so(cli, runs: Path) -> None:
    make_training(runs, epochs=3, ending=[ev.RunFinished(outcome="stopped", message="asked")])
    result = cli("attach")
    assert result.code == 1
    assert "mid-cycle" in result.out
    assert "was stopped: asked" in result.err


def test_the_state_at_a_moment(cli, runs: Path) -> None:
    run = make_sweep(runs)
    half = json.loads(cli("replay", run.id, "--at", "50%", "--json").out)
    assert half["status"] == "running"
    assert half["steps"] == 4 * 20
    assert json.loads(cli("replay", run.id, "--at", "0", "--json").out)["steps"] == 0
    whole = json.loads(cli("replay", run.id, "--at", "100%", "--json").out)
    assert (whole["steps"], whole["status"]) == (STEPS, "done")


def test_replay_takes_a_log_and_a_folder(cli, runs: Path) -> None:
    run = make_sweep(runs)
    by_id = cli("replay", run.id, "--json").out
    assert cli("replay", run.path, "--json").out == by_id
    assert json.loads(cli("replay", run.events_path, "--json").out)["steps"] == STEPS


def test_unreadable_lines_are_reported(cli, runs: Path) -> None:
    run = make_sweep(runs)
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6][:40] + b"\n"
    run.events_path.write_bytes(b"".join(lines))
    result = cli("attach", run.id)
    assert result.code == 0
    assert "1 line of the log could not be read and was skipped." in result.err


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference logs are not here")
def test_the_published_log(cli) -> None:
    result = cli("replay", REFERENCE, "--headless", "--json")
    assert result.code == 0
    found = json.loads(result.out)
    rules = {one["rule"]: one["lr"] for one in found["suggestions"]}
    assert rules["minimum/10"] == pytest.approx(3.594e-3, rel=1e-3)
    assert found["steps"] == 108
    assert is_plain(cli("replay", REFERENCE).out)
