"""The descriptions and examples that `clr-tui COMMAND --help` prints around the options."""

from __future__ import annotations

DESCRIPTION = """\
Find the bounds of the learning rate, train with cyclical learning rates, and
compare optimizers, all in the terminal. Without a command, the list of runs
opens."""

EXAMPLES = """\
clr-tui                                    open the list of runs
clr-tui range-test                         find bounds on the built-in digits
clr-tui range-test --data flowers          the same on a folder of images
clr-tui range-test --task mytask.py        the same on your own model and data
clr-tui train --from range-test-flowers-1  train between the bounds it found
clr-tui compare --data flowers --seeds 3   compare six optimizers
clr-tui attach                             return to the newest run
clr-tui watch                              show the logs in this folder
clr-tui range-test --help                  show the options of one command"""

EXIT_CODES = """\
exit codes: 0 success, 1 the run failed or was stopped, 2 usage error,
130 interrupted, 143 ended by SIGTERM"""

DESCRIPTIONS = {
    "attach": """\
Show a run, live if it is still running. Leaving the screen, or pressing
Ctrl-C, does not stop the run.""",
    "wait": """\
Wait for the end of a run and print how it ended; the exit code says whether it
is done (0), or failed, was stopped or was lost (1).""",
    "ls": "List the runs, newest first, each with its status and progress or result.",
    "stop": """\
Stop a run after its current step, and wait until it has ended. A training
saves a checkpoint first. All results so far are kept.""",
    "resume": """\
Continue a run whose process died or was killed, after a reboot, or after a
stop: from its newest checkpoint, as if nothing had happened. On the CPU the
result is the same, bit for bit. What has ended is kept: sweeps, trials.""",
    "rm": "Remove a run that has ended, with its log and checkpoints (asks first).",
    "watch": """\
Show the logs of other tools, live while they grow: CSV files, TensorBoard,
JSON lines, Hugging Face's Trainer, offline W&B and others. Several appear on
one set of charts. Nothing is written, and nothing of the training is touched.""",
    "replay": """\
Play back a run or a log from another program: play, pause, seek. Without a
terminal, print its result.""",
    "import": """\
Copy the logs of other tools, or runs from another machine, into the folder of
runs, so that they are listed, compared and replayed like any other. Prints the
id of each. The logs themselves stay as they are.""",
    "export": "Write a run's steps, epochs, curves, table, chart or result to files.",
    "report": """\
Write the result of a run as one page: what it says, charts, tables, settings,
seeds and versions. As Markdown its charts are text, which a pull request shows;
as HTML they are pictures, and the file needs no other.""",
    "new-task": """\
Write a task file to start from. It works as it is with range-test, train and
compare --task FILE.py; then replace its model and data with your own.""",
}

COMMAND_EXAMPLES = {
    "attach": """\
clr-tui attach                       the newest running run
clr-tui attach range-test-flowers-1
clr-tui attach --headless            print progress until the run ends""",
    "wait": """\
clr-tui wait train-flowers-1
clr-tui wait --notify desktop        a note on your screen at its end
clr-tui wait --notify 'notify-send "$CLR_TUI_MESSAGE"'""",
    "ls": """\
clr-tui ls
clr-tui ls --json""",
    "stop": "clr-tui stop train-flowers-1",
    "resume": """\
clr-tui resume train-flowers-1
clr-tui resume compare-flowers-1 --detach
clr-tui resume train-flowers-1 --epochs 32    train on, up to epoch 32""",
    "rm": """\
clr-tui rm train-flowers-1
clr-tui rm train-flowers-1 --yes     without confirmation""",
    "watch": """\
clr-tui watch                                what lies in this folder
clr-tui watch lightning_logs/version_3/metrics.csv
clr-tui watch runs/*                         several, on one set of charts
clr-tui watch log.csv --x iter --y loss      columns whose names say nothing
clr-tui watch log.csv --follow               without a screen, line by line""",
    "replay": """\
clr-tui replay range-test-flowers-1 --speed 10
clr-tui replay range-test-flowers-1 --headless --at 50%
clr-tui replay lr.csv --svg chart.svg    any CSV with lr and loss columns
clr-tui replay curves.csv --target 75%   the curves of a comparison""",
    "import": """\
clr-tui import lightning_logs/version_3
clr-tui import runs/* --json""",
    "export": """\
clr-tui export range-test-flowers-1 --csv steps.csv --svg chart.svg
clr-tui export train-flowers-1 --epochs-csv - | column -s, -t
clr-tui export compare-flowers-1 --curves-csv curves.csv --markdown table.md
clr-tui export train-flowers-1 --tensorboard logs/""",
    "report": """\
clr-tui report compare-flowers-1 | gh pr comment --body-file -
clr-tui report train-flowers-1 -o result.html
clr-tui report lightning_logs/version_3 -o result.md""",
    "new-task": """\
clr-tui new-task flowers.py                    an image classifier
clr-tui new-task prices.py --kind regression""",
}


def epilog(examples: str) -> str:
    """Put `examples`, indented, under their heading."""
    return "\n".join(["examples:", *(f"  {line}" for line in examples.splitlines())])
