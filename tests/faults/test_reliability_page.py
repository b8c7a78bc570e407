"""Each row of docs/reliability.md names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"


def test_every_row_names_tests_that_exist() -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not re.match(r"\| fault \||\|-", line)
    ]
    assert len(rows) > 20
    missing = []
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        if not named or row.count("|") != 4:
            missing.append(row)
        for file, test in named:
            path = ROOT / file
            if not path.is_file() or not re.search(
                rf"^(?:async )?def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE
            ):
                missing.append(row)
    assert missing == []
