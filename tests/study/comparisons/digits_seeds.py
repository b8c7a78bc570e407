"""Trains the digits from many seeds and keeps the final values, for `populations.DigitsSeeds`.

python digits_seeds.py RUNS_DIR    # trains: some 6 minutes of one core
python digits_seeds.py RUN         # only reads a run that was made so
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from populations import GRID, OTHERS, SEEDS_FILE

IMAGES = 269
"""In the test part, and as many in the validation part."""
MEASURES = ("test_last", "test_best", "validation_last", "validation_best")
_OPTIONS = ["--data", "digits", "--no-augment", "--epochs", "4", "--step-size-epochs", "2"]


def train(runs: Path) -> dict[str, Any]:
    """Trains every optimizer from 48 seeds, one trial after the other; returns the report."""
    optimizers = ["--optimizers", ",".join([*GRID, *OTHERS]), "--seeds", "48", "--jobs", "1"]
    return _report("compare", *optimizers, *_OPTIONS, "--runs-dir", str(runs))


def _report(*arguments: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("clr-tui")), *arguments, "--json"]
    # Exits with 1 if the run was stopped, which leaves the seeds that were done.
    told = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    report: dict[str, Any] = json.loads(told.stdout)
    return report


def seeds_told(report: dict[str, Any]) -> dict[str, Any]:
    """The values of the seeds that no optimizer lacks, as numbers of images."""
    entries = {entry["label"]: entry for entry in report["entries"]}
    labels = sorted(entries, key=lambda label: [*GRID, *OTHERS].index(label))
    missing = [
        i
        for i in range(report["seeds"])
        if any(entries[label]["test_last"]["values"][i] is None for label in labels)
    ]
    told: dict[str, Any] = {"images": IMAGES, "labels": labels}
    for measure in MEASURES:
        told[measure] = [
            [
                _images(value)
                for i, value in enumerate(entries[label][measure]["values"])
                if i not in missing
            ]
            for label in labels
        ]
    return told


def _images(share: float) -> int:
    count = round(share * IMAGES)
    if abs(count - share * IMAGES) > 1e-6:
        raise ValueError(f"{share} is no share of {IMAGES} images")
    return count


def main() -> None:
    [folder] = map(Path, sys.argv[1:])
    made = (folder / "events.jsonl").exists()
    report = _report("replay", str(folder)) if made else train(folder)
    lines = [f'"{key}": {json.dumps(value)}' for key, value in seeds_told(report).items()]
    SEEDS_FILE.write_text("{" + ",\n ".join(lines) + "}\n")


if __name__ == "__main__":
    main()
