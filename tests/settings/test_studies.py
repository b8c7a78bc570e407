"""The article's two studies, as the issue and the article tell of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.catalogue import STUDIES
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.studies import study


@pytest.mark.parametrize(("name", "epochs"), [("cnn", 150), ("resnet34", 100)])
def test_the_settings_are_the_articles(name: str, epochs: int) -> None:
    changes, job = study(name)
    assert changes == {"model": name}
    assert [entry.label for entry in job.entries] == [
        "adagrad",
        "adadelta",
        "rmsprop",
        "adam",
        "adamax",
        "sgd+clr",
    ]
    assert (job.epochs, job.seeds, job.study) == (epochs, 3, name)
    assert (job.whole_cycles, job.step_size_epochs, job.factor) == (False, 4.0, 6.0)
    assert job.rates == "default"
    assert job.entries[-1].optimizer.momentum == 0.0
    assert (job.range_test.start_lr, job.range_test.epochs) == (1e-7, 2.0)
    assert check_numbers(replace(TaskConfig(), **changes), job) == []


def test_a_study_that_is_not_there() -> None:
    assert STUDIES == ("cnn", "resnet34")
    with pytest.raises(UserError, match="no study 'resnet'; did you mean 'resnet34'") as caught:
        study("resnet")
    assert caught.value.field == "study"
