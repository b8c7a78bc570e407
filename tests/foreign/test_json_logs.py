"""JSON lines, whole JSON, and the states of Hugging Face's Trainer."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from reading import Follower, follow, follow_one

from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.opening import open_logs
from clr_tui.engine.errors import UserError

REAL = Path(__file__).parent / "real_logs"


def read(folder: Path, text: str | bytes, name: str = "log.jsonl") -> dict:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return follow_one(path).read()


LINES = '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.25}\n'
LOSS = {"loss": [(1, 0.5), (2, 0.25)]}


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        "\ufeff" + LINES,
        "\n" + LINES.replace("\n", "\n\n"),
        LINES.replace("}\n", "},\n"),
        LINES.replace("0.5", '"0.5"'),
    ],
)
@pytest.mark.parametrize("name", ["log.jsonl", "log.txt", "anything"])
def test_one_object_a_line(tmp_path: Path, text: str, name: str) -> None:
    assert read(tmp_path, text, name) == LOSS


@pytest.mark.parametrize(
    "bare", ["NaN", "Infinity", "-Infinity", "nan", "-inf", '"NaN"', '"inf"', "1e999"]
)
def test_a_value_that_is_not_finite_costs_itself(tmp_path: Path, bare: str) -> None:
    found = read(tmp_path, LINES + f'{{"step": 3, "lr": 0.1, "loss": {bare}, "nan": 7}}\n')
    assert found == {"loss": [*LOSS["loss"], (3, None)], "lr": [(3, 0.1)], "nan": [(3, 7.0)]}


def test_null_is_no_value(tmp_path: Path) -> None:
    assert read(tmp_path, LINES + '{"step": 3, "loss": null, "val": 1}\n')["loss"] == LOSS["loss"]


def test_names_within_are_joined(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '{"epoch": 1, "train": {"loss": 1, "acc": {"top1": 0.5}}, "box": [0.1, 0.2]}\n'
        '{"epoch": 2, "train": {"loss": 2}, "box": [0.3, 0.4], "big": ' + f"{[*range(99)]}}}\n",
    )
    assert found == {
        "train/loss": [(1, 1.0), (2, 2.0)],
        "train/acc/top1": [(1, 0.5)],
        "box/0": [(1, 0.1), (2, 0.3)],
        "box/1": [(1, 0.2), (2, 0.4)],
    }


def test_truth_is_a_number_and_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "best": true, "note": "warm"}\n{"step": 2, "best": false}\n')
    follower = follow_one(path)
    assert follower.read() == {"best": [(1, 1.0), (2, 0.0)]}
    assert follower.warnings == ["'note' holds text, such as 'warm': left out"]


def test_lines_that_are_no_object_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(LINES + 'nonsense\n[1]\n7\n{"step": 3, "loss"\n{"step": 3, "loss": 1}\n')
    follower = follow_one(path)
    assert follower.read()["loss"] == [*LOSS["loss"], (3, 1.0)]
    assert follower.history.corrupt == 4


def test_the_best_name_counts_even_if_it_comes_late(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 1, "val": 3}\n')
    follower = follow_one(path)
    assert follower.read() == {"val": [(1, 3.0)]}
    with path.open("a") as file:
        file.write('{"step": 10, "epoch": 2, "loss": 1}\n')
    assert follower.read() == {
        "val": [(0, 3.0)],
        "epoch": [(0, 1.0), (10, 2.0)],
        "loss": [(10, 1.0)],
    }
    assert follower.resets == 1


def test_words_say_which_part_a_row_is_of(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '{"mode": "train", "iter": 5, "loss": 1}\n{"mode": "val", "iter": 5, "loss": 2}\n',
    )
    assert found == {"train/loss": [(5, 1.0)], "val/loss": [(5, 2.0)]}


def test_times(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"_step": 0, "_timestamp": 1700000000.5, "loss": 1}\n')
    follower = follow_one(path)
    assert follower.read() == {"loss": [(0, 1.0)]}
    assert follower.history.logged.column("loss").at.tolist() == [1700000000.5]


def test_columns_of_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"n": 1, "a": 2, "b": 3}\n{"n": 5, "a": 4, "b": 6}\n')
    (log,) = open_logs([path], Mapping(x="N", y=("b",)))
    assert Follower(log).read() == {"b": [(1, 3.0), (5, 6.0)]}
    with pytest.raises(UserError, match="no column 'c': it has 'n', 'a' and 'b'"):
        open_logs([path], Mapping(y=("c",)))


def test_lists_of_values_by_name(tmp_path: Path) -> None:
    """As people save the history of Keras or torch-lr-finder."""
    history = {"loss": [0.5, 0.25], "val_loss": [0.75, float("nan")], "lr": [0.1]}
    assert read(tmp_path, json.dumps(history), "history.json") == {
        "loss": [(0, 0.5), (1, 0.25)],
        "val_loss": [(0, 0.75), (1, None)],
        "lr": [(0, 0.1)],
    }
    assert read(tmp_path, json.dumps({"history": history}, indent=1), "b.json").keys() == {*history}


def test_a_list_of_objects(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    assert read(tmp_path, json.dumps(rows, indent=2), "log.json") == LOSS


def test_whole_json_that_is_being_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"epoch": 1, "loss": 0.5}]')
    follower = follow_one(path)
    follower.read()
    path.write_text('[{"epoch": 1, "loss": 0.5}, {"epo')
    assert follower.read() == {"loss": [(1, 0.5)]}
    assert not follower.warnings
    os.utime(path, (1, 1))
    assert follower.read() == {"loss": [(1, 0.5)]}
    assert "is not whole" in follower.warnings[0]
    path.write_text('[{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]')
    assert follower.read() == LOSS
    assert follower.resets == 0


def test_rows_that_changed_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"epoch": 1, "loss": 9}]')
    follower = follow_one(path)
    follower.read()
    path.write_text('[{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]')
    assert follower.read() == LOSS
    assert follower.resets == 1


class TestTrainerState:
    @pytest.fixture
    def output(self, tmp_path: Path) -> Path:
        """The output folder of a Trainer, without the state that it saves at the end."""
        folder = tmp_path / "output"
        shutil.copytree(REAL / "trainer", folder)
        (folder / "trainer_state.json").unlink()
        for checkpoint, written in ((4, 1000), (8, 2000), (12, 3000)):
            state = folder / f"checkpoint-{checkpoint}" / "trainer_state.json"
            os.utime(state, (written, written))
        return folder

    def steps(self, follower: Follower) -> list[int]:
        return [step for step, _ in follower.read()["loss"]]

    def test_the_newest_checkpoint_holds(self, output: Path) -> None:
        follower = follow_one(output)
        assert follower.log.name == "output"
        assert self.steps(follower) == [2, 4, 6, 8, 10, 12]

    def test_one_checkpoint_by_itself(self, output: Path) -> None:
        assert self.steps(follow_one(output / "checkpoint-8")) == [2, 4, 6, 8]
        state = output / "checkpoint-4" / "trainer_state.json"
        assert self.steps(follow_one(state)) == [2, 4]

    def test_a_new_checkpoint_adds_its_rows(self, output: Path) -> None:
        later = output.parent / "checkpoint-12"
        (output / "checkpoint-12").rename(later)
        follower = follow_one(output)
        assert self.steps(follower) == [2, 4, 6, 8]
        later.rename(output / "checkpoint-12")
        assert self.steps(follower) == [2, 4, 6, 8, 10, 12]
        assert follower.resets == 0

    def test_copies_whose_times_say_nothing(self, output: Path) -> None:
        os.utime(output / "checkpoint-4" / "trainer_state.json", (9000, 9000))
        assert self.steps(follow_one(output)) == [2, 4, 6, 8, 10, 12]

    def test_a_training_that_began_again_in_the_same_folder(self, output: Path) -> None:
        state = output / "checkpoint-4" / "trainer_state.json"
        state.write_text(state.read_text().replace('"loss": ', '"loss": 1'))
        os.utime(state, (9000, 9000))
        assert self.steps(follow_one(output)) == [2, 4]

    def test_a_bare_nan_costs_one_value(self, output: Path) -> None:
        found = follow_one(output).read()
        assert [value for _, value in found["loss"]].count(None) > 0
        assert None not in [value for _, value in found["grad_norm"][:2]]

    def test_checkpoints_of_two_trainings(self, output: Path) -> None:
        shutil.copytree(output, output.parent / "other")
        assert follow(output.parent).keys() == {"output", "other"}
