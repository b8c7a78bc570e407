"""CSV as any tool writes it."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from reading import Follower, follow_one

from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.opening import open_logs
from clr_tui.engine.errors import UserError

LONG_AGO = 1_700_000_000


def csv(folder: Path, text: str | bytes, name: str = "log.csv") -> Path:
    """A file that nobody is writing any more."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def read(folder: Path, text: str | bytes, name: str = "log.csv") -> dict:
    return follow_one(csv(folder, text, name)).read()


LOSS = [(1, 0.5), (2, 0.25), (3, 0.125)]


@pytest.mark.parametrize(
    "text",
    [
        "step,loss\n1,0.5\n2,0.25\n3,0.125\n",
        "step,loss\r\n1,0.5\r\n2,0.25\r\n3,0.125\r\n",
        "\ufeffstep,loss\n1,0.5\n2,0.25\n3,0.125\n",
        "step,loss\n1,0.5\n2,0.25\n3,0.125",
        '"step","loss"\n"1","0.5"\n"2","0.25"\n"3","0.125"\n',
        "step;loss\n1;0,5\n2;0,25\n3;0,125\n",
        "step\tloss\n1\t0.5\n2\t0.25\n3\t0.125\n",
        "step loss\n1 0.5\n2  0.25\n3   0.125\n",
        "# step loss\n1 0.5\n2 0.25\n3 0.125\n",
        "# made by hand\n\nstep,loss\n\n1,0.5\n\n# a remark\n2,.25\n3,+1.25e-1\n",
        "sep=;\nstep;loss\n1;0.5\n2;0.25\n3;0.125\n",
        " step , loss \n 1 ,   0.5\n 2 ,  0.25\n 3 , 0.125\n",
        "loss,Step\n0.5,1\n0.25,2.0\n0.125,3\n",
        "step,loss,\n1,0.5,\n2,0.25,\n3,0.125,\n",
        "step,loss\n1,0.5\nx,y,z\n2,0.25\n3,0.125\n",
    ],
)
def test_the_same_numbers_in_any_dress(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {"loss": LOSS}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_spreadsheet_in_utf_16(tmp_path: Path, encoding: str) -> None:
    text = "step\tgrad µ\n1\t0.5\n2\t0.25\n3\t0.125\n"
    mark = "" if encoding == "utf-16" else "\ufeff"
    assert read(tmp_path, (mark + text).encode(encoding)) == {"grad µ": LOSS}


def test_windows_characters(tmp_path: Path) -> None:
    assert read(tmp_path, "step,größe\n1,0.5\n2,0.25\n3,0.125\n".encode("cp1252")) == {
        "größe": LOSS
    }


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "None", "null", "<NA>", "-", " "])
def test_a_cell_without_a_value(tmp_path: Path, missing: str) -> None:
    found = read(tmp_path, f"step,loss,val\n1,0.5,{missing}\n2,{missing},1\n3,0.125,{missing}\n")
    assert found == {"loss": [(1, 0.5), (3, 0.125)], "val": [(2, 1.0)]}


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf", "Infinity", "-nan", "1e999"])
def test_a_value_that_is_not_finite_costs_itself(tmp_path: Path, word: str) -> None:
    found = read(tmp_path, f"step,loss,lr\n1,0.5,0.1\n2,{word},0.2\n3,0.125,0.3\n")
    assert found["loss"] == [(1, 0.5), (2, None), (3, 0.125)]
    assert found["lr"] == [(1, 0.1), (2, 0.2), (3, 0.3)]


def test_numbers_keep_all_digits(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 2**53 + 1, 1 / 3]
    rows = "".join(f"{i},{value!r}\n" for i, value in enumerate(values))
    found = read(tmp_path, "step,loss\n" + rows)["loss"]
    assert [value for _, value in found] == [float(value) for value in values]


def test_text_is_left_out_and_told_once(tmp_path: Path) -> None:
    rows = "".join(f"{i},0.5,adam,[1. 2.]\n" for i in range(100))
    follower = follow_one(csv(tmp_path, "step,loss,opt,grads\n" + rows))
    assert follower.read().keys() == {"loss"}
    assert follower.warnings == [
        "'opt' holds text, such as 'adam' in row 1: left out",
        "'grads' holds text, such as '[1. 2.]' in row 1: left out",
    ]


def test_a_list_in_quotes_is_one_cell(tmp_path: Path) -> None:
    """As Keras writes one."""
    found = read(tmp_path, 'epoch,a,loss\n0,"[1, 2]",0.5\n1,"[1, 2]",0.25\n')
    assert found == {"loss": [(0, 0.5), (1, 0.25)]}


def test_a_quote_that_is_not_closed_costs_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, 'step,loss\n1,0.5\n"2,0.25\n3,0.125\n') == {"loss": LOSS}


def test_times_are_seconds(tmp_path: Path) -> None:
    found = read(tmp_path, "epoch,train_loss,valid_loss,time\n0,1,2,00:07\n1,1,None,1:02:03\n")
    assert found["time"] == [(0, 7.0), (1, 3723.0)]


def test_unix_times_are_the_times_of_rows(tmp_path: Path) -> None:
    """As TensorBoard's page saves them."""
    follower = follow_one(
        csv(tmp_path, "Wall time,Step,Value\n1700000000.5,0,0.5\n1700000002,10,0.25\n")
    )
    assert follower.read() == {"Value": [(0, 0.5), (10, 0.25)]}
    assert follower.history.logged.column("Value").at.tolist() == [1700000000.5, 1700000002]


def test_names_that_occur_twice(tmp_path: Path) -> None:
    assert read(tmp_path, "step,loss,loss\n1,2,3\n") == {"loss": [(1, 2.0)], "loss 2": [(1, 3.0)]}


@pytest.mark.parametrize(
    ("header", "x"),
    [
        ("step,epoch,v", "step"),
        ("epoch,global_step,v", "step"),
        ("iter,epoch,v", "iteration"),
        ("Iteration,v,w", "iteration"),
        ("Epoch,v,w", "epoch"),
        ("Unnamed: 0,v,w", "row"),
        (",v,w", "row"),
        ("v,w,u", "row"),
    ],
)
def test_what_counts(tmp_path: Path, header: str, x: str) -> None:
    follower = follow_one(csv(tmp_path, header + "\n3,4,5\n6,7,8\n"))
    follower.read()
    assert {follower.history.logged.column(n).x for n in follower.history.logged.names} == {x}


def test_without_a_header_the_first_column_counts_if_it_can(tmp_path: Path) -> None:
    """As numpy.savetxt writes it."""
    assert read(tmp_path, "0.000e+00 5.0e-01\n1.000e+00 2.5e-01\n", "a.txt") == {
        "column 2": [(0, 0.5), (1, 0.25)]
    }
    assert read(tmp_path, "0.5 0.7\n0.25 0.8\n", "b.txt") == {
        "column 1": [(0, 0.5), (1, 0.25)],
        "column 2": [(0, 0.7), (1, 0.8)],
    }


def test_a_column_of_steps_with_fractions_does_not_count(tmp_path: Path) -> None:
    follower = follow_one(csv(tmp_path, "epoch,loss\n0.25,3\n0.5,2\n0.75,1\n"))
    assert follower.read() == {
        "epoch": [(0, 0.25), (1, 0.5), (2, 0.75)],
        "loss": [(0, 3.0), (1, 2.0), (2, 1.0)],
    }
    assert follower.remarks == ["'epoch' has fractions: rows are counted instead"]


def test_batches_that_begin_again_in_each_epoch_do_not_count(tmp_path: Path) -> None:
    follower = follow_one(csv(tmp_path, "epoch,batch,loss\n0,0,4\n0,1,3\n1,0,2\n1,1,1\n"))
    assert follower.read()["loss"] == [(0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0)]
    assert follower.remarks == ["'batch' begins again in each epoch: rows are counted instead"]


def test_steps_that_go_back_are_told_and_the_later_values_shown(tmp_path: Path) -> None:
    follower = follow_one(csv(tmp_path, "step,loss\n1,9\n2,8\n3,7\n2,6\n3,5\n4,4\n"))
    assert follower.read() == {"loss": [(1, 9.0), (2, 6.0), (3, 5.0), (4, 4.0)]}
    assert follower.warnings == [
        "in row 4 the steps go back from 3 to 2: of two values at one step the later is shown"
    ]


def test_a_row_without_a_step_has_that_of_the_row_before(tmp_path: Path) -> None:
    found = read(tmp_path, "step,loss,val\n,,7\n5,0.5,\n,,1\n6,0.4,\n")
    assert found == {"loss": [(5, 0.5), (6, 0.4)], "val": [(0, 7.0), (5, 1.0)]}


def test_rows_of_another_length(tmp_path: Path) -> None:
    follower = follow_one(csv(tmp_path, "step,loss,val\n1,0.5\n2,0.4,0.3\n3,0.2,0.1,9\n4,1,2,,\n"))
    assert follower.read() == {
        "loss": [(1, 0.5), (2, 0.4), (4, 1.0)],
        "val": [(2, 0.3), (4, 2.0)],
    }
    assert follower.history.corrupt == 1
    assert follower.warnings == [
        "row 3 has 4 cells, and the header 3: which belongs to which is not known, and such rows "
        "are left out"
    ]


def test_a_second_fit_of_keras_with_other_metrics(tmp_path: Path) -> None:
    """It adds rows of its own columns below the header of the first, which has one more."""
    follower = follow_one(
        csv(
            tmp_path,
            "epoch,accuracy,learning_rate,loss,val_accuracy,val_learning_rate,val_loss\n"
            "0,0.4,0.007,0.95,NA,NA,NA\n"
            "1,0.4,0.005,0.94,0.4,NA,0.93\n"
            "2,0.4,0.002,0.92,0.4,0.91\n",
        )
    )
    found = follower.read()
    assert "val_learning_rate" not in found
    assert found["val_loss"] == [(1, 0.93)]
    assert "row 3 has 6 cells" in follower.warnings[0]


def test_another_header_names_the_columns_below_it(tmp_path: Path) -> None:
    found = read(tmp_path, "epoch,loss\n0,4\n1,3\nepoch,acc,loss\n2,0.5,2\n3,0.6,1\n")
    assert found == {
        "loss": [(0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0)],
        "acc": [(2, 0.5), (3, 0.6)],
    }


def test_a_header_that_stands_again_after_a_resumption(tmp_path: Path) -> None:
    """Its epochs go on, and two of them overlap."""
    found = read(tmp_path, "epoch,loss\n1,9\n2,8\n3,7\nepoch,loss\n2,6\n3,5\n4,4\n")
    assert found == {"loss": [(1, 9.0), (2, 6.0), (3, 5.0), (4, 4.0)]}


def test_words_name_the_values_of_their_rows(tmp_path: Path) -> None:
    follower = follow_one(
        csv(tmp_path, "epoch,phase,loss\n1,train,4\n1,val,5\n2,train,2\n2,val,3\n")
    )
    assert follower.read() == {
        "train/loss": [(1, 4.0), (2, 2.0)],
        "val/loss": [(1, 5.0), (2, 3.0)],
    }
    assert not follower.warnings


def test_one_value_a_row_with_its_name(tmp_path: Path) -> None:
    found = read(tmp_path, "step,tag,value\n1,loss,4\n1,lr,0.1\n2,loss,3\n")
    assert found == {"loss": [(1, 4.0), (2, 3.0)], "lr": [(1, 0.1)]}


def test_ultralytics_of_2024_pads_its_cells(tmp_path: Path) -> None:
    names = ["epoch", "train/box_loss", "metrics/mAP50(B)", "lr/pg0"]
    lines = [names, ["1", "1.25", "0.1", "0.0033"], ["2", "1.125", "0.2", "0.0066"]]
    text = "".join(",".join(f"{cell:>23}" for cell in line) + "\n" for line in lines)
    follower = follow_one(csv(tmp_path, text, "results.csv"))
    assert follower.read()["metrics/mAP50(B)"] == [(1, 0.1), (2, 0.2)]
    assert follower.log.format == "Ultralytics CSV"


class TestMapping:
    TEXT = "A,B,C\n0.1,10,5\n0.2,20,6\n"

    def read(self, folder: Path, **mapping: object) -> dict:
        (log,) = open_logs([csv(folder, self.TEXT)], Mapping(**mapping))
        return Follower(log).read()

    def test_names_what_counts_and_what_to_show(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, x="b", y=("C",)) == {"C": [(10, 5.0), (20, 6.0)]}

    def test_without_y_all_others_are_shown(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, x="B").keys() == {"A", "C"}

    def test_what_cannot_count_is_shown_too(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, x="A", y=("C",)) == {
            "A": [(0, 0.1), (1, 0.2)],
            "C": [(0, 5.0), (1, 6.0)],
        }

    def test_a_column_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="no column 'D': it has 'A', 'B' and 'C'"):
            self.read(tmp_path, y=("D",))


def test_settings_of_yaml(tmp_path: Path) -> None:
    csv(tmp_path, "epoch,step,loss\n0,1,2\n", "metrics.csv")
    (tmp_path / "hparams.yaml").write_text(
        "lr: 0.1\n# a remark\nname: 'a b'\nnested:\n  depth: 3\nbetas:\n- 0.9\n- 0.99\n"
        "cls: !!python/object/apply:os.system\n- echo\nempty:\n"
    )
    assert follow_one(tmp_path / "metrics.csv").log.settings == {
        "lr": "0.1",
        "name": "a b",
        "nested/depth": "3",
        "betas": "0.9, 0.99",
    }


def test_nan_of_the_history_is_a_gap(tmp_path: Path) -> None:
    follower = follow_one(csv(tmp_path, "step,loss\n1,nan\n"))
    follower.read()
    assert math.isnan(follower.history.logged.column("loss").value[0])


def test_a_time_of_more_hours_than_there_are_is_no_number(tmp_path: Path) -> None:
    found = read(tmp_path, f"epoch,loss,time\n0,1,00:07\n1,2,{'1' * 400}:00:00\n")
    assert found["loss"] == [(0, 1.0), (1, 2.0)]
    assert found["time"] == [(0, 7.0), (1, None)]
