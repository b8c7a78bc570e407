"""A process of the pool: `python -m clr_tui.engine.comparing.trial_process --fd N`.

Imports torch and reads the data once, then runs the trials that the pool sends over the socket N.
It ends with the pool, however the pool ends.
"""

from __future__ import annotations

import sys

from clr_tui.engine.child import connect_to_parent
from clr_tui.engine.comparing.work_queue import WorkQueue
from clr_tui.engine.forks import own
from clr_tui.engine.malloc import keep_freed_memory
from clr_tui.engine.sudden_ends import say_exits, say_sudden_ends


def main() -> None:
    """Runs trials until the pool is gone."""
    own()
    say_sudden_ends(sys.stderr)
    say_exits(lambda text: print(text, file=sys.stderr, flush=True))
    connection = connect_to_parent()
    queue = WorkQueue(connection)  # before torch: from here on the process ends with the pool
    setup = queue.setup.get()
    if setup.device == "cpu":  # elsewhere steps take no memory of the machine
        keep_freed_memory()
    from clr_tui.engine.comparing.trial_runner import TrialRunner

    runner = TrialRunner(setup, queue, connection)
    while True:
        runner.do(queue.work.get())


if __name__ == "__main__":
    main()
