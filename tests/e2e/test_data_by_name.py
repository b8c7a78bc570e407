"""A published data set by command: put there by hand, or missing without a network."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def clr_tui(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CLR_TUI_DATA": str(folder / "sets"),
        # Nothing listens there: what is asked of any server fails at once.
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
    }
    options = ["--device", "cpu", "--headless", "--json", "--runs-dir", str(folder / "runs")]
    return subprocess.run(
        [sys.executable, "-m", "clr_tui.tui", *arguments, *options],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_cifar10_in_the_layout_of_its_files_trains(tmp_path: Path) -> None:
    folder = tmp_path / "sets" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        pixels = random.randint(0, 256, (20, 3072), dtype=np.uint8)
        batch = {b"labels": [i % 10 for i in range(20)], b"data": pixels}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = {b"label_names": [b"thing %d" % i for i in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol=2))
    done = clr_tui(
        tmp_path,
        *("train", "--data", "cifar10", "--max-lr", "0.01", "--policy", "constant"),
        *("--epochs", "1", "--batch-size", "16"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "done"
    assert "train-cifar10" in found["run"]


@pytest.mark.parametrize("name", ["cifar10", "flowers102"])
def test_without_a_network_one_sentence_says_which_file_to_put_where(
    tmp_path: Path, name: str
) -> None:
    done = clr_tui(tmp_path, "range-test", "--data", name)
    assert done.returncode == 1
    message = json.loads(done.stdout)["message"]
    assert message.startswith(f"{name} cannot be downloaded (Connection refused): put '")
    assert str(tmp_path / "sets") in message
    assert "published at https://" in message
    assert "\n" not in message
