"""A run of a user's task is called after its file, with the parameters that were given."""

from __future__ import annotations

import pytest

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report, to_json
from clr_tui.engine.log.events import Event, RunFinished, TaskReady
from clr_tui.engine.log.summary import RunSummary
from clr_tui.engine.settings.config import RangeTest, RunConfig, TaskConfig
from clr_tui.tui.text.run_rows import cell, columns_for, task_and_model
from clr_tui.tui.text.status import title_of

TASK = TaskConfig(task="/home/me/mytask.py:task", parameters={"width": 8, "bias": False})
CONFIG = RunConfig(id="range-test-mytask-1", created=0, version="1", task=TASK, job=RangeTest())
READY = TaskReady(
    name="mytask",
    model="Net",
    train=80,
    validation=20,
    test=0,
    parameters=9,
    trainable=9,
    batch_size=32,
    steps_per_epoch=2,
    metrics=[],
)


def history(*events: Event) -> RunHistory:
    made = RunHistory(CONFIG)
    for event in events:
        made.apply(event)
    return made


def test_the_title_has_the_parameters_and_what_only_the_file_knows() -> None:
    assert title_of(CONFIG, history()) == (
        "range test  mytask(width=8, bias=off) · SGD(momentum 0.9)"
    )
    assert title_of(CONFIG, history(READY)) == (
        "range test  mytask(width=8, bias=off) · Net · batch 32 · SGD(momentum 0.9)"
    )


def test_the_result_has_the_parameters_and_the_traceback() -> None:
    lines = ['File "/home/me/mytask.py", line 3, in task', "ValueError: bad"]
    failed = RunFinished(outcome="failed", message="ValueError: bad", traceback=lines)
    result = to_json(range_report(history(failed), smoothing=0.05, live=False))
    assert (result["task"], result["model"]) == ("mytask", "")
    assert result["parameters"] == {"width": 8, "bias": False}
    assert result["traceback"] == lines
    assert to_json(range_report(history(READY), smoothing=0.05, live=False))["model"] == "Net"


@pytest.mark.parametrize(("model", "words"), [("cnn", "mytask · CNN"), ("", "mytask")])
def test_a_list_names_no_model_that_only_the_file_knows(model: str, words: str) -> None:
    summary = RunSummary(
        id=CONFIG.id,
        kind=CONFIG.kind,
        task="mytask",
        model=model,
        created=0.0,
        status="done",
        message="",
    )
    assert task_and_model(summary) == words
    (column,) = (one for one in columns_for(160) if one.name == "task")
    assert cell(summary, column, now=0.0) == words
