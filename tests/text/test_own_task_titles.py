"""A run of a user's task is called after its file, with the parameters that were given."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report, report_of, to_json
from clr_tui.engine.log.events import DeviceChosen, Event, RunFinished, TaskReady, TrialStarted
from clr_tui.engine.log.summary import RunSummary
from clr_tui.engine.settings.config import (
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.tui.text.event_lines import EventLines
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


def history(*events: Event, config: RunConfig = CONFIG) -> RunHistory:
    made = RunHistory(config)
    for event in events:
        made.apply(event)
    return made


def started(own_optimizer: str | None) -> TrialStarted:
    return TrialStarted(
        trial=0, seed=0, total_steps=9, steps_per_epoch=2, own_optimizer=own_optimizer
    )


def title(*events: Event, config: RunConfig = CONFIG) -> str:
    return title_of(config, history(*events, config=config))


def test_the_title_has_the_parameters_and_what_only_the_file_knows() -> None:
    assert title() == "range test  mytask(width=8, bias=off)"
    assert title(READY) == "range test  mytask(width=8, bias=off) · Net · batch 32"
    assert title(READY, started("")) == (
        "range test  mytask(width=8, bias=off) · Net · batch 32 · SGD(momentum 0.9)"
    )


@pytest.mark.parametrize("job", [RangeTest(), Train(base_lr=1e-3, max_lr=1e-2)])
def test_the_optimizer_is_the_one_that_is_used(job: RangeTest | Train) -> None:
    config = replace(CONFIG, job=job)
    assert " · the task's AdamW" in title(READY, started("AdamW"), config=config)
    # Nothing false before it is known, nor for a log that does not say.
    assert "SGD" not in title(READY, config=config)
    assert "SGD" not in title(READY, started(None), config=config)
    used = [started("AdamW"), started(""), started(None)]
    reports = [report_of(history(READY, one, config=config), live=True) for one in used]
    assert [to_json(one)["optimizer"] for one in reports] == ["AdamW", "sgd(momentum=0.9)", None]


def test_an_optimizer_asked_for_by_name_is_known_at_once() -> None:
    asked = OptimizerConfig(name="adamw", weight_decay=0.1, options={"eps": 1e-7})
    config = replace(CONFIG, job=RangeTest(optimizer=asked))
    assert title(config=config).endswith(" · adamw")
    report = to_json(report_of(history(config=config), live=True))
    assert report["optimizer"] == "adamw(eps=1e-07,weight_decay=0.1)"


def test_the_precision_is_the_one_that_is_used() -> None:
    device = DeviceChosen(device="cpu", name="2 CPU threads", precision="float32")
    ready = replace(READY, precision="bfloat16")
    shown = history(device, ready)
    assert EventLines().line_of(device, shown) == "on 2 CPU threads (cpu)"
    assert " trainable parameters in bfloat16; " in EventLines().line_of(ready, shown)
    assert to_json(report_of(shown, live=True))["precision"] == "bfloat16"
    assert to_json(report_of(history(device), live=True))["precision"] == ""  # not yet known
    by_name = history(device, READY, config=replace(CONFIG, task=TaskConfig()))
    assert EventLines().line_of(device, by_name) == "on 2 CPU threads (cpu, float32)"
    assert to_json(report_of(by_name, live=True))["precision"] == "float32"


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
