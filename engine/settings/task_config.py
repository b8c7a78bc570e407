"""What is trained, and how: the settings of the data and the model."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal, Union

import msgspec

from clr_tui.engine.settings.catalogue import SOURCES
from clr_tui.engine.settings.table import described
from clr_tui.engine.settings.task_place import TaskPlace

_Plain = Union[bool, int, float, str, None]  # noqa: UP007
Value = Union[bool, int, float, str, None, list[_Plain]]  # noqa: UP007
"""The value of a parameter of a user's task."""
_FIRST = [*SOURCES][:3]


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The data, the model and how they are used."""

    task: Annotated[
        str,
        described(
            "your own task: FILE.py or package.module, with :FUNC if not 'task'",
            title="own task",
            metavar="FILE.py[:FUNC]",
            example="mytask.py",
            empty="use data and model",
        ),
    ] = ""
    """In `run.json` the path of a file is absolute, and the function is always named."""
    parameters: Annotated[
        dict[str, Value],
        described(
            "a parameter of your task's function; may be repeated",
            option="--set",
            metavar="NAME=VALUE",
            format="parameters",
            empty="the function's own",
        ),
    ] = {}
    """Those that were given; the others have their defaults."""
    data: Annotated[
        str,
        described(
            f"{', '.join(_FIRST)} or {len(SOURCES) - len(_FIRST)} more data sets by name,"
            " hf:NAME or a folder",
            metavar="DIR",
            by_name=True,
        ),
    ] = "digits"
    """In `run.json` the path of a folder is absolute."""
    model: Annotated[
        str,
        described(
            "cnn, resnet34 (all but its last block frozen), any of torchvision, timm:NAME",
            metavar="NAME",
            by_name=True,
        ),
    ] = "cnn"
    weights: Annotated[
        str,
        described(
            "initial weights: imagenet (if the model has them), none, a training, a file",
            metavar="W",
            by_name=True,
        ),
    ] = "imagenet"
    """In `run.json` an absolute path, if not a name."""
    freeze: Annotated[
        str,
        described(
            "what not to train: none, all-but-last, or a layer (by name) and all before it",
            metavar="LAYER",
            by_name=True,
            empty="none; resnet34: all before its last block",
            rare=True,
        ),
    ] = ""
    image_size: Annotated[
        int | None,
        described(
            "width and height of the images, in pixels",
            ge=8,
            le=4096,
            unit="pixels",
            example="64",
            empty="by data and model: 64 (cnn), mostly 224",
            by_name=True,
        ),
    ] = None
    batch_size: Annotated[int, described("images per step", ge=2)] = 64
    last_batch: Annotated[
        Literal["drop", "keep"],
        described("whether an epoch uses the images that do not fill a batch", rare=True),
    ] = "drop"
    device: Annotated[
        str,
        described(
            "where to run: auto (the fastest available), cpu, mps, cuda or cuda:N", metavar="D"
        ),
    ] = "auto"
    augment: Annotated[
        bool,
        described(
            "small random shifts and rotations; photos are also flipped",
            title="augmentation",
            rare=True,
            by_name=True,
        ),
    ] = True
    seed: Annotated[
        int,
        described(
            "the same seed gives the same weights, data order and augmentation",
            title="first seed",
            ge=0,
            le=2**63 - 1,
            rare=True,
        ),
    ] = 0
    """Trial i draws everything (weights, order, augmentation) from `seed + i`."""
    checkpoint_every: Annotated[
        float,
        described(
            "how often a run is saved within an epoch, to be resumed from there",
            ge=1,
            le=86400,
            unit="seconds",
            rare=True,
        ),
    ] = 30.0
    compile: Annotated[
        bool,
        described(
            "use torch.compile on CUDA; for long runs, since compiling takes a while",
            rare=True,
        ),
    ] = False

    @property
    def data_name(self) -> str:
        """What people call the own task or the data: its name, or that of its file or folder."""
        if self.task:
            return TaskPlace.split(self.task).name
        return PurePath(self.data).name or self.data

    @property
    def model_name(self) -> str:
        """The model's name; empty if an own task brings it, or if it is unknown."""
        return "" if self.task else self.model
