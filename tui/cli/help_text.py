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
    "range-test": """\
Sweep the learning rate upwards, step by step, and draw the loss against it: the chart
says between which bounds to train. The work is done by a process of its own, which
goes on when the terminal closes.""",
    "train": """\
Train with a learning rate that cycles between two bounds: those of a range test
(--from), or your own (--max-lr). The work is done by a process of its own, which goes
on when the terminal closes.""",
    "compare": """\
Train with several optimizers from the same seeds, and say what the seeds can and cannot
tell apart: curves with intervals, a table, a verdict. The work is done by processes of
its own, which go on when the terminal closes.""",
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
    "range-test": """\
clr-tui range-test                                  on the embedded digits
clr-tui range-test --data flowers --image-size 32   on images, one folder a class
clr-tui range-test --data flowers --model resnet34  transfer learning
clr-tui range-test --seeds 3 --accuracy             three sweeps, with accuracy
clr-tui range-test --headless --json > result.json  for a script""",
    "train": """\
clr-tui train --from range-test-flowers-1           its bounds, data and settings
clr-tui train --from range-test-flowers-1 --max-lr 5e-3 --epochs 24
clr-tui train --data flowers --max-lr 3.6e-3        base_lr is a sixth of it
clr-tui train --max-lr 0.01 --policy one-cycle --detach""",
    "compare": """\
clr-tui compare --optimizers adam,sgd+clr           on the embedded digits
clr-tui compare --study cnn --data flowers --epochs 16
clr-tui compare --study resnet34 --data flowers --target 90% --detach
clr-tui compare --optimizers "adamw(weight_decay=0.05)+one-cycle,adam(lr=3e-3)"
clr-tui compare --lr tuned --seeds 5 --jobs 2       a range test for each optimizer
clr-tui compare --from train-flowers-1              on its data, with its model""",
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
