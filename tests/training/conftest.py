"""Fixtures of the training tests; what they are made of is in `training_bench`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import training_bench
from training_bench import Bench


@pytest.fixture
def make_bench(tmp_path: Path) -> Callable[..., Bench]:
    """`training_bench.make_bench` with a folder of this test's own."""
    return functools.partial(training_bench.make_bench, folder=tmp_path)
