"""A process of the pool: `python -m clr_tui.engine.comparing.trial_process --fd N`.

Imports torch and reads the data once, then runs the trials that the pool sends over the socket N.
It ends with the pool, however the pool ends.
"""

from __future__ import annotations

from clr_tui.engine.child import connect_to_parent
from clr_tui.engine.comparing.work_queue import WorkQueue
from clr_tui.engine.malloc import keep_freed_memory


def main() -> None:
    """Runs trials until the pool is gone."""
    keep_freed_memory()
    connection = connect_to_parent()
    queue = WorkQueue(connection)  # before torch: from here on the process ends with the pool
    setup = queue.setup.get()
    from clr_tui.engine.comparing.trial_runner import TrialRunner

    runner = TrialRunner(setup, queue, connection)
    while True:
        runner.do(queue.work.get())


if __name__ == "__main__":
    main()
