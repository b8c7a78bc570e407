"""A program on a real pseudo-terminal: its output and its cost."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT = 160, 44
QUIET = 0.6
"""Seconds without a byte after which an update is complete: more than two screen polls."""
DEADLINE = 60.0
CLR_TUI = (sys.executable, "-m", "clr_tui.tui")


class Screen:
    """A program on its own terminal, killed at the end of the block."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._over = threading.Event()
        self._reader: threading.Thread | None = None
        self.master, slave = os.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        given = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for name in ("NO_COLOR", "TEXTUAL_COLOR_SYSTEM"):
            given.pop(name, None)
        self.begin = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**given, **(environment or {})},
            pass_fds=pass_fds,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def read(self, seconds: float) -> bytes:
        """Reads the first bytes within a timeout; empty if there are none."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.master, 1 << 16)
        except OSError:  # the program closed its side
            return b""

    def seconds_until(self, text: bytes) -> float:
        """Returns the seconds from the program's start until `text` arrives."""
        seen = bytearray()
        while time.perf_counter() - self.begin < DEADLINE:
            seen += self.read(1.0)
            if text in seen:
                return time.perf_counter() - self.begin
        raise TimeoutError(f"{text!r} never came; the last of what did: {bytes(seen[-400:])!r}")

    def seconds_until_still(self, quiet: float = 1.5) -> float:
        """Returns the seconds from the start to the last byte before a pause of `quiet` seconds."""
        last = time.perf_counter()
        while time.perf_counter() - self.begin < DEADLINE:
            if self.read(quiet):
                last = time.perf_counter()
            elif time.perf_counter() - last >= quiet:
                return last - self.begin
        raise TimeoutError("the screen never stands still")

    def bytes_until_quiet(self, quiet: float = QUIET) -> int:
        """Counts the bytes up to a pause."""
        count, end = 0, time.perf_counter() + DEADLINE
        while some := self.read(quiet):
            count += len(some)
            if time.perf_counter() > end:
                raise TimeoutError("the screen never stands still")
        return count

    def drain(self) -> None:
        """Keeps reading in a thread, as a terminal does, until the end of the block."""

        def read_on() -> None:
            while not self._over.is_set():
                self.read(0.1)

        self._reader = threading.Thread(target=read_on)
        self._reader.start()

    def cpu_seconds(self) -> float:
        """Returns the program's CPU time so far."""
        return cpu_seconds(self.process.pid)

    def memory(self) -> float:
        """Returns the program's peak memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(
            int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM")
        )

    def end(self) -> None:
        """Ends the program and closes the terminal."""
        self._over.set()
        if self._reader is not None:
            self._reader.join()
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def cpu_seconds(pid: int) -> float:
    """Returns the CPU time of a process so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
