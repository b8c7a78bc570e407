"""Comparisons that are killed or stopped, then resumed: the same in the end, bit for bit."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import msgspec
import pytest
from comparison_kills import TINY, Fault, results, resume_to_the_end, start, steps_of, strike

from clr_tui.engine.log.rundir import RunDir

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
SHORT = msgspec.structs.replace(TINY, seeds=1, epochs=8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The run that nothing happened to."""
    run, _ = start(tmp_path_factory.mktemp("whole"), SHORT)
    from comparing_runs import wait_until

    wait_until(lambda: not run.alive)
    return run


@pytest.mark.parametrize("fault", ["worker", "stop"])
def test_after_a_fault_and_a_resume_the_results_are_the_same(
    whole: RunDir, tmp_path: Path, fault: Fault
) -> None:
    draw = random.Random(fault)
    run, worker = start(tmp_path, SHORT)
    strike(run, worker, fault, draw.randrange(60, steps_of(whole) - 40), draw)
    assert not [e for e in run.path.rglob(".*.pt.*") if fault == "stop"], "no drafts"
    resume_to_the_end(run)
    assert results(run) == results(whole)
