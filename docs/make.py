"""Write docs/keys.md from the code; `make docs` runs it, and a test compares."""

from __future__ import annotations

from pathlib import Path

from clr_tui.tui.keys import KEYS
from clr_tui.tui.kinds.registry import KINDS

HERE = Path(__file__).parent
PLACES = {
    "runs": {"home"},
    **{
        kind.title: {kind.name, "run", "curves"} if kind.curves else {kind.name, "run"}
        for kind in KINDS.values()
    },
    "live runs": {"live"},
    "replay": {"replay"},
    "any": {"any"},
}


def keys() -> str:
    """The page of keys, from the key table."""
    rows = ["| key | where | does |", "|---|---|---|"]
    for key in KEYS:
        where = ", ".join(name for name, places in PLACES.items() if places & key.where)
        rows.append(f"| `{key.shown}` | {where} | {key.help} |")
    return "\n".join(["# Keys", "", f"{_MADE}", "", *rows, ""])


_MADE = "Made from the code by `make docs`."
PAGES = {"keys.md": keys}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
