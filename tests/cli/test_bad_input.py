"""What bad input gets: one sentence on stderr, exit code 2, and nothing left behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from made_runs import flat, make_sweep, make_training
from PIL import Image

from clr_tui.engine.log import events as ev

RATES = ["--base-lr", "1e-3", "--max-lr", "6e-3"]


def assert_one_sentence(result, *words: str, code: int = 2) -> None:
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("clr-tui: ")
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes of twelve images each."""
    root = tmp_path / "flowers"
    for shade, name in enumerate(("daisy", "rose")):
        (root / name).mkdir(parents=True)
        for i in range(12):
            picture = Image.new("RGB", (16, 16), (20 * i, 100 * shade, 0))
            picture.save(root / name / f"{i}.png")
    return root


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["range-test", "--start-lr", "1", "--end-lr", "0.1"], ["1", "0.1", "below"]),
        (["range-test", "--start-lr", "0"], ["start_lr", "0"]),
        (["range-test", "--start-lr", "-1e-3"], ["start_lr", "-0.001"]),
        (["range-test", "--end-lr", "nan"], ["end_lr", "nan"]),
        (["range-test", "--end-lr", "inf"], ["end_lr", "inf"]),
        (["range-test", "--epochs", "0"], ["epochs", "0"]),
        (["range-test", "--epochs", "nan"], ["epochs", "nan"]),
        (["range-test", "--steps", "0"], ["steps", "0"]),
        (["range-test", "--steps", "-5"], ["steps", "-5"]),
        (["range-test", "--steps", "50", "--epochs", "2"], ["--epochs 2", "--steps 50"]),
        (["range-test", "--seeds", "0"], ["seeds", "0"]),
        (["range-test", "--seed", "-1"], ["seed", "-1"]),
        (["range-test", "--momentum", "1.5"], ["momentum", "1.5"]),
        (["range-test", "--weight-decay", "-1"], ["weight_decay", "-1"]),
        (["range-test", "--optimizer", "sgdd"], ["sgdd", "sgd"]),
        (["range-test", "--optimizer", "adam(betta=1)"], ["betta", "betas"]),
        (["range-test", "--optimizer", "adam+clr"], ["+clr"]),
        (["range-test", "--optimizer", "rmsprop", "--momentum", "0.9"], ["rmsprop", "--momentum"]),
        (["range-test", "--optimizer", "rprop", "--weight-decay", "1"], ["rprop", "weight_decay"]),
        (["range-test", "--batch-size", "1000000"], ["1000000", "larger"]),
        (["range-test", "--batch-size", "1260"], ["1260", "1259 images"]),
        (["train", *RATES, "--batch-size", "1260"], ["1260", "1259 images"]),
        (["compare", "--batch-size", "1260"], ["1260", "1259 images"]),
        (["range-test", "--batch-size", "0"], ["batch_size", "0"]),
        (["range-test", "--image-size", "3"], ["image_size", "3", "8"]),
        (["range-test", "--model", "cn"], ["'cn'", "cnn"]),
        (["range-test", "--device", "cuda:99"], ["cuda:99"]),
        (["range-test", "--device", "gpu"], ["gpu"]),
        (["range-test", "--data", ""], ["data"]),
        (["range-test", "--data", "nowhere/at/all"], ["nowhere"]),
        (["train"], ["--max-lr", "--from"]),
        (["train", "--base-lr", "1e-3"], ["--max-lr"]),
        (["train", "--base-lr", "1e-2", "--max-lr", "1e-3"], ["0.01", "0.001", "below"]),
        (["train", "--max-lr", "nan"], ["nan"]),
        (["train", "--max-lr", "0"], ["0"]),
        (["train", "--base-lr", "-1", "--max-lr", "1e-3"], ["base_lr", "-1"]),
        (["train", "--max-lr", "1e-3", "--factor", "1"], ["factor", "above 1, not 1"]),
        (["train", "--max-lr", "1e-3", "--factor", "nan"], ["factor", "not nan"]),
        (["train", *RATES, "--epochs", "0"], ["epochs", "0"]),
        (["train", *RATES, "--policy", "triangel"], ["triangel", "triangular"]),
        (["train", *RATES, "--step-size-epochs", "0"], ["step_size_epochs", "0"]),
        (["train", *RATES, "--gamma", "2"], ["gamma", "2"]),
        (["train", "--from", "range-test-digits-9"], ["range-test-digits-9"]),
        (["ls", "--runs-dir", ""], ["--runs-dir", "empty"]),
        (["range-test", "--seed", "9" * 30], ["9" * 30, str(2**63 - 1)]),
        (["attach", "nothing"], ["nothing"]),
        (["replay", "a" * 300], ["a" * 300]),
        (["replay", "/dev/null"], ["/dev/null", "not a regular file"]),
        (["export", "~nobody-of-that-name/x.csv", "--csv", "-"], ["nobody-of-that-name"]),
        (["attach"], ["no runs"]),
        (["stop", "nothing"], ["nothing"]),
        (["rm", "nothing", "--yes"], ["nothing"]),
        (["replay", "nothing"], ["nothing"]),
        (["export", "nothing", "--csv", "-"], ["nothing"]),
        (["replay", "nothing", "--json", "--svg", "-"], ["--json", "--svg", "stdout"]),
        (["export", "nothing"], ["--csv"]),
        (["export", "nothing", "--csv", "-", "--svg", "-"], ["stdout"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_settings_and_names_get_one_sentence(
    cli, runs: Path, arguments: list[str], words: list[str]
) -> None:
    assert_one_sentence(cli(*arguments), *words)
    assert not runs.exists() or not any(runs.iterdir())


def test_a_folder_that_is_not_there(cli, images: Path) -> None:
    wrong = images.with_name("flwers")
    assert_one_sentence(cli("range-test", "--data", wrong), "flwers", "did you mean", "flowers")


def test_a_folder_that_is_not_here(cli, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_sentence(cli("range-test", "--data", "photos"), f"'{tmp_path}' holds no 'photos'")


def test_a_file_for_a_folder(cli, images: Path) -> None:
    assert_one_sentence(cli("range-test", "--data", images / "daisy" / "0.png"), "0.png")


def test_an_empty_class_folder(cli, images: Path) -> None:
    (images / "tulip").mkdir()
    assert_one_sentence(cli("range-test", "--data", images, "--batch-size", "4"), "tulip")


def test_one_class_only(cli, images: Path) -> None:
    shutil.rmtree(images / "rose")
    assert_one_sentence(cli("range-test", "--data", images, "--batch-size", "4"), "daisy")


def test_no_class_folders(cli, images: Path) -> None:
    assert_one_sentence(cli("range-test", "--data", images / "daisy"), "daisy")


def test_a_batch_larger_than_the_data(cli, images: Path) -> None:
    assert_one_sentence(cli("range-test", "--data", images, "--batch-size", "64"), "64", "larger")


def test_weights_that_are_not_there(cli, tmp_path: Path) -> None:
    arguments = ["range-test", "--model", "resnet34", "--weights", tmp_path / "none.pt"]
    assert_one_sentence(cli(*arguments), "none.pt")


def test_an_escape_code_in_a_name_does_not_reach_the_terminal(cli) -> None:
    result = cli("range-test", "--data", "\x1b[31mred\nline")
    assert_one_sentence(result)
    assert "\x1b" not in result.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_runs_folder_that_cannot_be_written(cli, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert_one_sentence(cli("range-test", "--runs-dir", locked / "runs"), "locked")


def test_a_runs_folder_that_is_a_file(cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_sentence(cli("range-test", "--runs-dir", tmp_path / "file"), "file")
    result = cli("range-test", "--runs-dir", tmp_path / "file" / "runs")
    assert_one_sentence(result, "file", "choose another runs folder")


def test_a_user_without_a_home(cli, tmp_path: Path, monkeypatch) -> None:
    for name in ("CLR_TUI_RUNS", "HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # a user in no list of users
    assert_one_sentence(cli("ls"), "home", "HOME", "--runs-dir")
    assert cli("ls", "--runs-dir", tmp_path).code == 0


def test_a_home_that_is_nobodys(cli, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLR_TUI_RUNS", "~nobody-of-that-name/runs")
    result = cli("ls")
    assert (result.code, result.err) == (0, "")
    assert f"no runs in {tmp_path}/~nobody-of-that-name/runs" in result.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_under_an_export(cli, runs: Path) -> None:
    make_sweep(runs)
    result = cli("export", "range-test-digits-1", "--csv", "/dev/full")
    assert_one_sentence(result, "/dev/full", "space")


def test_an_export_to_nowhere(cli, runs: Path, tmp_path: Path) -> None:
    make_sweep(runs)
    result = cli("export", "range-test", "--json", tmp_path / "missing" / "x.json")
    assert_one_sentence(result, "missing")
    assert_one_sentence(cli("export", "range-test", "--svg", tmp_path), str(tmp_path))


def test_an_export_to_a_pipe_that_nobody_reads(
    cli, runs: Path, tmp_path: Path, deadline: None
) -> None:
    run = make_sweep(runs)
    os.mkfifo(tmp_path / "x.svg")
    result = cli("export", run.id, "--svg", tmp_path / "x.svg")
    assert_one_sentence(result, "x.svg", "cannot write")


def test_an_ambiguous_run(cli, runs: Path) -> None:
    make_sweep(runs)
    make_sweep(runs)
    for arguments in (["attach"], ["stop"], ["rm", "-y"], ["replay"], ["export", "--csv", "-"]):
        command, *options = arguments
        if command == "attach":
            arguments = ["attach", "range"]
        result = cli(command, "range", *options)
        assert_one_sentence(result, "range-test-digits-1", "range-test-digits-2")


@pytest.mark.parametrize(
    "content", [b"", b"hello\nworld\n", b"\x00\xff\x10", b'{"a":"b"}\n'], ids=repr
)
def test_a_log_that_is_not_one(cli, tmp_path: Path, content: bytes) -> None:
    for name in ("events.jsonl", "thing.csv", "thing.bin"):
        path = tmp_path / name
        path.write_bytes(content)
        assert_one_sentence(cli("replay", path), name)


def test_a_log_that_is_not_there(cli, tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("step,lr,loss\n0,1e-7,2\n")
    result = cli("replay", tmp_path / "crve.csv")
    assert_one_sentence(result, "crve.csv", "did you mean 'curve.csv'?")


def test_a_folder_that_is_no_run(cli, tmp_path: Path) -> None:
    assert_one_sentence(cli("replay", tmp_path), str(tmp_path))


def test_training_from_a_training(cli, runs: Path) -> None:
    run = make_training(runs)
    assert_one_sentence(cli("train", "--from", run.id), run.id, "range test")


def test_training_from_a_sweep_that_recommends_nothing(cli, runs: Path) -> None:
    run = make_sweep(runs, flat)
    result = cli("train", "--from", run.id)
    assert_one_sentence(result, run.id, "flat", "--max-lr", "recommends no bounds: the curve is")


def test_training_from_a_sweep_that_failed(cli, runs: Path) -> None:
    run = make_sweep(runs, steps=0, ending=[ev.RunFinished(outcome="failed", message="no")])
    assert_one_sentence(cli("train", "--from", run.id), run.id)


def test_removing_without_anyone_to_ask(cli, runs: Path) -> None:
    run = make_sweep(runs)
    assert_one_sentence(cli("rm", run.id), "--yes")
    assert run.path.exists()


def test_what_lives_is_not_removed_and_what_is_dead_not_stopped(cli, runs: Path, hold) -> None:
    run = make_sweep(runs, ending=[])
    assert_one_sentence(cli("stop", run.id), "not running")
    hold(run)
    assert_one_sentence(cli("rm", run.id, "--yes"), "running", "stop")
    assert run.path.exists()


def test_speed_needs_the_screen(cli, runs: Path) -> None:
    run = make_sweep(runs)
    assert_one_sentence(cli("replay", run.id, "--speed", "10"), "--speed 10")
