"""What a user's code does to the process that runs it: its ends, its forks, its output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Event

import pytest

from clr_tui.engine import child
from clr_tui.engine.log import bounded_output, last_words
from clr_tui.engine.log.bounded_output import bound_output, cut_output
from clr_tui.engine.log.events import Progress, RunStarted
from clr_tui.engine.log.last_words import end_in, end_in_output, how_it_ended
from clr_tui.engine.log.lasting_log import LastingLog
from clr_tui.engine.log.lock import acquire, hold_again, is_held
from clr_tui.engine.log.lock_holders import lock_holders
from clr_tui.engine.log.tail import read_events

CONTAINED = """
import ctypes, os, signal, subprocess, sys, threading, time
from clr_tui.engine import forks
from clr_tui.engine.sudden_ends import say_exits, say_sudden_ends

say_sudden_ends(sys.stderr)
say_exits(lambda text: print(text, file=sys.stderr, flush=True))
"""


def contained(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs a file in a process that is prepared like a worker's; in a session of its own."""
    file = folder / "model.py"
    file.write_text(CONTAINED + textwrap.dedent(code))
    return subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("ctypes.string_at(0)", signal.SIGSEGV),
        ("os.abort()", signal.SIGABRT),
        ("os.kill(os.getpid(), signal.SIGFPE)", signal.SIGFPE),
        ("os.kill(os.getpid(), signal.SIGBUS)", signal.SIGBUS),
    ],
)
def test_a_signal_is_named_with_the_users_line(
    tmp_path: Path, call: str, number: signal.Signals
) -> None:
    ended = contained(tmp_path, f"def forward():\n    {call}\n\nforward()\n")
    assert ended.returncode == -number
    (tmp_path / "worker.log").write_text(f"epoch 1\n{ended.stderr}")
    said = end_in_output(tmp_path / "worker.log")
    assert said.startswith(f"ended by {number.name} (")
    assert said.endswith("model.py:9, in forward)")


def test_os_exit_is_an_error_in_the_main_thread_and_a_line_from_others(tmp_path: Path) -> None:
    code = """
    from clr_tui.engine.errors import describe_error
    if os.fork() == 0:
        os._exit(5)  # as in any fork
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
    try:
        os._exit(3)
    except SystemExit as error:
        print(describe_error(error)[0], flush=True)
    thread = threading.Thread(target=os._exit, args=(4,))
    thread.start()
    thread.join()
    """
    ended = contained(tmp_path, code)
    first, second = ended.stdout.splitlines()
    assert first == "5"
    assert second.startswith("the code that was run called os._exit(3) (")
    assert ended.returncode == 4
    assert end_in(ended.stderr) == "ended by os._exit(4)"


def test_a_crash_that_the_worker_outlived_is_not_its_end() -> None:
    crash = "50%|####   |Fatal Python error: Segmentation fault\n\nCurrent thread 0x0:\n"
    assert end_in(crash) == "ended by SIGSEGV"
    assert end_in(f"{crash}trial 3: {last_words.OF_A_TRIAL} SIGSEGV: ...\n") == ""


@pytest.mark.parametrize("output", ["", "Fatal Python error", "fine\nthe end\n", "\0\x1b[2J"])
def test_output_that_says_nothing_about_the_end(tmp_path: Path, output: str) -> None:
    assert end_in(output) == ""
    assert end_in_output(tmp_path / "none") == ""


def test_forks_keep_neither_the_lock_nor_the_training(tmp_path: Path) -> None:
    code = """
    lock = os.open(__file__, os.O_RDONLY)
    forks.own(lock)
    signal.signal(signal.SIGTERM, lambda *_: None)
    if os.fork() == 0:
        try:
            os.fstat(lock)
        except OSError:
            print("closed", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
        forks.end_if_forked()
        print("went on", flush=True)
        os._exit(1)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
    os.fstat(lock)
    forks.end_if_forked()
    """
    ended = contained(tmp_path, code)
    assert (ended.stdout, ended.returncode) == ("closed True\n0\n", 0)
    assert "the training goes on" in ended.stderr


def test_forks_end_with_the_process_however_it_ends(tmp_path: Path) -> None:
    code = """
    forks.own()
    pids = []
    for stubborn in (False, True):
        pid = os.fork()
        if pid == 0:
            if stubborn:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(flush=True)
            while True:
                time.sleep(1)
        pids.append(pid)
    while os.stat(1).st_size < 2:
        time.sleep(0.01)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    other = subprocess.Popen(sleep)  # a program that may be meant to stay
    trial = subprocess.Popen([*sleep, "clr_tui.engine.comparing.trial_process"])
    assert sorted(forks.end_forks(0.2)) == sorted([*pids, trial.pid])
    assert other.poll() is None
    other.kill()
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(1)
    sys.stderr.write(str(pid))
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "model.py").write_text(CONTAINED + textwrap.dedent(code))
    with (tmp_path / "out").open("wb") as out:  # a pipe would stay open for as long as a fork lives
        ended = subprocess.Popen(
            [sys.executable, str(tmp_path / "model.py")],
            stdout=out,
            stderr=(tmp_path / "err").open("wb"),
            start_new_session=True,
        )
        assert ended.wait(60) == -signal.SIGKILL
    orphan, pause = int((tmp_path / "err").read_text()), Event()
    for _ in range(1000):
        try:
            if Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        pause.wait(0.02)
    os.kill(orphan, signal.SIGKILL)
    pytest.fail("the fork outlived its parent")


def numbered(lines: int) -> bytes:
    return b"".join(b"line %06d\n" % number for number in range(lines))


def test_a_flood_of_output_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_bytes(numbered(10_000))
    writer = os.open(path, os.O_WRONLY | os.O_APPEND)  # as the code that prints has it open
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    cut_output(fd, head=100, tail=1000)
    os.write(writer, b"and on\n")
    lines = path.read_bytes().split(b"\n")
    assert lines[:8] == numbered(8).split(b"\n")[:8]
    assert lines[8:12] == [b"", b"... 0.1 MiB of output were dropped here ...", b"", b"line 009917"]
    assert lines[-3:] == [b"line 009999", b"and on", b""]
    before = path.read_bytes()
    cut_output(fd, head=1000, tail=1000)
    assert path.read_bytes() == before  # there is nothing between
    os.close(fd)
    os.close(writer)


def test_only_an_output_that_is_too_large_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_output, "LOOK_SECONDS", 0)
    path, looks = tmp_path / "worker.log", [False, False, True]

    class Over(Event):
        def wait(self, timeout: float | None = None) -> bool:
            return looks.pop(0)

    path.write_bytes(numbered(100))
    bound_output(path, Over(), most=2000)
    assert path.read_bytes() == numbered(100)
    looks[:] = [False, True]
    bound_output(path, Over(), most=1000)
    assert path.stat().st_size < 600
    looks[:] = [False, True]
    path.unlink()
    bound_output(path, Over(), most=1000)


def test_memory_is_named_only_if_the_system_says_that_it_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, here = tmp_path / "worker.log", os.uname().nodename
    log.write_text("epoch 1\n")
    monkeypatch.setattr(last_words, "oom_kills", lambda: 5)

    def ended(host: str, before: int | None) -> str:
        started = RunStarted(run="r", kind="train", host=host, oom_kills=before)
        return how_it_ended(log, started)

    assert ended(here, 4) == (
        "killed, most likely as memory ran out"
        " (the system has killed a process for that since it started)"
    )
    assert "3 processes" in ended(here, 2)
    for host, before in ((here, 5), (here, 9), (here, None), ("elsewhere", 0)):
        assert ended(host, before) == ""
    assert how_it_ended(log, None) == ""
    log.write_text("Fatal Python error: Segmentation fault\n\nCurrent thread\n")
    assert ended(here, 0) == "ended by SIGSEGV"


@pytest.mark.parametrize("has_safe_path", [True, False])
def test_a_worker_imports_nothing_from_the_folder_that_it_starts_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_safe_path: bool
) -> None:
    """Older Pythons have no option for it."""
    monkeypatch.setattr(child, "_HAS_SAFE_PATH", has_safe_path)
    for name in ("json", "msgspec", "argparse", "runpy", "clr_tui"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from here')\n")
    command = child.module_command("clr_tui.engine.worker", str(tmp_path / "none"))
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "imported from here" not in ended.stderr
    assert str(tmp_path / "none") in ended.stderr
    assert ended.returncode == 1


def test_the_holder_of_a_lock_is_found(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    assert lock_holders(path) == []
    fd = acquire(path)
    assert lock_holders(path) == [os.getpid()]
    os.close(fd)
    assert lock_holders(path) == []


def test_descriptors_that_the_code_has_closed_are_opened_again(tmp_path: Path) -> None:
    path, lock_path, others = (tmp_path / name for name in ("events.jsonl", "worker.lock", "mine"))
    log = LastingLog(path, pytest.fail, drops=False)
    lock = acquire(lock_path)
    log.write(Progress(what="decoding images", done=1, total=2))
    os.close(log.fileno())
    os.close(lock)
    mine = os.open(others, os.O_RDWR | os.O_CREAT)  # has the number of the log by now
    log.write(Progress(what="decoding images", done=2, total=2))
    assert [event.done for event in read_events(path).events] == [1, 2]
    assert others.read_bytes() == b""
    assert not is_held(lock_path)
    assert hold_again(lock_path, lock)
    assert is_held(lock_path)
    log.write(Progress(what="starting processes", done=3, total=3))  # whatever number it had
    assert [event.seq for event in read_events(path).events] == [0, 1, 2]
    log.close()
    for fd in (mine, lock):
        os.close(fd)


def test_threads_that_never_end_do_not_keep_the_process(tmp_path: Path) -> None:
    code = """
    from clr_tui.engine.sudden_ends import leave_within
    threading.Thread(target=threading.Event().wait).start()
    leave_within(0.1, 7)
    """
    assert contained(tmp_path, code).returncode == 7
