"""Pages that are made from the code say what the code says; links in the docs lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("make_docs", ROOT / "docs" / "make.py")
assert _SPEC is not None
assert _SPEC.loader is not None
MAKE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(MAKE)
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", MAKE.PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == MAKE.PAGES[name]()


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(text: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", text.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link]
    missing = [link for link in files if not (text.parent / link).exists()]
    assert missing == []
