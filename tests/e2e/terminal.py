"""A real pseudo-terminal with a program in it, and an emulator (pyte) that reads its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

KEYS = {
    "left": "\x1b[D",
    "right": "\x1b[C",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "tab": "\t",
    "enter": "\r",
    "escape": "\x1b",
    "space": " ",
}


class Terminal:
    """A program on a pty of its own session.

    Closing the master (`hang_up`) is what the death of a terminal emulator, of tmux's server or
    of sshd does to the programs in it: they get SIGHUP, and their terminal is gone.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            preexec_fn=_own_terminal,
        )
        os.close(slave)

    def press(self, *keys: str) -> None:
        """Type keys, by name or as they are."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def read(self, timeout: float) -> bytes:
        """Whatever arrives within `timeout` seconds, fed to the emulator; b"" where nothing did."""
        if not select.select([self.master], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the program closed its side
            return b""
        self.output += data
        self._stream.feed(data)
        return data

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.screen.display)

    def wait_for(self, condition: str | Callable[[str], bool], seconds: float = 60.0) -> str:
        """The screen's text as soon as it holds `condition`; fails with the screen otherwise."""
        holds = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.1)
            if holds(self.text):
                return self.text
            if self.process.poll() is not None and not self.read(0.2):
                break
        raise AssertionError(
            f"never saw {condition!r} (exit code {self.process.poll()}); the screen:\n{self.text}"
        )

    def wait_for_exit(self, seconds: float = 20.0) -> int:
        """The exit code, while reading what the program still has to say."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.05)
            if (code := self.process.poll()) is not None:
                while self.read(0.1):
                    pass
                return code
        raise AssertionError(f"still running after {seconds} s; the screen:\n{self.text}")

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size; what it showed is cut off or left as it is."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def scribble(self, text: str) -> None:
        """Another program writes over the first row."""
        self._stream.feed(b"\x1b[1;1H" + text.encode())

    def hang_up(self) -> None:
        """The terminal vanishes."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        """End the program, if it still runs, and the terminal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        self.hang_up()


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
