"""What this process is: one of several ranks, a loader's worker, a notebook."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any, NamedTuple

_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK")
_SIZES = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "LOCAL_WORLD_SIZE")


class Rank(NamedTuple):
    """The number of this process among those that train together."""

    number: int
    """From 0."""
    of: int
    """How many there are."""


def rank() -> Rank:
    """By torch.distributed if it is initialised, else by variables of torchrun, Slurm and MPI."""
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return Rank(distributed.get_rank(), distributed.get_world_size())
    number, of = _first_number(_RANKS), _first_number(_SIZES)
    return Rank(number or 0, max(of or 1, (number or 0) + 1))


def _first_number(names: tuple[str, ...]) -> int | None:
    texts = (os.environ.get(name, "") for name in names)
    return next((int(text) for text in texts if text.isdecimal()), None)


def is_helper() -> bool:
    """Whether this process only helps another one to train.

    True in a DataLoader's worker, and while a process that multiprocessing has spawned imports the
    script's main module, as it does before its own work begins.
    """
    loaders: Any = sys.modules.get("torch.utils.data")
    if loaders is not None and loaders.get_worker_info() is not None:
        return True
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if frame.f_code.co_name == "<module>" and name == "__mp_main__":
            return True
        frame = frame.f_back
    return False


def is_interactive() -> bool:
    """Whether a person types what is run, in a notebook or a prompt."""
    ipython: Any = sys.modules.get("IPython")
    in_ipython = ipython is not None and ipython.get_ipython() is not None
    return in_ipython or hasattr(sys, "ps1")


def script() -> str:
    """The path of the program that runs; "notebook" or "prompt" if there is none."""
    if is_interactive():
        return "notebook" if "ipykernel" in sys.modules else "prompt"
    try:
        return os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c") else ""
    except OSError:  # the working directory was removed
        return sys.argv[0]
