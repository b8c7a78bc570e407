"""Some damaged files in CI; `make fuzz` reads ten thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")


@pytest.mark.parametrize(("options", "count"), [([], 200), (["--torch"], 50)])
def test_damaged_files_end_in_results_or_a_sentence(options: list[str], count: int) -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--count", str(count), "--calls", "1", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert done.stdout.startswith(f"{count} variants of ")
