"""What several tests of the analysis need."""

from __future__ import annotations

import pytest
from made_sweeps import REFERENCE

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.sweep_csv import read_csv


@pytest.fixture
def reference() -> RunHistory:
    """The log that was published with the 2019 article."""
    if not REFERENCE.exists():
        pytest.skip("the reference logs are not here")
    config, events = read_csv(REFERENCE)
    history = RunHistory(config)
    for event in events:
        history.apply(event)
    return history
