"""Processes that run a module of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clr_tui.engine.child import Child, module_command


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python has no safe path")
def test_files_in_the_working_directory_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise SystemExit(9)")
    ended = subprocess.run(
        module_command("clr_tui.engine.worker", "--help"), cwd=tmp_path, capture_output=True
    )
    assert ended.returncode == 0


def test_a_child_ends_when_its_parent_closes_the_connection() -> None:
    child = Child("clr_tui.engine.tasks.decode_process")
    child.connection.send(([], 8))
    assert child.connection.recv() == []
    child.connection.close()
    assert child.process.wait(60) == 0
