"""The writer: whole lines, counted, whatever happens to the disk."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Note, Paused, RunStarted, Steps
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.writer import EventWriter


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_lines_are_json_with_seq_and_time(log: Path) -> None:
    times = iter([10.0, 11.5])
    writer = EventWriter(log, clock=lambda: next(times))
    writer.write(RunStarted(run="r-1", kind="train", host="h", pid=4))
    told = writer.write(Steps(trial=0, step=[0], lr=[0.1], loss=[None]))
    writer.close()
    first, second = (json.loads(line) for line in log.read_text().splitlines())
    assert (first["type"], first["seq"], first["time"]) == ("run-started", 0, 10.0)
    assert first["schema"] == 2
    assert second["type"] == "steps"
    assert (second["seq"], second["loss"]) == (1, [None])
    assert (told.seq, told.time) == (1, 11.5)


def test_a_loss_that_is_not_finite_is_null(log: Path) -> None:
    writer = EventWriter(log)
    writer.write(Steps(trial=0, step=[0, 1], lr=[0.1, 0.1], loss=[math.nan, math.inf]))
    writer.close()
    (event,) = read_events(log).events
    assert isinstance(event, Steps)
    assert event.loss == [None, None]


def test_what_no_reader_could_read_is_not_written(log: Path) -> None:
    writer = EventWriter(log)
    with pytest.raises(msgspec.ValidationError):
        writer.write(Steps(trial=0, step=[0], lr=[math.nan], loss=[1.0]))
    assert log.read_bytes() == b""
    assert writer.write(Paused()).seq == 0
    writer.close()


def test_a_name_that_is_not_utf8_is_written_all_the_same(log: Path) -> None:
    writer = EventWriter(log)
    writer.write(Note(level="warning", text="no image: " + os.fsdecode(b"caf\xe9.png")))
    writer.close()
    (event,) = read_events(log).events
    assert isinstance(event, Note)
    assert event.text == "no image: caf?.png"


def test_seq_counts_on_after_lines_that_cannot_be_read(log: Path) -> None:
    writer = EventWriter(log)
    for _ in range(3):
        writer.write(Paused())
    writer.close()
    with open(log, "ab") as file:
        file.write(b"\xff garbage\n" + b"x" * 200_000 + b"\n")
    writer = EventWriter(log)
    assert writer.write(Paused()).seq == 3
    writer.close()


def test_threads_write_whole_lines_in_the_order_of_seq(log: Path) -> None:
    writer = EventWriter(log)

    def work() -> None:
        for _ in range(200):
            writer.write(Steps(trial=0, step=[1] * 50, lr=[0.1] * 50, loss=[1.0] * 50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    batch = read_events(log)
    assert [event.seq for event in batch.events] == list(range(800))
    assert batch.corrupt == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_a_sentence(log: Path) -> None:
    writer = EventWriter(log)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, writer._fd)
    os.close(full)
    with pytest.raises(UserError, match=r"the disk of '.*events\.jsonl' is full") as caught:
        writer.write(Paused())
    assert caught.value.field == "runs_dir"
    writer.close()


_FILL = """
import resource, signal, sys
from pathlib import Path
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Note
from clr_tui.engine.log.writer import EventWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = EventWriter(Path(sys.argv[1]))
writer.write(Note(level="info", text="fits"))
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
try:
    writer.write(Note(level="info", text="x" * 1000))
except UserError as error:
    print(error.message)
print(writer.write(Note(level="info", text="fits too")).seq)
"""


def test_a_line_that_fits_in_part_leaves_nothing_behind(log: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(log)], capture_output=True, text=True, check=True
    )
    assert "cannot be written" in done.stdout
    batch = read_events(log)
    assert [event.text for event in batch.events if isinstance(event, Note)] == ["fits", "fits too"]
    assert [event.seq for event in batch.events] == [0, 1]
    assert log.read_bytes().endswith(b"\n")


def test_a_log_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        EventWriter(tmp_path / "absent" / "events.jsonl")
