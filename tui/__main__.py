"""Runs `clr-tui` as `python -m clr_tui.tui`."""

from __future__ import annotations

import os
import sys

if sys.path[:1] == [os.getcwd()]:
    # Python puts it there, but the user's folder may contain a random.py or an engine.py.
    del sys.path[0]

from clr_tui.tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
