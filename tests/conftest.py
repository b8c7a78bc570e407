from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine must not fail a property: no test here asserts a time.
settings.register_profile("clr-tui", deadline=None)
settings.load_profile("clr-tui")

# The terminal that starts the tests must not decide how wide they, or `ps`, write their lines.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)
# Nor may a shell that starts them in the background, which ignores SIGINT in all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's working directory. What importing their file changes in this process is put back."""
    from clr_tui.engine import user_frames
    from clr_tui.engine.tasks import user_files

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(user_files, "_sources", {})
    monkeypatch.setattr(user_files, "_stamps", {})
    monkeypatch.setattr(user_frames, "_task", [])
    monkeypatch.setattr(user_frames, "_folder", [])
    path, argv, finders, modules = sys.path[:], sys.argv[:], sys.meta_path[:], dict(sys.modules)
    yield tmp_path
    sys.path[:], sys.argv[:], sys.meta_path[:] = path, argv, finders
    sys.path_importer_cache.clear()
    for name, module in list(sys.modules.items()):  # but not those of libraries, loaded for good
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    sys.modules["__main__"] = modules["__main__"]


@pytest.fixture
def deadline() -> Iterator[None]:
    """Fails what waits forever, such as for the other end of a pipe."""

    def late(*_: object) -> None:
        pytest.fail("it waits")

    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 20)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
