"""What `clr-tui COMMAND --help` says above and below the options: the purpose, and examples."""

from __future__ import annotations

DESCRIPTION = """\
Find the learning rate, set its bounds, train with cyclical learning rates,
compare optimizers, and watch it in the terminal. Without a command: the runs."""

EXAMPLES = """\
clr-tui                                       the runs, live, in the terminal
clr-tui range-test                            sweep the learning rate on the embedded digits
clr-tui range-test --data flowers --seeds 3   ... on a folder of images, one folder a class
clr-tui train --from range-test-flowers-1     train with cyclical rates at its bounds
clr-tui compare --data flowers --seeds 3      six optimizers against one another
clr-tui attach                                come back to the newest run
clr-tui range-test --help                     everything about one command"""

EXIT_CODES = "exit codes: 0 done, 1 the run failed, 2 wrong usage, 130 interrupted"

DESCRIPTIONS = {
    "attach": """\
Show a run that goes on, live, or one that has ended. Leaving it, or Ctrl-C, does not
stop the run.""",
    "ls": "List the runs, the newest first: how each stands, or what came out.",
    "stop": """\
Stop a run in order, and wait until it has stopped. A training saves a checkpoint first.
Every step so far is kept.""",
    "rm": "Remove a run that has ended, with its log and checkpoints. Asks first.",
    "replay": """\
Show a run, or a log from elsewhere, as it went: play, pause, seek. Without a terminal
its result is printed.""",
    "export": "Write a run's steps, epochs, curves, table, chart or result to files.",
}

COMMAND_EXAMPLES = {
    "attach": """\
clr-tui attach                       the newest run that goes on
clr-tui attach range-test-flowers-1
clr-tui attach --headless            progress as lines, until it ends""",
    "ls": """\
clr-tui ls
clr-tui ls --json""",
    "stop": "clr-tui stop train-flowers-1",
    "rm": """\
clr-tui rm train-flowers-1
clr-tui rm train-flowers-1 --yes     without being asked""",
    "replay": """\
clr-tui replay range-test-flowers-1 --speed 10
clr-tui replay range-test-flowers-1 --headless --at 50%
clr-tui replay lr.csv --svg chart.svg     any CSV with step, lr and loss
clr-tui replay curves.csv --target 75%    a comparison's curves""",
    "export": """\
clr-tui export range-test-flowers-1 --csv steps.csv --svg chart.svg
clr-tui export train-flowers-1 --epochs-csv - | column -s, -t
clr-tui export compare-flowers-1 --curves-csv curves.csv --markdown table.md""",
}


def epilog(examples: str) -> str:
    """The examples, indented under their heading."""
    return "\n".join(["examples:", *(f"  {line}" for line in examples.splitlines())])
