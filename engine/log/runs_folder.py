"""The folder that holds all runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ENVIRONMENT = "CLR_TUI_RUNS"


def runs_dir(override: str | Path | None = None) -> Path:
    """The folder that holds all runs; it need not exist yet.

    It is `override`, else `CLR_TUI_RUNS` from the environment, else in the user's state directory,
    so that runs are found from any folder, for example after reconnecting over SSH.

    Returns:
        An absolute path, unless the user has no home folder, as in some containers.
    """
    given = override or os.environ.get(ENVIRONMENT)
    if given:
        return Path(os.path.abspath(os.path.expanduser(given)))
    return state_dir() / "runs"


def state_dir() -> Path:
    """The user's folder for what clr-tui keeps; not absolute if the user has no home folder."""
    try:
        return platformdirs.user_state_path("clr-tui")
    except RuntimeError:  # no home: newer releases raise this, older ones return "~/..."
        return Path("~")
