from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_runs import STEPS, make_sweep, make_training
from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"


def test_csv_holds_every_step(cli, runs: Path, tmp_path: Path) -> None:
    run = make_sweep(runs)
    result = cli("export", run.id, "--csv", tmp_path / "steps.csv")
    assert (result.code, result.out, result.err) == (0, "", "")
    rows = list(csv.DictReader((tmp_path / "steps.csv").open()))
    assert len(rows) == STEPS
    assert list(rows[0])[:5] == ["trial", "step", "epoch", "lr", "loss"]
    assert float(rows[100]["lr"]) == pytest.approx(1e-3)


def test_a_dash_is_stdout(cli, runs: Path) -> None:
    run = make_training(runs)
    epochs = list(csv.DictReader(io.StringIO(cli("export", run.id, "--epochs-csv", "-").out)))
    assert [row["epoch"] for row in epochs] == [str(i) for i in range(1, 9)]
    assert json.loads(cli("export", run.id, "--json", "-").out)["epochs"] == 8
    assert ElementTree.fromstring(cli("export", run.id, "--svg", "-").out).tag == f"{SVG}svg"


def test_several_files_at_once(cli, runs: Path, tmp_path: Path) -> None:
    run = make_sweep(runs)
    files = [tmp_path / name for name in ("a.csv", "b.svg", "c.json", "d.png")]
    options = ("--csv", files[0], "--svg", files[1], "--json", files[2], "--png", files[3])
    result = cli("export", run.id, *options)
    assert result.code == 0
    assert all(file.stat().st_size > 100 for file in files)
    assert json.loads(files[2].read_text())["run"] == run.id
    assert Image.open(files[3]).size == (1920, 960)


@pytest.mark.parametrize("command", ["export --csv -", "replay", "replay --at 50%"])
def test_unreadable_lines_are_reported(cli, runs: Path, command: str) -> None:
    run = make_sweep(runs)
    with run.events_path.open("a") as log:
        log.write("garbage\n")
    name, *options = command.split()
    result = cli(name, run.id, *options)
    assert result.code == 0
    assert "1 line of the log could not be read" in result.err


def test_an_exported_csv_replays_as_the_same_curve(cli, runs: Path, tmp_path: Path) -> None:
    run = make_sweep(runs)
    file = tmp_path / "steps.csv"
    cli("export", run.id, "--csv", file)
    found = json.loads(cli("replay", file, "--json").out)
    assert found["steps"] == STEPS


def test_the_svg_of_a_sweep_is_one_chart(cli, runs: Path, tmp_path: Path) -> None:
    run = make_sweep(runs)
    result = cli("replay", run.id, "--svg", tmp_path / "x.svg", "--json")
    assert json.loads(result.out)["run"] == run.id
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert "base" in "".join(root.itertext())


def test_the_svg_of_a_training_holds_three_charts(cli, runs: Path, tmp_path: Path) -> None:
    run = make_training(runs)
    cli("export", run.id, "--svg", tmp_path / "x.svg")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    words = "".join(root.itertext())
    for title in ("learning rate", "loss", "accuracy"):
        assert title in words
    assert len(root.findall(f"{SVG}svg")) == 3
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_event_files_of_tensorboard_are_read_back(cli, runs: Path, tmp_path: Path) -> None:
    run = make_training(runs)
    result = cli("export", run.id, "--tensorboard", tmp_path)
    assert (result.code, result.out, result.err) == (0, "", "")
    (file,) = (tmp_path / run.id).iterdir()
    cli("export", run.id, "--csv", tmp_path / "steps.csv")
    rows = list(csv.DictReader((tmp_path / "steps.csv").open()))
    cli("export", file.parent, "--json", tmp_path / "read.json")
    values = json.loads((tmp_path / "read.json").read_text())["values"]
    assert values["lr"]["count"] == values["train/loss"]["count"] == len(rows)
    assert values["train/loss"]["last"] == pytest.approx(float(rows[-1]["loss"]), rel=1e-6)
    assert values["validation/loss"]["count"] == 8
