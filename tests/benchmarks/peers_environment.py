"""The environment of other libraries: theirs, and everything else from this one.

    python peers_environment.py

makes it if necessary and prints its interpreter.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import version
from pathlib import Path

PEERS = Path(__file__).resolve().parents[2] / "build" / "bench-venv"
REQUIRED = (
    "torch-lr-finder>=0.2,<0.3",
    "lightning>=2,<3",
    "fastai>=2,<3",
    "pytorch-ignite>=0.5,<0.6",
    "textual-plotext>=1,<2",
    "tensorboard>=2,<3",
    "tensorboardX>=2.6,<3",
    "wandb>=0.20,<1",
    "trackio>=0.20,<1",
    "mlflow-skinny>=3,<4",
    "sqlalchemy>=2,<3",  # these two for MLflow's database
    "alembic>=1,<2",
    "pandas>=2,<4",
)
KEPT = ("torch", "torchvision", "numpy", "pillow", "textual", "plotext", "rich")
"""Pinned to the current versions, so that the peers run on the same ones."""


def peers_python() -> Path:
    """Returns the interpreter of the peers' environment, creating it if necessary.

    It sees this environment's packages through a `.pth` file, so that torch (gigabytes) is not
    installed twice.
    """
    python = PEERS / "bin" / "python"
    ready = PEERS / "ready"
    made_of = "\n".join([sys.prefix, *REQUIRED])
    if ready.exists() and ready.read_text() == made_of:
        return python
    print("installing the peers into build/bench-venv", file=sys.stderr)
    venv.create(PEERS, clear=True, with_pip=True)
    inside = {"base": str(PEERS), "platbase": str(PEERS)}
    site = Path(sysconfig.get_path("purelib", vars=inside))
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    kept = [f"{name}=={version(name)}" for name in KEPT]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *REQUIRED, *kept], check=True)
    ready.write_text(made_of)
    return python


if __name__ == "__main__":
    print(peers_python())
