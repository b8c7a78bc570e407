"""Child processes that run one of our modules and talk to their parent over a socket."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection

_HAS_SAFE_PATH = sys.version_info >= (3, 11)
_RUN_MODULE = (
    "import sys; del sys.path[0]; import runpy; "
    "runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)
"""What `python -P -m` does, for a Python that has no -P."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command `python -m module`, without imports from the working directory.

    That may be a folder into which others can write, and a file `torch.py` there would be run.
    """
    if _HAS_SAFE_PATH:
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", _RUN_MODULE.format(module=module), *arguments]


class Child:
    """A process that runs `module`, which must call `connect_to_parent`.

    The process inherits only its end of the socket, so it keeps neither a run's lock nor the
    sockets of its siblings open.

    Args:
        module: full module name.
        env: environment variables to add to those of this process.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, module: str, env: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.process = subprocess.Popen(
                module_command(module, "--fd", str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **(env or {})},
            )
            self.connection = Connection(ours.detach())


def connect_to_parent() -> Connection:
    """Connects a child to its parent. Only the parent handles SIGINT and SIGHUP."""
    parser = argparse.ArgumentParser(description="A child process of clr-tui.")
    parser.add_argument("--fd", type=int, required=True, help="the socket to the parent")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Connection(parser.parse_args().fd)
