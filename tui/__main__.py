"""`python -m clr_tui.tui` is `clr-tui`."""

from __future__ import annotations

import os
import sys

if sys.path[:1] == [os.getcwd()]:
    # Python's own doing. People's folders hold a random.py or an engine.py, which are not ours.
    del sys.path[0]

from clr_tui.tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
