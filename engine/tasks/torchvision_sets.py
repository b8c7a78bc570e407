"""torchvision's data sets for classification, by name.

`published.obtain` gets the files, and torchvision's own classes read them, except the pickles of
CIFAR, which are read without running code that they name. The classes check no sums here: downloads
are checked already, and files that somebody put there are used as they are.

A part that a set does not have is held out from its training part, as for folders of images.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.image_folders import HELD_OUT_SHARE, ClassFolder, FolderLayout, scan
from clr_tui.engine.settings.part_names import PartName
from clr_tui.engine.tasks.dataset import Dataset, Notify, Progress
from clr_tui.engine.tasks.folder import read_layout
from clr_tui.engine.tasks.published import obtain
from clr_tui.engine.tasks.split import stratified_split
from clr_tui.engine.tasks.torchvision_files import FILES

Arguments = Mapping[PartName, Mapping[str, Any]]
"""What a class of torchvision takes for each part of its set."""
Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images, (n, channels, size, size), and their labels, (n,)."""
_BY_TRAIN: Arguments = {"train": {"train": True}, "test": {"train": False}}
_BY_SPLIT: Arguments = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE: Arguments = {
    "train": {"split": "train"},
    "validation": {"split": "val"},
    "test": {"split": "test"},
}
_PETS: Arguments = {"train": {"split": "trainval"}, "test": {"split": "test"}}


class _Files(NamedTuple):
    """A set of image files."""

    folder: Path
    layout: FolderLayout
    upright: bool
    """See `Dataset`."""


def read_torchvision(
    name: str, size: int, progress: Progress, note: Notify, cache_dir: Path | None
) -> Dataset:
    """Reads a data set by its name, downloading it first if it is not there.

    Args:
        name: a key of `READERS`.
        size: side of the images, pixels; sets of small images are returned at their own size.
        progress: called during downloads, and as images are decoded.
        note: takes sentences about the files.
        cache_dir: for decoded images; None for the user's cache directory.

    Raises:
        UserError: (field `data`) the files are missing and cannot be downloaded, or are damaged.
    """
    root = obtain(name, FILES[name], progress, note)
    try:
        found = READERS[name](root)
    except UserError:
        raise
    # These readers may raise anything on a damaged file.
    except Exception as error:
        raise UserError(
            f"the files of {name} in '{root}' cannot be read ({type(error).__name__}: {error}): "
            "remove them, and they will be downloaded",
            "data",
        ) from error
    if isinstance(found, Dataset):
        return found
    return read_layout(
        found.folder, found.layout, size, progress, note, cache_dir, upright=found.upright
    )


def _own_class(name: str) -> Any:
    """A class of torchvision's, without its check of sums."""
    module = importlib.import_module("torchvision.datasets")
    own = getattr(module, name)
    return type(name, (own,), {"_check_integrity": lambda _self: True})


def _arrays(
    of: str, parts: Arguments, root: Path, *, upright: bool, first_label: int = 0
) -> Dataset:
    """A set whose images torchvision keeps in one array."""
    kept = {part: _own_class(of)(root, **arguments) for part, arguments in parts.items()}
    classes = next((found.classes for found in kept.values() if hasattr(found, "classes")), None)
    found = {part: _labelled(of_part, first_label) for part, of_part in kept.items()}
    if classes is None:
        classes = list(map(str, range(1 + max(int(labels.max()) for _, labels in found.values()))))
    return in_parts(found, list(classes)[first_label:], upright=upright)


def _labelled(part: Any, first_label: int) -> Labelled:
    images = np.asarray(part.data)
    labels = np.asarray(part.targets if hasattr(part, "targets") else part.labels)
    if images.ndim == 3:
        images = images[:, np.newaxis]
    if labels.ndim == 2:  # QMNIST: the class, then who wrote it
        labels = labels[:, 0]
    return np.ascontiguousarray(images), labels.astype(np.int64) - first_label


def in_parts(found: Mapping[PartName, Labelled], classes: list[str], *, upright: bool) -> Dataset:
    """A data set of arrays; missing parts are held out from `train`, or `all`."""
    first: PartName = "all" if "all" in found else "train"
    others: tuple[PartName, ...] = ("validation", "test")
    order = [first, *(part for part in others if part in found)]
    images = np.concatenate([found[part][0] for part in order])
    labels = np.concatenate([found[part][1] for part in order])
    ends = [0, *np.cumsum([len(found[part][1]) for part in order])]
    parts = {part: np.arange(ends[i], ends[i + 1]) for i, part in enumerate(order)}
    lacking = [part for part in others if part not in found]
    pieces = stratified_split(labels[parts[first]], (HELD_OUT_SHARE,) * len(lacking))
    whole = parts[first]
    parts["train"], *held_out = (whole[piece] for piece in pieces)
    parts.update(zip(lacking, held_out, strict=True))
    return Dataset(
        classes=classes,
        images=images,
        labels=labels,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        upright=upright,
    )


def _cifar(
    folder: str, train: tuple[str, ...], test: str, labels: str, names: tuple[str, str], root: Path
) -> Dataset:
    """CIFAR in its version for Python: `names` is the file and the key of the classes."""
    read = partial(_cifar_images, root / folder, labels=labels)
    parts = [read(name) for name in train]
    classes = [_text(name) for name in _unpickled(root / folder / names[0])[names[1]]]
    both: dict[PartName, Labelled] = {
        "train": (np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])),
        "test": read(test),
    }
    return in_parts(both, classes, upright=False)


def _cifar_images(folder: Path, name: str, *, labels: str) -> Labelled:
    content = _unpickled(folder / name)
    images = np.asarray(content["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
    return images, np.asarray(content[labels], dtype=np.int64)


def _unpickled(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        content = _ArraysOnly(io.BytesIO(file.read()), encoding="latin1").load()
    return {_text(key): value for key, value in content.items()}


def _text(key: str | bytes) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else key


class _ArraysOnly(pickle.Unpickler):
    """Reads pickles of plain values and numpy arrays; a pickle of anything else may run code."""

    _KNOWN = ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in self._KNOWN:
            return super().find_class(module.replace("numpy.core", _NUMPY_CORE), name)
        if (module, name) == ("_codecs", "encode"):  # of arrays pickled by protocol 2
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, not only for arrays")


_NUMPY_CORE = "numpy._core" if hasattr(np, "_core") else "numpy.core"


def _classes_in(folder: str, root: Path, *, without: str = "", upright: bool = False) -> _Files:
    """A set that is a folder of images by class."""
    layout = scan(root / folder)
    parts = {
        part: {name: found for name, found in classes.items() if name != without}
        for part, classes in layout.parts.items()
    }
    return _Files(root / folder, FolderLayout(parts), upright)


def _listed(of: str, folder: str, parts: Arguments, root: Path, *, upright: bool = False) -> _Files:
    """A set of image files that torchvision lists."""
    found: dict[PartName, dict[str, ClassFolder]] = {}
    for part, arguments in parts.items():
        own = _own_class(of)(root, **arguments)
        names: dict[int, list[str]] = {}
        for file, label in zip(*_files_of(own), strict=True):
            names.setdefault(label, []).append(os.path.relpath(file, root / folder))
        classes = getattr(own, "classes", range(1 + max(names)))
        found[part] = {
            str(classes[label]): ClassFolder(root / folder, sorted(names[label]))
            for label in sorted(names)
        }
    return _Files(root / folder, FolderLayout(found), upright)


def _files_of(part: Any) -> tuple[list[str], list[int]]:
    """The files and labels of a part, which torchvision keeps under one of several names."""
    for name in ("_image_files", "_images"):
        if hasattr(part, name):
            return list(map(os.fspath, getattr(part, name))), list(part._labels)
    files, labels = zip(*part._samples, strict=True)
    return list(map(os.fspath, files)), list(labels)


Read = Callable[[Path], "Dataset | _Files"]


def _emnist(split: str, first_label: int = 0) -> Read:
    parts: Arguments = {
        "train": {"split": split, "train": True},
        "test": {"split": split, "train": False},
    }
    return partial(_arrays, "EMNIST", parts, upright=True, first_label=first_label)


READERS: dict[str, Read] = {
    "caltech101": partial(
        _classes_in, "caltech101/101_ObjectCategories", without="BACKGROUND_Google"
    ),
    "caltech256": partial(_classes_in, "caltech256/256_ObjectCategories"),
    "cifar10": partial(
        _cifar,
        "cifar-10-batches-py",
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test_batch",
        "labels",
        ("batches.meta", "label_names"),
    ),
    "cifar100": partial(
        _cifar, "cifar-100-python", ("train",), "test", "fine_labels", ("meta", "fine_label_names")
    ),
    "country211": partial(_classes_in, "country211"),
    "dtd": partial(_listed, "DTD", "dtd/dtd", _THREE),
    "emnist": _emnist("balanced"),
    "emnist-letters": _emnist("letters", first_label=1),
    "emnist-byclass": _emnist("byclass"),
    "eurosat": partial(_classes_in, "eurosat/2750"),
    "fashion-mnist": partial(_arrays, "FashionMNIST", _BY_TRAIN, upright=False),
    "fgvc-aircraft": partial(_listed, "FGVCAircraft", "fgvc-aircraft-2013b", _THREE),
    "flowers102": partial(_listed, "Flowers102", "flowers-102", _THREE),
    "food101": partial(_listed, "Food101", "food-101", _BY_SPLIT),
    "gtsrb": partial(_listed, "GTSRB", "gtsrb", _BY_SPLIT, upright=True),
    "imagenette": partial(_classes_in, "imagenette2"),
    "kmnist": partial(_arrays, "KMNIST", _BY_TRAIN, upright=True),
    "mnist": partial(_arrays, "MNIST", _BY_TRAIN, upright=True),
    "oxford-iiit-pet": partial(_listed, "OxfordIIITPet", "oxford-iiit-pet", _PETS),
    "qmnist": partial(_arrays, "QMNIST", _BY_TRAIN, upright=True),
    "rendered-sst2": partial(_classes_in, "rendered-sst2", upright=True),
    "semeion": partial(_arrays, "SEMEION", {"all": {"download": False}}, upright=True),
    "stl10": partial(_arrays, "STL10", _BY_SPLIT, upright=False),
    "sun397": partial(_listed, "SUN397", "SUN397", {"all": {}}),
    "svhn": partial(_arrays, "SVHN", _BY_SPLIT, upright=True),
    "usps": partial(_arrays, "USPS", _BY_TRAIN, upright=True),
}
"""How each set is read from the folder of all sets."""
