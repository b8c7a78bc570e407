"""torchvision's data sets by name: read from small copies in the layout of their files."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import inspect
import os
import pickle
import re
import shutil
import tarfile
import urllib.request
import zipfile
from importlib import import_module
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from published_sets import MADE, cifar10, mnist

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.catalogue import SOURCES
from clr_tui.engine.tasks.published import PublishedFile
from clr_tui.engine.tasks.torchvision_files import FILES
from clr_tui.engine.tasks.torchvision_sets import READERS


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all sets; there is no network."""
    monkeypatch.setenv("CLR_TUI_DATA", str(tmp_path / "sets"))

    def unreachable(request, **_):
        raise URLError("Name or service not known")

    monkeypatch.setattr("clr_tui.engine.tasks.download.urlopen", unreachable)
    return tmp_path / "sets"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that begin with file:// can be reached."""
    monkeypatch.setattr("clr_tui.engine.tasks.download.urlopen", urllib.request.urlopen)


def sizes(task) -> list[int]:
    return [len(part) for part in (task.train, task.validation, task.test)]


def test_the_tables_name_the_same_sets():
    published = {name for name, source in SOURCES.items() if "torchvision" in source.read}
    assert published == FILES.keys() == READERS.keys() == MADE.keys()


def test_the_documentation_names_all_of_them():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    assert [name for name in SOURCES if not re.search(rf"\b{name}\b", text)] == []


def test_without_a_home_the_sentence_names_the_variable(load, monkeypatch):
    def homeless(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CLR_TUI_DATA")
    monkeypatch.setattr("platformdirs.user_data_path", homeless)
    with pytest.raises(UserError, match=r"no home folder.*CLR_TUI_DATA"):
        load(data="mnist")


SOURCE_TEXT = "".join(
    inspect.getsource(import_module(f"torchvision.datasets.{name}"))
    for name in (
        *("caltech", "cifar", "country211", "dtd", "eurosat", "fgvc_aircraft", "flowers102"),
        *("food101", "gtsrb", "imagenette", "mnist", "oxford_iiit_pet", "rendered_sst2"),
        *("semeion", "stl10", "sun397", "svhn", "usps"),
    )
)


@pytest.mark.parametrize("name", FILES)
def test_addresses_and_sums_are_those_of_torchvision(name: str):
    for file in FILES[name]:
        assert file.md5 in SOURCE_TEXT
        assert file.name in SOURCE_TEXT
        site = file.url.removesuffix(file.name)
        assert site in SOURCE_TEXT or site.split("/")[2] in SOURCE_TEXT


EXPECTED = {
    "caltech101": (2, 16, 2, 2),
    "caltech256": (3, 24, 3, 3),
    "cifar10": (10, 180, 20, 40),
    "cifar100": (100, 300, 100, 400),
    "country211": (3, 30, 30, 30),
    "dtd": (2, 16, 8, 8),
    "emnist": (47, 180, 20, 60),
    "emnist-letters": (26, 180, 20, 60),
    "emnist-byclass": (62, 180, 20, 60),
    "eurosat": (3, 24, 3, 3),
    "fgvc-aircraft": (2, 8, 4, 4),
    "flowers102": (3, 36, 12, 12),
    "food101": (2, 22, 2, 12),
    "gtsrb": (3, 33, 3, 6),
    "imagenette": (3, 27, 30, 3),
    "oxford-iiit-pet": (3, 21, 3, 12),
    "rendered-sst2": (3, 30, 30, 30),
    "semeion": (10, 160, 20, 20),
    "stl10": (10, 90, 10, 30),
    "sun397": (2, 16, 2, 2),
}
"""Classes, and images in each part, of the small copies, but for those in MNIST's format."""


@pytest.mark.parametrize("name", MADE)
def test_each_set_loads_by_name(name: str, root: Path, load, told):
    MADE[name](root)
    task = load(data=name, image_size=SOURCES[name].image_size or 8)
    assert (len(task.classes), *sizes(task)) == EXPECTED.get(name, (10, 180, 20, 60))
    assert task.name == name
    # What is made here is small: some classes have no image.
    told_of_files = [note for note in told.notes if not note.startswith("class")]
    assert all("not the file that was published" in note for note in told_of_files)
    seen = torch.cat([part.targets for part in (task.train, task.validation, task.test)])
    assert int(seen.min()) == 0
    assert int(seen.max()) < len(task.classes)


def test_cifar10_is_read_as_it_is_written(root: Path, load):
    cifar10(root)
    task = load(data="cifar10")
    written = pickle.loads((root / "cifar-10-batches-py" / "test_batch").read_bytes())
    assert task.test.inputs.numpy().tolist() == written["data"].reshape(-1, 3, 32, 32).tolist()
    assert task.test.targets.tolist() == written["labels"]
    assert task.classes[3] == "thing 3"
    assert task.augment.flip


def test_digits_are_not_mirrored(root: Path, load):
    mnist("MNIST")(root)
    assert not load(data="mnist").augment.flip


def test_the_labels_of_flowers_follow_their_images(root: Path, load):
    from torchvision.datasets import Flowers102

    from clr_tui.engine.tasks.pictures import read_pictures

    MADE["flowers102"](root)
    task = load(data="flowers102", image_size=8)
    for number in (1, 2, 3):
        file = root / "flowers-102" / "jpg" / f"image_{number:05}.jpg"
        picture = np.frombuffer(read_pictures([str(file)], 8)[0].values, np.uint8)
        row = (task.train.inputs.flatten(1) == torch.from_numpy(picture.copy())).all(1)
        assert task.train.targets[row].tolist() == [number - 1]
    assert task.classes == Flowers102.classes[:3]


def test_a_pickle_that_asks_for_anything_but_arrays_is_not_run(root: Path, load, tmp_path: Path):
    class Wicked:
        def __reduce__(self):
            return Path.touch, (tmp_path / "run",)

    cifar10(root)
    (root / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(Wicked()))
    with pytest.raises(UserError, match=r"cannot be read.*not only for arrays") as caught:
        load(data="cifar10")
    assert caught.value.field == "data"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar10", ["put 'cifar-10-python.tar.gz' into '{}'", "cifar-10-python.tar.gz)"]),
        ("flowers102", ["'102flowers.tgz', 'imagelabels.mat' and 'setid.mat' into '{}/flowers-"]),
        ("kmnist", ["'t10k-images-idx3-ubyte.gz'", "into '{}/KMNIST/raw'", "codh.rois.ac.jp"]),
    ],
)
def test_without_a_network_the_sentence_names_files_and_folder(
    name: str, words: list[str], root: Path, load
):
    with pytest.raises(UserError) as caught:
        load(data=name)
    assert caught.value.field == "data"
    assert caught.value.message.startswith(f"{name} cannot be downloaded (Name or service")
    for some in words:
        assert some.format(root) in caught.value.message


def test_only_files_that_lack_are_asked_for(root: Path, load):
    mnist("MNIST")(root)
    (root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match=r"put 't10k-labels-idx1-ubyte.gz' into '.*/MNIST/raw'"):
        load(data="mnist")


def packed(root: Path, at: Path) -> Path:
    """CIFAR-10's archive, made from its folder, which is removed."""
    at.parent.mkdir(parents=True, exist_ok=True)
    cifar10(root)
    with tarfile.open(at, "w:gz") as tar:
        tar.add(root / "cifar-10-batches-py", "cifar-10-batches-py")
    shutil.rmtree(root / "cifar-10-batches-py")
    return at


def test_an_archive_that_somebody_put_there_is_unpacked_and_kept(root: Path, load, told):
    archive = packed(root, root / "cifar-10-python.tar.gz")
    assert sizes(load(data="cifar10")) == [180, 20, 40]
    assert archive.exists()
    [note] = told.notes
    assert "its MD5 differs" in note
    assert sorted(path.name for path in root.iterdir()) == [
        "cifar-10-batches-py",
        "cifar-10-python.tar.gz",
    ]


def published_at(monkeypatch, archive: Path, md5: str) -> None:
    file = PublishedFile(archive.as_uri(), md5, "", "cifar-10-batches-py")
    monkeypatch.setitem(FILES, "cifar10", (file,))


@pytest.mark.usefixtures("network")
def test_a_set_is_downloaded_once_and_checked(root: Path, load, told, tmp_path, monkeypatch):
    archive = packed(root, tmp_path / "site" / "cifar-10-python.tar.gz")
    published_at(monkeypatch, archive, hashlib.md5(archive.read_bytes()).hexdigest())
    assert sizes(load(data="cifar10")) == [180, 20, 40]
    assert {what for what, *_ in told.progress} == {
        "downloading cifar-10-python.tar.gz (MB)",
        "unpacking cifar-10-python.tar.gz (MB)",
    }
    assert [path.name for path in root.iterdir()] == ["cifar-10-batches-py"]
    archive.unlink()
    assert sizes(load(data="cifar10")) == [180, 20, 40]
    assert told.notes == []


@pytest.mark.usefixtures("network")
def test_a_download_that_is_damaged_leaves_nothing(root: Path, load, tmp_path, monkeypatch):
    archive = packed(root, tmp_path / "site" / "cifar-10-python.tar.gz")
    published_at(monkeypatch, archive, "0" * 32)
    with pytest.raises(UserError, match=r"the downloaded file is damaged"):
        load(data="cifar10")
    assert list(root.iterdir()) == []


@pytest.mark.usefixtures("network")
def test_stopping_while_unpacking_leaves_nothing_half_done(
    root: Path, load, told, tmp_path, monkeypatch
):
    archive = packed(root, tmp_path / "site" / "cifar-10-python.tar.gz")
    published_at(monkeypatch, archive, "")

    def stop(what: str, *_: int) -> None:
        if what.startswith("unpacking"):
            raise KeyboardInterrupt

    monkeypatch.setattr(told, "on_progress", stop)
    with pytest.raises(KeyboardInterrupt):
        load(data="cifar10")
    assert [path.name for path in root.iterdir()] == ["cifar-10-python.tar.gz"]


def test_an_archive_cut_short_is_named(root: Path, load):
    archive = packed(root, root / "cifar-10-python.tar.gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz' is damaged .*: remove it"):
        load(data="cifar10")
    assert [path.name for path in root.iterdir()] == ["cifar-10-python.tar.gz"]


def test_archives_within_an_archive_are_unpacked(root: Path, load):
    MADE["emnist"](root)
    raw = root / "EMNIST" / "raw"
    with zipfile.ZipFile(root / "EMNIST.zip", "w") as file:
        for path in raw.iterdir():
            file.writestr(f"gzip/{path.name}.gz", gzip.compress(path.read_bytes()))
    shutil.rmtree(raw)
    raw.mkdir()
    (root / "EMNIST.zip").rename(raw / "gzip.zip")
    assert sizes(load(data="emnist")) == [180, 20, 60]


def test_a_full_disk_is_one_sentence(root: Path, load, monkeypatch):
    packed(root, root / "cifar-10-python.tar.gz")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    with pytest.raises(UserError, match=r"No space left on device.*free some space.*CLR_TUI_DATA"):
        load(data="cifar10")


def test_only_what_a_killed_process_left_unfinished_goes(root: Path, load):
    packed(root, root / "cifar-10-python.tar.gz")
    for name in ("killed", "living"):
        (root / f".unfinished-{name}" / "content").mkdir(parents=True)
    descriptor = os.open(root / ".unfinished-living", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        load(data="cifar10")
    finally:
        os.close(descriptor)
    left = {path.name for path in root.iterdir() if path.name.startswith(".")}
    assert left == {".unfinished-living"}
