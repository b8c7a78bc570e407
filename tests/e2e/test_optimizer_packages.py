"""Optimizers of today in one comparison, each from its authors' package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

for package in ("lion_pytorch", "prodigyopt", "pytorch_optimizer", "schedulefree"):
    pytest.importorskip(package)

MUON = "muon" if hasattr(torch.optim, "Muon") else "pytorch_optimizer:Muon"
ENTRIES = [
    "schedulefree:AdamWScheduleFree(lr=3e-3)",
    "prodigyopt:Prodigy(lr=1)",
    "lion_pytorch:Lion(lr=3e-4)",
    f"{MUON}(lr=0.02,adamw_lr=1e-3)",
    "pytorch_optimizer:SAM(lr=0.05,base_optimizer='sgd')",
]


def test_optimizers_of_five_authors_learn_in_one_comparison(tmp_path: Path) -> None:
    options = ["--seeds", "1", "--epochs", "3", "--jobs", "1", "--device", "cpu", "--headless"]
    options += ["--json", "--runs-dir", str(tmp_path / "runs"), "--optimizers", ",".join(ENTRIES)]
    result = subprocess.run(
        [sys.executable, "-m", "clr_tui.tui", "compare", *options],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["status"] == "done"
    tested = {entry["label"]: entry["test_last"]["mean"] for entry in report["entries"]}
    assert len(tested) == len(ENTRIES)
    assert all(accuracy > 0.5 for accuracy in tested.values()), tested  # one in ten by chance
