from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A loaded machine must not fail a property: no test here asserts a time.
settings.register_profile("clr-tui", deadline=None)
settings.load_profile("clr-tui")

# The terminal that starts the tests must not decide how wide they, or `ps`, write their lines.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)


@pytest.fixture
def deadline() -> Iterator[None]:
    """Fails what waits for ever, such as for the other end of a pipe."""

    def late(*_: object) -> None:
        pytest.fail("it waits")

    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 20)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
