"""The end of the terminal, or a signal: the process ends, and leaves the terminal as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
DEADLINE = 30.0


class Session:
    """The app on a pty, which is its controlling terminal where `own`."""

    def __init__(self, runs: Path, own: bool) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 240, 0, 0))

        def take_terminal() -> None:
            os.setsid()
            if own:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.output = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clr_tui.tui", "--runs-dir", str(runs)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            preexec_fn=take_terminal,
        )
        os.close(slave)

    def read_until(self, words: bytes) -> None:
        deadline = time.monotonic() + DEADLINE
        while words not in self.output:
            assert time.monotonic() < deadline, self.output[-2000:]
            self._read()

    def read_to_the_end(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while self._read() or self.process.poll() is None:
            assert time.monotonic() < deadline

    def _read(self) -> bytes:
        if not select.select([self.master], [], [], 0.2)[0]:
            return b""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # EIO: the other side is closed
            data = b""
        self.output += data
        return data

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def status(self) -> int:
        return self.process.wait(DEADLINE)


@pytest.fixture
def session(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Session]:
    session = Session(tmp_path / "runs", own=getattr(request, "param", True))
    session.read_until(b"No runs yet")
    yield session
    if session.process.poll() is None:
        session.process.kill()
        session.process.wait(DEADLINE)
    session.close()


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1],
)
def test_a_signal_restores_the_terminal(session: Session, number: int) -> None:
    before = len(session.output)
    session.process.send_signal(number)
    session.read_to_the_end()
    farewell = session.output[before:]
    for sequence in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
        assert sequence in farewell
    assert session.status() == 128 + number
    assert b"Traceback" not in farewell


@pytest.mark.parametrize("key", [b"q", None], ids=["q", "signal"])
def test_with_an_unreadable_folder_it_still_ends_in_order(tmp_path: Path, key) -> None:
    (tmp_path / "runs").touch()
    session = Session(tmp_path / "runs", own=True)
    try:
        session.read_until(b"cannot be read")
        if key is not None:
            os.write(session.master, key)
        else:
            session.process.send_signal(signal.SIGTERM)
        session.read_to_the_end()
        assert session.status() == (0 if key else 128 + signal.SIGTERM)
        assert b"Traceback" not in session.output
    finally:
        session.process.kill()
        session.close()


@pytest.mark.parametrize("session", [True, False], indirect=True, ids=["sighup", "no-signal"])
def test_a_vanished_terminal_ends_the_process(session: Session) -> None:
    session.close()
    assert session.status() == 128 + signal.SIGHUP


def test_a_stalled_terminal_does_not_hold_the_process(session: Session) -> None:
    """Nobody reads: output fills the pty, and an ordered end would wait for ever."""
    for _ in range(60):
        os.write(session.master, b"?")  # opens the help, closes it: each time a whole screen
    session.process.send_signal(signal.SIGTERM)
    assert session.status() == 128 + signal.SIGTERM
