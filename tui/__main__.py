"""`python -m clr_tui.tui` is `clr-tui`."""

from __future__ import annotations

from clr_tui.tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
