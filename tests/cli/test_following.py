"""Following a run without a screen: what is said, when it ends, and what signals do."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from made_runs import (
    ENDING,
    STEPS,
    FakeWorker,
    epoch_events,
    make_sweep,
    make_training,
    sweep_events,
    valley,
    write,
)

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import CommandTail, Stop
from clr_tui.engine.log.rundir import RunDir
from clr_tui.tui.cli import headless
from clr_tui.tui.cli.headless import follow, follow_and_print
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.cli.progress import ProgressLines


class Script(Interrupts):
    """At each wait the next of `things` happens; a signal's name is that signal."""

    def __init__(self, *things) -> None:
        super().__init__()
        self.things = list(things)

    def wait(self, seconds: float) -> None:
        assert self.things, "waits on though nothing more will happen"
        thing = self.things.pop(0)
        if callable(thing):
            thing()
        else:
            os.kill(os.getpid(), thing)


def lines_to(stream: io.StringIO, seconds: float = 1.0, in_place: bool = False) -> ProgressLines:
    """Progress on a clock that moves `seconds` with each look."""
    now = iter(range(10**6))
    return ProgressLines(stream, in_place=in_place, clock=lambda: next(now) * seconds)


def pieces(run: RunDir) -> list[list[ev.Event]]:
    told = sweep_events(run, valley, STEPS)
    return [told[:3], told[3:6], told[6:]]


def test_a_sweep_is_followed_to_its_last_event(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=0, ending=[])
    worker = hold(run)
    first, second, third = pieces(run)
    script = Script(
        lambda: write(run, first),
        lambda: write(run, second),
        lambda: write(run, [*third, *ENDING]),
        worker.end,
    )
    said = io.StringIO()
    followed = follow(run, lines_to(said), script, owner=True)
    assert followed.end == "finished"
    assert len(followed.history.trials[0]) == STEPS
    lines = said.getvalue().splitlines()
    assert lines[0] == f"{run.id} started"
    assert lines[1] == "on 2 CPU threads (cpu, float32)"
    assert lines[2].startswith("digits: 1 257 training, 270 validation and 270 test images of 8x8")
    steps = [line for line in lines if line.startswith("step")]
    assert [line[:14] for line in steps] == ["step  40 / 200", "step 100 / 200"]
    assert "lr 1.5e-05" in steps[0]
    assert "loss    2.296" in steps[0]
    assert "\r" not in said.getvalue()
    assert "\x1b" not in said.getvalue()


def test_lines_come_no_faster_than_every_second(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=0, ending=[])
    worker = hold(run)
    told = sweep_events(run, valley, STEPS)
    write(run, told[:1])
    script = Script(
        *[lambda event=event: write(run, [event]) for event in told[1:]],
        lambda: write(run, ENDING),
        worker.end,
    )
    said = io.StringIO()
    follow(run, lines_to(said, seconds=0.2), script, owner=True)
    steps = [line for line in said.getvalue().splitlines() if line.startswith("step")]
    assert 2 <= len(steps) <= 4


def test_on_a_terminal_the_progress_line_is_overwritten(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=0, ending=[])
    worker = hold(run)
    first, second, third = pieces(run)
    script = Script(
        lambda: write(run, first),
        lambda: write(run, second),
        lambda: write(run, [*third, *ENDING]),
        worker.end,
    )
    said = io.StringIO()
    progress = lines_to(said, seconds=0.0, in_place=True)
    follow(run, progress, script, owner=True)
    progress.end()
    text = said.getvalue()
    assert text.count("step") >= 2
    assert "\x1b" not in text
    assert not text.rsplit("\r", 1)[1].strip()
    # What stays on the screen: no line that stood.
    assert all(not line.split("\r")[-1].startswith("step") for line in text.split("\n"))


def test_a_training_tells_of_every_epoch(runs: Path, hold) -> None:
    run = make_training(runs, epochs=0, ending=[])
    worker = hold(run)
    script = Script(
        *[lambda epoch=epoch: write(run, epoch_events(epoch)) for epoch in (1, 2)],
        lambda: write(run, [ev.RunFinished(outcome="done")]),
        worker.end,
    )
    said = io.StringIO()
    follow(run, lines_to(said, seconds=0.0), script, owner=True)
    epochs = [line for line in said.getvalue().splitlines() if line.startswith("epoch")]
    assert epochs == [
        "epoch 1 / 8  train loss    1.000  validation loss    1.100  accuracy  55.0 %"
        "  best  55.0 % in epoch 1",
        "epoch 2 / 8  train loss    0.500  validation loss    0.550  accuracy  60.0 %"
        "  best  60.0 % in epoch 2",
    ]


def test_incidents_are_told_and_cleaned(runs: Path, hold) -> None:
    run = make_sweep(
        runs,
        steps=40,
        ending=[
            ev.Note(level="warning", text="cannot read a\x1b[31m.png"),
            ev.Diverged(trial=0, step=39, lr=1e-2, reason="the loss passed 4x its best"),
            ev.CommandRefused(command="set-bounds", reason="not in a sweep"),
            ev.Paused(),
            ev.Continued(),
        ],
    )
    worker = hold(run)
    said = io.StringIO()
    follow(run, lines_to(said), Script(worker.end), owner=False)
    lines = said.getvalue().splitlines()
    assert "warning: cannot read a\N{REPLACEMENT CHARACTER}[31m.png" in lines
    assert "step 39, lr 1.0e-02: the loss passed 4x its best" in lines
    assert "set-bounds was refused: not in a sweep" in lines
    assert lines.index("paused") < lines.index("continued")


def test_ctrl_c_stops_an_own_run_in_order(runs: Path, hold, capsys) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    worker = hold(run)

    def obey() -> None:
        (command,) = CommandTail(run.commands_path).poll()
        assert isinstance(command, Stop)
        write(run, [ev.RunFinished(outcome="stopped", message="asked to")])

    with Script(signal.SIGINT, obey, worker.end) as script:
        code = follow_and_print(run, script, owner=True, json=True)
    said = capsys.readouterr()
    assert code == 130
    assert json.loads(said.out)["status"] == "stopped"
    assert f"stopping {run.id};" in said.err
    assert f"clr-tui: {run.id} was stopped: asked to" in said.err


def test_a_second_ctrl_c_leaves_at_once(runs: Path, hold, capsys) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    hold(run)
    with Script(signal.SIGINT, signal.SIGINT) as script:
        assert follow_and_print(run, script, owner=True, json=True) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{run.id} is stopping;" in said.err
    assert run.alive


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_leaving_someone_elses_run_leaves_it_alone(
    runs: Path, hold, capsys, number: int, code: int
) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    hold(run)
    with Script(number) as script:
        assert follow_and_print(run, script, owner=False, json=False) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{run.id} is still running; `clr-tui attach {run.id}` shows it again" in said.err
    assert CommandTail(run.commands_path).poll() == []


def test_sigterm_ends_only_the_follower_of_an_own_run(runs: Path, hold, capsys) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    hold(run)
    with Script(signal.SIGTERM) as script:
        assert follow_and_print(run, script, owner=True, json=False) == 143
    assert CommandTail(run.commands_path).poll() == []


def test_signals_are_given_back(runs: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        interrupts.wait(60)  # returns at once: the signal has come
        assert interrupts.terminated
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_a_job_in_the_background_of_a_script_does_not_take_its_ctrl_c(runs: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts it
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            interrupts.wait(0)
            assert not interrupts.interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_worker_that_vanishes_is_noticed(runs: Path, hold, capsys) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    worker = hold(run)
    assert follow_and_print(run, Script(worker.end), owner=True, json=True) == 1
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["status"], found["steps"]) == ("lost", 100)
    assert f"{run.id} was lost: its worker vanished (killed, out of memory, or" in said.err
    assert f"see {run.log_path}; `clr-tui resume " in said.err


def test_a_run_that_is_removed_while_it_is_followed(runs: Path, hold, capsys) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    worker = hold(run)

    def remove() -> None:
        shutil.rmtree(run.path)
        worker.end()

    assert follow_and_print(run, Script(remove), owner=True, json=True) == 1
    assert f"clr-tui: {run.id} is gone: its folder was removed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("stopped by SIGTERM", "was stopped by SIGTERM"),
        ("asked by clr-tui stop", "was stopped: asked by clr-tui stop"),
        ("", "was stopped"),
    ],
)
def test_how_a_run_was_stopped(cli, runs: Path, message: str, words: str) -> None:
    run = make_sweep(runs, ending=[ev.RunFinished(outcome="stopped", message=message)])
    assert cli("attach", run.id).err == f"clr-tui: {run.id} {words}\n"


@pytest.mark.parametrize("live", [True, False])
def test_a_warning_is_told_once(runs: Path, hold, capsys, live: bool) -> None:
    warning = ev.Note(level="warning", text="skipped 'a/1.jpg': damaged")
    run = make_sweep(runs, ending=[warning, *ENDING])
    script = Script(hold(run).end) if live else Script()
    assert follow_and_print(run, script, owner=False, json=True) == 0
    assert capsys.readouterr().err.count("skipped 'a/1.jpg'") == 1


def test_what_is_written_just_before_the_end_is_not_missed(runs: Path, hold) -> None:
    run = make_sweep(runs, steps=100, ending=[])
    worker = hold(run)

    def last_breath() -> None:
        write(run, ENDING)
        worker.end()

    followed = follow(run, lines_to(io.StringIO()), Script(last_breath), owner=True)
    assert followed.history.finished is not None


def test_a_run_that_fails(cli, runs: Path) -> None:
    message = "weights 'w.pt' do not fit resnet34"
    run = make_sweep(
        runs, steps=0, ending=[ev.RunFinished(outcome="failed", message=message, field="weights")]
    )
    result = cli("attach", run.id)
    assert (result.code, result.out) == (1, "")
    assert result.err == f"clr-tui: {run.id} failed: {message}\n"
    result = cli("attach", run.id, "--json")
    assert result.code == 1
    found = json.loads(result.out)
    assert (found["status"], found["message"]) == ("failed", message)
    assert (found["steps"], found["bounds"]) == (0, None)


def test_attach_takes_the_newest_that_lives(cli, runs: Path, hold, monkeypatch) -> None:
    living = make_sweep(runs, steps=100, ending=[])
    make_sweep(runs)
    worker: FakeWorker = hold(living)

    def wait(self: Interrupts, seconds: float) -> None:
        write(living, ENDING)
        worker.end()

    monkeypatch.setattr(headless.Interrupts, "wait", wait)
    result = cli("attach", "--json")
    assert result.code == 0
    assert json.loads(result.out)["run"] == living.id


def test_a_closed_stderr_does_not_end_the_following(runs: Path, hold) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    run = make_sweep(runs, steps=100, ending=[])
    worker = hold(run)
    script = Script(lambda: write(run, ENDING), worker.end)
    assert follow(run, lines_to(Closed()), script, owner=True).end == "finished"
