"""Small copies of published data sets, in the very layout of their files."""

from __future__ import annotations

import bz2
import gzip
import json
import pickle
import struct
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import scipy.io
from made_images import save_image

RANDOM = np.random.RandomState(0)


def pixels(*shape: int) -> np.ndarray:
    return RANDOM.randint(0, 256, shape, dtype=np.uint8)


def labels(count: int, classes: int) -> list[int]:
    return [i % classes for i in range(count)]


def cifar10(root: Path) -> None:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        batch = {
            "batch_label": name,
            "labels": labels(40, 10),
            "data": pixels(40, 3072),
            "filenames": [f"{name}_{i}.png" for i in range(40)],
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = {"label_names": [f"thing {i}" for i in range(10)], "num_vis": 3072}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol=2))


def cifar100(root: Path) -> None:
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        batch = {
            "fine_labels": labels(400, 100),
            "coarse_labels": labels(400, 20),
            "data": pixels(400, 3072),
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = {"fine_label_names": [f"fine {i}" for i in range(100)]}
    (folder / "meta").write_bytes(pickle.dumps(names, protocol=2))


def idx(array: np.ndarray) -> bytes:
    """The format of MNIST's files."""
    kind = {"uint8": 8, "int32": 12}[array.dtype.name]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def mnist(folder: str, first: int = 0, prefix: str = "", test: str = "t10k") -> Callable:
    def make(root: Path) -> None:
        raw = root / folder / "raw"
        raw.mkdir(parents=True)
        for part, count in (("train", 200), (test, 60)):
            classes = np.array(labels(count, 10), dtype=np.uint8) + first
            for name, array in (
                ("images-idx3-ubyte", pixels(count, 28, 28)),
                ("labels-idx1-ubyte", classes.astype(np.uint8)),
            ):
                (raw / f"{prefix}{part}-{name}.gz").write_bytes(gzip.compress(idx(array)))

    return make


def emnist(split: str, first: int = 0) -> Callable:
    def make(root: Path) -> None:
        mnist("EMNIST", first, f"emnist-{split}-", "test")(root)
        raw = root / "EMNIST" / "raw"
        for file in raw.glob("*.gz"):
            (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
            file.unlink()
        (raw / "emnist-balanced-train-images-idx3-ubyte").touch()

    return make


def qmnist(root: Path) -> None:
    raw = root / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 200), ("test", 60)):
        facts = np.zeros((count, 8), dtype=np.int32)
        facts[:, 0] = labels(count, 10)
        (raw / f"qmnist-{part}-images-idx3-ubyte").write_bytes(idx(pixels(count, 28, 28)))
        (raw / f"qmnist-{part}-labels-idx2-int").write_bytes(idx(facts))


def svhn(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 200), ("test", 60)):
        digits = np.array([[1 + i % 10] for i in range(count)], dtype=np.uint8)
        scipy.io.savemat(root / f"{part}_32x32.mat", {"X": pixels(32, 32, 3, count), "y": digits})


def stl10(root: Path) -> None:
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    for part, count in (("train", 100), ("test", 30)):
        pixels(count, 3, 96, 96).tofile(folder / f"{part}_X.bin")
        (np.array(labels(count, 10), dtype=np.uint8) + 1).tofile(folder / f"{part}_y.bin")
    (folder / "class_names.txt").write_text("\n".join(f"thing {i}" for i in range(10)))


def usps(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, count in (("usps.bz2", 200), ("usps.t.bz2", 60)):
        values = RANDOM.uniform(-1, 1, (count, 256))
        rows = [
            f"{1 + i % 10} " + " ".join(f"{k + 1}:{value:.4f}" for k, value in enumerate(row))
            for i, row in enumerate(values)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(rows).encode()))


def semeion(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    ink, classes = RANDOM.randint(0, 2, (200, 256)), np.eye(10, dtype=int)[labels(200, 10)]
    np.savetxt(root / "semeion.data", np.hstack([ink, classes]), fmt="%.1f")


def flowers102(root: Path) -> None:
    folder = root / "flowers-102"
    for number in range(1, 61):
        save_image(folder / "jpg" / f"image_{number:05}.jpg", seed=number)
    classes = np.array([[1 + i % 3 for i in range(60)]], dtype=np.uint8)
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": classes})
    numbers = np.arange(1, 61, dtype=np.uint16)[np.newaxis]
    parts = {"trnid": numbers[:, :36], "valid": numbers[:, 36:48], "tstid": numbers[:, 48:]}
    scipy.io.savemat(folder / "setid.mat", parts)


def pets(root: Path) -> None:
    folder = root / "oxford-iiit-pet"
    (folder / "annotations").mkdir(parents=True)
    for part, numbers in (("trainval", range(1, 25)), ("test", range(25, 37))):
        lines = []
        for number in numbers:
            label = 1 + number % 3
            name = f"{('Abyssinian', 'basset_hound', 'Sphynx')[label - 1]}_{number}"
            save_image(folder / "images" / f"{name}.jpg", seed=number)
            lines.append(f"{name} {label} 1 1")
        (folder / "annotations" / f"{part}.txt").write_text("\n".join(lines) + "\n")


def food101(root: Path) -> None:
    folder = root / "food-101"
    (folder / "meta").mkdir(parents=True)
    for part, numbers in (("train", range(12)), ("test", range(12, 18))):
        names = {food: [f"{food}/{i}" for i in numbers] for food in ("pizza", "apple_pie")}
        for seed, name in enumerate(chain(*names.values())):
            save_image(folder / "images" / f"{name}.jpg", seed=seed)
        (folder / "meta" / f"{part}.json").write_text(json.dumps(names))


def gtsrb(root: Path) -> None:
    folder = root / "gtsrb"
    for label in range(3):
        for number in range(12):
            image = folder / "GTSRB" / "Training" / f"{label:05}" / f"{number:05}.ppm"
            save_image(image, seed=100 * label + number)
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for number in range(6):
        save_image(folder / "GTSRB" / "Final_Test" / "Images" / f"{number:05}.ppm", seed=number)
        lines.append(f"{number:05}.ppm;20;16;0;0;20;16;{number % 3}")
    (folder / "GT-final_test.csv").write_text("\n".join(lines))


def dtd(root: Path) -> None:
    folder = root / "dtd" / "dtd"
    (folder / "labels").mkdir(parents=True)
    for part, numbers in (("train", range(8)), ("val", range(8, 12)), ("test", range(12, 16))):
        names = [f"{kind}/{kind}_{i:04}.jpg" for kind in ("banded", "woven") for i in numbers]
        for seed, name in enumerate(names):
            save_image(folder / "images" / name, seed=seed)
        (folder / "labels" / f"{part}1.txt").write_text("\n".join(names) + "\n")


def aircraft(root: Path) -> None:
    folder = root / "fgvc-aircraft-2013b" / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "variants.txt").write_text("707-320\nMD-11\n")
    for part, numbers in (("train", range(8)), ("val", range(8, 12)), ("test", range(12, 16))):
        lines = []
        for number in numbers:
            save_image(folder / "images" / f"{number:07}.jpg", seed=number)
            lines.append(f"{number:07} {('707-320', 'MD-11')[number % 2]}")
        (folder / f"images_variant_{part}.txt").write_text("\n".join(lines) + "\n")


def sun397(root: Path) -> None:
    folder = root / "SUN397"
    for kind in ("a/abbey", "b/bar/indoor"):
        for number in range(10):
            save_image(folder / kind / f"sun_{number:04}.jpg", seed=number)
    (folder / "ClassName.txt").write_text("/a/abbey\n/b/bar/indoor\n")


def folders(folder: str, *parts: str) -> Callable:
    def make(root: Path) -> None:
        for part in parts:
            for kind in ("BACKGROUND_Google", "one", "two"):
                for number in range(10):
                    save_image(root / folder / part / kind / f"{number}.png", seed=number)

    return make


MADE: dict[str, Callable[[Path], None]] = {
    "caltech101": folders("caltech101/101_ObjectCategories", ""),
    "caltech256": folders("caltech256/256_ObjectCategories", ""),
    "cifar10": cifar10,
    "cifar100": cifar100,
    "country211": folders("country211", "train", "valid", "test"),
    "dtd": dtd,
    "emnist": emnist("balanced"),
    "emnist-letters": emnist("letters", 1),
    "emnist-byclass": emnist("byclass"),
    "eurosat": folders("eurosat/2750", ""),
    "fashion-mnist": mnist("FashionMNIST"),
    "fgvc-aircraft": aircraft,
    "flowers102": flowers102,
    "food101": food101,
    "gtsrb": gtsrb,
    "imagenette": folders("imagenette2", "train", "val"),
    "kmnist": mnist("KMNIST"),
    "mnist": mnist("MNIST"),
    "oxford-iiit-pet": pets,
    "qmnist": qmnist,
    "rendered-sst2": folders("rendered-sst2", "train", "valid", "test"),
    "semeion": semeion,
    "stl10": stl10,
    "sun397": sun397,
    "svhn": svhn,
    "usps": usps,
}
"""Makes each set below the folder of all sets."""
