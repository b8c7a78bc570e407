"""A process that decodes images: `python -m clr_tui.engine.tasks.decode_process --fd N`.

Much of what Pillow does to a small image holds Python's lock, so that threads hardly share the
work. The process takes files over the socket N, part by part, until that is closed.
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection

from clr_tui.engine.tasks.pictures import read_pictures

MODULE = "clr_tui.engine.tasks.decode_process"


class DecodeProcess:
    """Our end of such a process, which `close` ends.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", MODULE, "--fd", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
            self._connection = Connection(ours.detach())

    def read_pictures(self, files: Sequence[str], size: int) -> list[bytes | str]:
        """As the function of that name, which steps in where the process is lost."""
        try:
            self._connection.send((files, size))
            found: list[bytes | str] = self._connection.recv()
        except (EOFError, OSError):
            return read_pictures(files, size)
        return found

    def close(self) -> None:
        """Ends it, whatever it is doing: it keeps nothing."""
        self._connection.close()
        self._popen.kill()
        self._popen.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Decodes what comes until nobody is there any more."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fd", type=int, required=True, help="the socket to whoever asks")
    arguments = parser.parse_args(argv)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    connection = Connection(arguments.fd)
    while True:
        try:
            connection.send(read_pictures(*connection.recv()))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
