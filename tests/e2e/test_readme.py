"""What the README says of keys is what the key table says."""

from __future__ import annotations

from pathlib import Path

from clr_tui.tui.keys import KEYS
from clr_tui.tui.kinds.registry import KINDS

README = Path(__file__).parents[2] / "README.md"
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


def keys_as_markdown() -> str:
    rows = ["| key | where | does |", "|---|---|---|"]
    for key in KEYS:
        where = ", ".join(name for name, places in PLACES.items() if places & key.where)
        rows.append(f"| `{key.shown}` | {where} | {key.help} |")
    return "\n".join(rows)


def test_the_readme_lists_the_keys_of_the_key_table() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition("them together -->\n")[2].partition("<!-- end of keys")[0].strip()
    assert table == keys_as_markdown()
