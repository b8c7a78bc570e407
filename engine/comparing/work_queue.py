"""Receives the pool's messages in a thread of a trial process. Imports no torch."""

from __future__ import annotations

import queue
import threading
from collections import deque
from multiprocessing.connection import Connection

from clr_tui.engine.comparing.executor import TrialWork
from clr_tui.engine.comparing.protocol import Setup, TrialOrder, decode_message
from clr_tui.engine.log.commands import Command
from clr_tui.engine.sudden_ends import exit_now

POOL_GONE_EXIT_CODE = 3


class WorkQueue:
    """Reads the connection in a thread, so that checking between steps costs almost nothing.

    When the stream ends, because the pool was closed or its process died, this process exits at
    once, even in the middle of a step: nobody would receive its events.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.setup: queue.SimpleQueue[Setup] = queue.SimpleQueue()
        """Gets the pool's first message."""
        self.work: queue.SimpleQueue[TrialWork] = queue.SimpleQueue()
        self._orders: deque[TrialOrder] = deque()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()

    def orders(self, trial: int) -> list[Command]:
        """Commands to this trial since the last call; drops those to earlier trials."""
        orders_found: list[Command] = []
        while self._orders:
            ordered = self._orders.popleft()
            if ordered.trial == trial:
                orders_found.append(ordered.order)
        return orders_found

    def _listen(self) -> None:
        try:
            while True:
                message = decode_message(self._connection.recv_bytes())
                if isinstance(message, TrialOrder):
                    self._orders.append(message)
                elif isinstance(message, TrialWork):
                    self.work.put(message)
                else:
                    self.setup.put(message)
        except (EOFError, OSError):
            pass  # the pool is gone
        finally:
            exit_now(POOL_GONE_EXIT_CODE)
