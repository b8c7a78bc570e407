"""What `run.json` holds: as it is written now, and as clr-tui wrote it before (schema 1)."""

from __future__ import annotations

import json

import msgspec
import pytest

from clr_tui.engine.settings import config
from clr_tui.engine.settings.config import (
    JOBS,
    Compare,
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
    decode_run,
)
from clr_tui.engine.settings.entries import parse_entries

TASK = TaskConfig(data="/data/flowers", image_size=32)
OLD = """{"id":"r-1","kind":"%s","created":1700000000.5,"version":"0.1.0","schema":1,"task":
{"data":"/data/flowers","model":"cnn","weights":"imagenet","image_size":32,"batch_size":64,
"augment":true,"compile":false,"device":"auto","seed":0},"range_test":%s,"train":%s,"compare":%s,
"parent":"p","folder":"/home/me"}"""
OLD_SWEEP = """{"start_lr":1e-7,"end_lr":%s,"epochs":2.0,"steps":null,"seeds":%s,"accuracy":false,
"smoothing":0.05,"divergence":4.0,"optimizer":{"name":"sgd","momentum":0.9,"weight_decay":0.0,
"options":{}}}"""
OLD_TRAINING = """{"base_lr":0.0006,"max_lr":0.0036,"policy":"one-cycle","step_size_epochs":4.0,
"epochs":16,"whole_cycles":true,"gamma":0.99994,"optimizer":{"name":"adamw","momentum":0.9,
"weight_decay":0.0,"options":{"weight_decay":0.05}}}"""
OLD_COMPARISON = (
    """{"entries":[{"label":"adam","optimizer":{"name":"adam","momentum":0.9,"weight_decay":0.0,
"options":{}},"policy":"constant","lr":null,"base_lr":null},{"label":"sgd+clr","optimizer":
{"name":"sgd","momentum":0.0,"weight_decay":0.0,"options":{}},"policy":"triangular","lr":null,
"base_lr":null}],"seeds":4,"epochs":16,"whole_cycles":true,"rates":"default","factor":6.0,
"step_size_epochs":4.0,"gamma":0.99994,"range_test":"""
    + OLD_SWEEP % ("10.0", 1)
    + ""","jobs":null,"threads":1,"target":null,"paired":true,"study":""}"""
)
OPTIONS = {"weight_decay": 0.05}


@pytest.mark.parametrize(
    ("text", "job"),
    [
        (OLD % ("range-test", OLD_SWEEP % ("1.0", 3), "null", "null"), RangeTest(seeds=3)),
        (
            OLD % ("train", "null", OLD_TRAINING, "null"),
            Train(
                base_lr=6e-4,
                max_lr=3.6e-3,
                policy="one-cycle",
                optimizer=OptimizerConfig(name="adamw", options=OPTIONS),
            ),
        ),
        (
            OLD % ("compare", "null", "null", OLD_COMPARISON),
            Compare(entries=parse_entries("adam,sgd+clr"), seeds=4),
        ),
    ],
)
def test_a_run_of_schema_1_still_opens(text: str, job: RangeTest | Train | Compare) -> None:
    run = decode_run(text.encode())
    assert (run.job, run.task, run.schema) == (job, TASK, 1)
    assert (run.id, run.parent, run.folder) == ("r-1", "p", "/home/me")
    assert run.created == 1700000000.5


@pytest.mark.parametrize("job", [RangeTest(), Train(base_lr=1, max_lr=2), Compare(entries=[])])
def test_a_run_is_read_as_it_was_written(job: RangeTest | Train | Compare) -> None:
    run = RunConfig(id="r-1", created=1.0, version="0", task=TASK, job=job)
    text = msgspec.json.encode(run)
    assert decode_run(text) == run
    written = json.loads(text)
    assert (written["job"]["kind"], written["schema"]) == (run.kind, 2)
    assert JOBS[run.kind] is type(job)


def test_a_kind_is_registered_by_its_struct_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nap(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="nap"):
        minutes: int

    text = b'{"id": "r-1", "created": 1, "version": "0", "job": {"kind": "nap", "minutes": 5}}'
    with pytest.raises(msgspec.ValidationError, match="'nap' is none of range-test, train, comp"):
        decode_run(text)
    monkeypatch.setitem(config.JOBS, "nap", Nap)  # type: ignore[misc]
    run = decode_run(text)
    assert (run.kind, run.job) == ("nap", Nap(minutes=5))


@pytest.mark.parametrize("job", ["", ', "job": null', ', "job": {}', ', "job": {"kind": 3}'])
def test_a_run_without_a_job_is_damaged(job: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_run(f'{{"id": "r-1", "created": 1, "version": "0"{job}}}'.encode())


def test_only_the_job_that_was_asked_for_is_given() -> None:
    run = RunConfig(id="r-1", created=1.0, version="0", job=RangeTest(seeds=2))
    assert run.asked(RangeTest).seeds == 2
    with pytest.raises(TypeError, match="range-test"):
        run.asked(Train)
