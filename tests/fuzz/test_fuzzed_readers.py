"""A few hundred damaged files in CI; `make fuzz` reads ten thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).with_name("fuzz.py")


def test_damaged_files_end_in_results_or_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--count", "300", "--calls", "1", "--seed", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert done.stdout.startswith("300 variants of ")
