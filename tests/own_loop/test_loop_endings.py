"""However a program with a run ends, its log says so, or shows that nobody could."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from loops import Program, column, ending, events, wait_until

from clr_tui.engine.log.events import Logged
from clr_tui.engine.log.rundir import list_runs
from clr_tui.engine.log.summary import summarise

START = """
import os, sys, time
import clr_tui
run = clr_tui.start("a")
run.log(loss=0.5)
"""


def kill(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_an_exception_fails_the_run_at_the_users_line(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        START
        + """
def step(batch):
    raise ValueError("bad shape")

step(None)
""",
    )
    done = program.run()
    assert done.returncode == 1
    end = ending(program.only_run)
    assert (end.outcome, end.headline) == ("failed", "loss 0.5, step 0")
    assert end.message == "ValueError: bad shape (train.py:8, in step)"
    assert end.traceback[-2:] == ['    raise ValueError("bad shape")', "ValueError: bad shape"]
    assert column(program.only_run, "loss") == [(0, 0.5)]
    assert "ValueError: bad shape" in done.stderr  # as without a run


@pytest.mark.parametrize(
    ("last_line", "outcome", "message"),
    [
        ("", "done", "the program ended without run.finish()"),
        ("run.finish()", "done", ""),
        ("run.finish('as planned')", "done", "as planned"),
        ("raise KeyboardInterrupt", "stopped", "interrupted by Ctrl-C"),
        ("sys.exit()", "done", "the program ended without run.finish()"),
        ("with run: sys.exit()", "done", "the program called sys.exit()"),
        ("with run: sys.exit(3)", "failed", "the program called sys.exit(3) (train.py:6)"),
        ("with run: 1 / 0", "failed", "ZeroDivisionError: division by zero (train.py:6)"),
        ("with run: raise KeyboardInterrupt", "stopped", "interrupted by Ctrl-C"),
        ("with run: pass", "done", ""),
    ],
)
def test_each_way_to_end(tmp_path: Path, last_line: str, outcome: str, message: str) -> None:
    program = Program(tmp_path, START + last_line + "\n")
    program.run()
    end = ending(program.only_run)
    assert (end.outcome, end.message) == (outcome, message)
    assert not program.only_run.alive


def test_the_error_behind_an_exit_is_named(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        START
        + """
with run:
    try:
        1 / 0
    except ZeroDivisionError as error:
        sys.exit(f"training failed: {error}")
""",
    )
    program.run()
    assert ending(program.only_run).message == "ZeroDivisionError: division by zero (train.py:9)"


def test_a_killed_program_is_lost_with_all_but_its_last_half_second(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        START
        + """
for i in range(1, 10**9):
    run.log(loss=float(i), at=time.monotonic())
    if i % 100 == 0:
        print(i, time.monotonic(), flush=True)
        time.sleep(0.001)
""",
    )
    process = program.start()
    assert process.stdout is not None
    seen: list[tuple[int, float]] = []
    while len(seen) < 2 or seen[-1][1] - seen[0][1] < 1.0:
        number, at = process.stdout.readline().split()
        seen.append((int(number), float(at)))
    kill(process)
    run = program.only_run
    assert not run.alive
    summary = summarise(run)
    assert summary.status == "lost"
    assert "without run.finish()" in summary.message
    logged = column(run, "at")
    assert [step for step, _ in logged] == list(range(1, len(logged) + 1))
    _last_step, last_at = logged[-1]
    assert last_at is not None
    # A busy machine may hold up a thread, but not by so much.
    assert seen[-1][1] - last_at < 0.5 + 0.5


def test_a_loop_that_logs_rarely_loses_nothing(tmp_path: Path) -> None:
    program = Program(
        tmp_path, START + "run.log(loss=0.25)\nprint('logged', flush=True)\ntime.sleep(1e6)\n"
    )
    process = program.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    wait_until(lambda: column(program.only_run, "loss") == [(0, 0.5), (1, 0.25)])
    kill(process)
    assert summarise(program.only_run).status == "lost"


def test_ctrl_c_while_it_waits(tmp_path: Path) -> None:
    program = Program(tmp_path, START + "print('ready', flush=True)\ntime.sleep(1e6)\n")
    process = program.start()
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    process.wait()
    end = ending(program.only_run)
    assert (end.outcome, end.message) == ("stopped", "interrupted by Ctrl-C")


WITH_WORKERS = """
import os, sys, time
import torch
import clr_tui

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 64

    def __getitem__(self, i):
        run.log(step=1000 + i, worker=1.0)   # of the parent, if forked: recorded nowhere
        return torch.tensor(float(i))

{main}
"""

FORKED = """
run = clr_tui.start("a")
loader = torch.utils.data.DataLoader(
    Data(), batch_size=4, num_workers=2, multiprocessing_context="fork", persistent_workers=True
)
for epoch in range(3):
    for batch in run.steps(loader):
        run.log(loss=float(batch.sum()))
{end}
"""


def test_forked_workers_of_a_loader_write_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path, WITH_WORKERS.format(main=FORKED.format(end="run.finish()")))
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    run = program.only_run
    assert [step for step, _ in column(run, "loss")] == list(range(48))
    assert sum(value or 0.0 for _, value in column(run, "loss")) == 3 * sum(range(64))
    assert column(run, "worker") == []
    assert ending(run).outcome == "done"


def test_forked_workers_that_outlive_the_program_do_not_keep_its_run_alive(tmp_path: Path) -> None:
    end = "print('ready', os.getpid(), flush=True)\ntime.sleep(1e6)"
    program = Program(tmp_path, WITH_WORKERS.format(main=FORKED.format(end=end)))
    process = program.start()
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready")
    run = program.only_run
    assert run.alive
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not run.alive
    os.killpg(process.pid, signal.SIGKILL)


def test_forks_while_it_writes_neither_hang_nor_write(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        START
        + """
import threading
over = threading.Event()

def log():
    while not over.is_set():
        run.log(loss=1.0)
        time.sleep(0)

thread = threading.Thread(target=log)
thread.start()
for i in range(50):
    pid = os.fork()
    if pid == 0:
        run.log(child=1.0)
        run.finish("a child")
        with clr_tui.start("b") as other:  # a run of its own
            other.log(child=float(i))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
over.set()
thread.join()
run.finish("the parent")
""",
    )
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    by_name = {run.id: run for run in list_runs(program.runs)}
    assert len(by_name) == 51
    assert ending(by_name["a-1"]).message == "the parent"
    assert column(by_name["a-1"], "child") == []
    assert column(by_name["b-50"], "child") == [(0, 49.0)]
    assert ending(by_name["b-50"]).outcome == "done"


SPAWNED = """
run = clr_tui.start("a")   # outside of main: each spawned process comes by here
if __name__ == "__main__":
    loader = torch.utils.data.DataLoader(
        Data(), batch_size=16, num_workers=2, multiprocessing_context="spawn"
    )
    for batch in run.steps(loader):
        run.log(loss=float(batch.sum()))
    run.finish()
"""


def test_spawned_workers_that_import_the_script_start_no_runs(tmp_path: Path) -> None:
    program = Program(tmp_path, WITH_WORKERS.format(main=SPAWNED))
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    run = program.only_run
    assert [step for step, _ in column(run, "loss")] == list(range(4))
    assert column(run, "worker") == []


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_may_have_a_run_of_its_own(
    tmp_path: Path, method: str
) -> None:
    program = Program(
        tmp_path,
        f"""
        import multiprocessing, sys
        import clr_tui

        def train(fold):
            run = clr_tui.start(f"fold{{fold}}")
            run.log(loss=float(fold))
            if fold == 1:
                raise ValueError("a bad fold")
            if fold == 2:
                sys.exit(5)

        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            processes = [context.Process(target=train, args=(fold,)) for fold in range(3)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
        """,
    )
    program.run()
    ends = {run.id: ending(run) for run in list_runs(program.runs)}
    assert {name: end.outcome for name, end in ends.items()} == {
        "fold0-1": "done",
        "fold1-1": "failed",
        "fold2-1": "failed",
    }
    assert ends["fold1-1"].message == "ValueError: a bad fold (train.py:9, in train)"
    assert ends["fold2-1"].message == "the program called sys.exit(5) (train.py:11, in train)"
    assert all(len(events(run, Logged)) == 1 for run in list_runs(program.runs))


def test_at_a_prompt_a_new_run_finishes_the_former(tmp_path: Path) -> None:
    program = Program(tmp_path, "")
    typed = """
import clr_tui
run = clr_tui.start("a")
run.log(loss=1.0)
1 / 0
run.log(loss=2.0)
run = clr_tui.start("a")
run.log(loss=3.0)
"""
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=typed,
        env={**os.environ, "CLR_TUI_RUNS": str(program.runs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ZeroDivisionError" in done.stderr
    second, first = list_runs(program.runs)
    assert (ending(first).outcome, ending(first).message) == ("done", "another run was started")
    assert [value for _, value in column(first, "loss")] == [1.0, 2.0]
    assert [value for _, value in column(second, "loss")] == [3.0]
    assert ending(second).outcome == "done"


def test_in_a_script_two_runs_may_be_open(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        import clr_tui
        first, second = clr_tui.start("a"), clr_tui.start("b")
        for i in range(3):
            first.log(loss=1.0)
            second.log(loss=2.0)
        """,
    )
    program.run()
    second, first = list_runs(program.runs)
    assert [value for _, value in column(first, "loss")] == [1.0] * 3
    assert [value for _, value in column(second, "loss")] == [2.0] * 3


def test_a_program_without_standard_streams_may_warn(tmp_path: Path) -> None:
    program = Program(
        tmp_path, START + "sys.stderr = sys.stdout = None\nrun.log(text='x')\nrun.finish('fine')\n"
    )
    assert program.run().returncode == 0
    assert ending(program.only_run).message == "fine"
