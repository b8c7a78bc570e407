"""Decoding in several processes: the same pictures, and no worse where a process is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_images import save_image
from PIL import Image

from clr_tui.engine.tasks import decode as decode_module
from clr_tui.engine.tasks.decode import CHUNK, decode
from clr_tui.engine.tasks.decode_process import MODULE, DecodeProcess
from clr_tui.engine.tasks.pictures import Large, read_pictures


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Of every kind: colour, grey, damaged, of a name that is not UTF-8, missing."""
    for number in range(3 * CHUNK):
        mode = "L" if number % 3 else "RGB"
        save_image(tmp_path / f"{number}.png", seed=number, size=(20, 14), mode=mode)
    (tmp_path / "5.png").write_text("this is no image")
    (tmp_path / "70.png").unlink()
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    (tmp_path / "6.png").rename(odd)
    return [*(tmp_path / f"{number}.png" for number in range(3 * CHUNK) if number != 6), odd]


def decoded_with(processes: int, files: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decode_module, "usable_cores", lambda: processes)
    return decode(files, 8, lambda done: None)


def children() -> list[int]:
    """Processes of ours that decode."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if MODULE in line]


def test_several_processes_find_what_one_finds(files, monkeypatch):
    alone = decoded_with(1, files, monkeypatch)
    assert alone.readable.sum() == len(files) - 2
    together = decoded_with(3, files, monkeypatch)
    np.testing.assert_array_equal(together.images, alone.images)
    np.testing.assert_array_equal(together.readable, alone.readable)
    assert together.reasons == alone.reasons
    assert children() == []


def test_decode_processes_share_the_work(files, monkeypatch):
    asked: list[int] = []

    class Counting(DecodeProcess):
        def read_pictures(self, files, size):
            asked.append(len(files))
            return super().read_pictures(files, size)

    monkeypatch.setattr(decode_module, "DecodeProcess", Counting)
    decoded_with(2, files * 20, monkeypatch)
    assert sum(asked) > 0


def test_no_more_processes_than_parts_of_work(files, monkeypatch):
    started: list[DecodeProcess] = []

    class Noted(DecodeProcess):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(decode_module, "DecodeProcess", Noted)
    decoded_with(64, files[:CHUNK], monkeypatch)
    assert started == []
    decoded_with(64, files[: CHUNK + 1], monkeypatch)
    assert len(started) == 1


def test_where_no_process_can_be_started_this_one_does_all(files, monkeypatch):
    def refused() -> DecodeProcess:
        raise OSError("Resource temporarily unavailable")

    alone = decoded_with(1, files, monkeypatch)
    monkeypatch.setattr(decode_module, "DecodeProcess", refused)
    np.testing.assert_array_equal(decoded_with(3, files, monkeypatch).images, alone.images)


def test_a_process_that_is_killed_loses_nothing(files):
    process = DecodeProcess()
    names = [os.fspath(file) for file in files]
    try:
        assert process.read_pictures(names, 8) == read_pictures(names, 8)
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        assert process.read_pictures(names, 8) == read_pictures(names, 8)
    finally:
        process.close()
    assert children() == []


def test_it_ends_with_whoever_started_it():
    """However that ends: nobody is left to tell it."""
    script = (
        "import os\n"
        "from clr_tui.engine.tasks.decode_process import DecodeProcess\n"
        "process = DecodeProcess()\n"
        "process.read_pictures([], 8)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    # It has inherited stdout, which is at its end when both are gone.
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL


def test_it_loads_neither_numpy_nor_torch():
    script = f"import sys, {MODULE}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert {"numpy", "torch"}.isdisjoint(loaded.stdout.split())
    assert "PIL.Image" in loaded.stdout.split()


@pytest.fixture
def a_large_one(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of the files, all black, which takes more than 256 MiB to decode."""
    Image.new("RGB", (5800, 5800)).save(files[10])
    return files[10]


def test_large_images_are_decoded_one_at_a_time_in_a_process_of_their_own(
    files, a_large_one, monkeypatch
):
    started: list[int] = []

    class Noted(DecodeProcess):
        def read_large(self, file, size):
            started.append(self._child.process.pid)
            assert file == os.fspath(a_large_one)
            return super().read_large(file, size)

    monkeypatch.setattr(decode_module, "DecodeProcess", Noted)
    decoded = decoded_with(2, files, monkeypatch)
    assert len(started) == 1
    assert children() == []
    assert decoded.readable[10]
    assert not decoded.images[decoded.readable[:10].sum()].any()
    large = read_pictures([os.fspath(a_large_one)], 8)
    assert large == [Large(5800, 5800, 8 * 5800**2)]


@pytest.mark.parametrize("end", ["too little memory", "killed"])
def test_a_large_image_that_memory_does_not_hold_is_skipped(files, a_large_one, monkeypatch, end):
    if end == "killed":

        class Killed(DecodeProcess):
            def read_large(self, file, size):
                self._child.process.kill()
                return super().read_large(file, size)

        monkeypatch.setattr(decode_module, "DecodeProcess", Killed)
        words = "memory may be too small"
    else:
        monkeypatch.setattr(decode_module, "available_memory", lambda: 500_000_000)
        words = "5800x5800 pixels would take about 0.3 GB of memory to decode, but 0.5 GB are free"
    decoded = decoded_with(1, files, monkeypatch)
    assert not decoded.readable[10]
    assert sum(words in reason for reason in decoded.reasons) == 1
    assert decoded.readable.sum() == len(files) - 3


def test_a_file_that_is_too_long_is_not_even_opened(tmp_path, monkeypatch):
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate((1 << 28) + 1)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
    assert read_pictures([os.fspath(path)], 8) == [Large(0, 0, 4 * ((1 << 28) + 1))]
