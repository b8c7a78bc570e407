"""Makes runs of MLflow in files."""

from __future__ import annotations

from pathlib import Path


def mlflow_run(folder: Path, name: str = "brave-fox", status: int = 1) -> Path:
    (folder / "metrics").mkdir(parents=True)
    (folder / "params").mkdir()
    (folder / "params" / "lr").write_text("0.1")
    meta(folder, name, status)
    return folder


def meta(folder: Path, name: str = "brave-fox", status: int = 1) -> None:
    (folder / "meta.yaml").write_text(
        f"artifact_uri: file:///x\nlifecycle_stage: active\nrun_id: {folder.name}\n"
        f"run_name: '{name}'\nstart_time: 1700000000000\nstatus: {status}\ntags: []\n"
    )


def lines(count: int, start: int = 0) -> str:
    return "".join(f"{1_700_000_000_000 + 500 * i} {i / 3} {i}\n" for i in range(start, count))
