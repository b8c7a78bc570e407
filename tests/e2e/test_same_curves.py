"""Curves on the CPU stay what they were, bit for bit: a change that moves them says so here.

The bits depend on torch's version, the processor (its libraries choose other kernels for another
make, even with the same instructions) and the number of threads, so `curves.json` holds hashes for
each setting they were recorded under, and the test skips elsewhere.
`python tests/e2e/test_same_curves.py` records them.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

FLOWERS = Path(__file__).parents[3] / "shared" / "data" / "flowers"
RECORDED = Path(__file__).with_name("curves.json")
ON_FLOWERS = ("--data", str(FLOWERS), "--image-size", "32", "--seed", "3")
CURVES: dict[str, tuple[str, ...]] = {
    "digits-range-test": ("range-test", "--steps", "120", "--seeds", "2", "--accuracy"),
    "digits-train": ("train", "--max-lr", "0.02", "--epochs", "8"),
    "digits-compare": (
        "compare",
        "--optimizers",
        "adam,sgd(lr=0.02)+clr",
        "--seeds",
        "2",
        "--epochs",
        "8",
    ),
    "flowers-range-test": ("range-test", *ON_FLOWERS, "--steps", "60"),
    "flowers-train": ("train", *ON_FLOWERS, "--max-lr", "0.01", "--epochs", "1"),
    "flowers-compare": (
        "compare",
        *ON_FLOWERS,
        *("--optimizers", "adamax,sgd(lr=0.01)+clr", "--seeds", "1", "--epochs", "1"),
        "--no-whole-cycles",
    ),
}


def setting() -> str:
    """What else the bits depend on."""
    capability = torch.backends.cpu.get_cpu_capability()
    threads = torch.get_num_threads()
    return (
        f"torch {torch.__version__.split('+')[0]}, {processor()}, {capability}, {threads} threads"
    )


def processor() -> str:
    """The make, family and model of the processor, such as `AuthenticAMD 25 17`."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^(vendor_id|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
    return " ".join(fields[name] for name in ("vendor_id", "cpu family", "model") if name in fields)


def curve_hash(command: tuple[str, ...], folder: Path) -> str:
    """The hash of every rate and loss of a run, by trial and step."""
    env = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    options = ["--device", "cpu", "--headless", "--json", "--runs-dir", str(folder / "runs")]
    arguments = [sys.executable, "-m", "clr_tui.tui", *command, *options]
    subprocess.run(arguments, env=env, check=True, timeout=900, capture_output=True)
    (log,) = (folder / "runs").glob("*/events.jsonl")
    rows: list[tuple[Any, ...]] = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["type"] == "steps":
            columns = zip(event["step"], event["lr"], event["loss"], strict=True)
            rows += [(event["trial"], 0, *row) for row in columns]
        elif event["type"] == "evaluated":
            rows.append((event["trial"], 1, event["step"], event["part"], event["loss"]))
    rows.sort(key=lambda row: row[:3])
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVES)
def test_curves_are_those_of_before(name: str, tmp_path: Path) -> None:
    if name.startswith("flowers") and not FLOWERS.is_dir():
        pytest.skip("the flowers are not beside the repository")
    hashes = json.loads(RECORDED.read_text()).get(setting())
    if hashes is None:
        pytest.skip(f"no hashes are recorded for {setting()}")
    assert curve_hash(CURVES[name], tmp_path) == hashes[name]


def record() -> None:
    """Add the hashes of this setting to those that are recorded."""
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    hashes = {}
    for name, command in CURVES.items():
        with tempfile.TemporaryDirectory() as folder:
            hashes[name] = curve_hash(command, Path(folder))
        print(name, hashes[name], flush=True)
    recorded[setting()] = hashes
    RECORDED.write_text(json.dumps(recorded, indent=2) + "\n")


if __name__ == "__main__":
    record()
