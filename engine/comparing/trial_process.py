"""A process of the pool: `python -m clr_tui.engine.comparing.trial_process --fd N`.

Imports torch once and reads the data once, then does trial after trial, as the pool tells it over
the socket N. It ends with the pool, however that ends. SIGINT and SIGHUP are the worker's affair.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection

from clr_tui.engine.comparing.work_queue import Inbox
from clr_tui.engine.malloc import keep_freed_memory


def main(argv: Sequence[str] | None = None) -> None:
    """Does trials until the pool is gone, or one of them could not be done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fd", type=int, required=True, help="the socket to the pool")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    keep_freed_memory()
    connection = Connection(arguments.fd)
    inbox = Inbox(connection)  # before torch: from here on it ends with the pool
    setup = inbox.setup()
    from clr_tui.engine.comparing.trial_runner import TrialRunner

    runner = TrialRunner(setup, inbox, connection)
    while True:
        runner.do(inbox.work())


if __name__ == "__main__":
    main()
