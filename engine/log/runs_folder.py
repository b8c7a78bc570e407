"""Where runs live."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ENVIRONMENT = "CLR_TUI_RUNS"


def runs_dir(override: str | Path | None = None) -> Path:
    """The folder that holds all runs; it need not exist yet.

    `override`, else the environment's `CLR_TUI_RUNS`, else the user's state directory: whoever
    comes back over SSH finds the runs from any folder.

    Returns:
        An absolute path, unless the user has no home folder, as in some containers.
    """
    given = override or os.environ.get(ENVIRONMENT)
    if given:
        return Path(os.path.abspath(os.path.expanduser(given)))
    try:
        state = platformdirs.user_state_path("clr-tui")
    except RuntimeError:  # no home: so say newer releases, while older ones return "~/..."
        state = Path("~")
    return state / "runs"
