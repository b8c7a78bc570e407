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

from clr_tui.engine.tasks import decode as decode_module
from clr_tui.engine.tasks.decode import CHUNK, decode
from clr_tui.engine.tasks.decode_process import MODULE, DecodeProcess
from clr_tui.engine.tasks.pictures import read_pictures


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
