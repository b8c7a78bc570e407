"""The command as a person would type it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from clr_tui.tui.cli.main import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs, which the environment names too."""
    monkeypatch.setenv("CLR_TUI_RUNS", str(tmp_path / "own-runs"))
    return tmp_path / "own-runs"


@pytest.fixture
def cli(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs `clr-tui ARGUMENTS` in this process, without a terminal."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run
