"""`clr-tui watch` without a screen, and the commands that read the same paths."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from event_files import event, event_file, record, simple

from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import LoggedRun, TaskConfig
from clr_tui.tui.cli.watch import watch
from clr_tui.tui.watched import MOST, find_watched

START = 1.7e9


def make_log(folder: Path, steps: int = 100, *, start: float = START) -> Path:
    """An event file with a loss each step and an accuracy each tenth."""
    payloads = []
    for step in range(steps):
        values = [simple("train/loss", 1 / (1 + step))]
        values += [simple("val/acc", step / 200)] if step % 10 == 9 else []
        payloads.append(event(start + step, step, *values))
    return event_file(folder, *payloads)


def make_run(runs: Path) -> RunDir:
    job = LoggedRun(name="mine")
    run = create_run(runs, task=TaskConfig(data="", model=""), job=job, version="0")
    log = EventWriter(run.events_path)
    log.write(ev.RunStarted(run=run.id, kind="logged"))
    log.write(ev.Logged(step=[0, 1], values={"loss": [2.0, 1.0]}))
    log.write(ev.RunFinished(outcome="done", headline="loss 1, step 1"))
    return run


def test_the_result_so_far_is_printed(cli, tmp_path: Path) -> None:
    make_log(tmp_path / "tb")
    result = cli("watch", tmp_path / "tb")
    assert result.code == 0
    assert result.out.splitlines()[0] == "tb  logged run  tb · TensorBoard"
    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines()[-2:]}
    assert float(rows["train/loss"][0]) == pytest.approx(0.01)
    assert rows["train/loss"][1:4:2] == ["99", "99"]
    assert rows["val/acc"][:2] == ["0.495", "99"]
    assert "silent for" in result.err


def test_one_object_has_all_logs(cli, tmp_path: Path) -> None:
    make_log(tmp_path / "tb" / "a", start=time.time())
    make_log(tmp_path / "tb" / "b")
    result = cli("watch", tmp_path / "tb", "--json")
    first, second = json.loads(result.out)["runs"]
    assert (first["run"], first["source"], first["status"]) == ("a", "TensorBoard", "running")
    assert first["values"]["val/acc"]["count"] == 10
    assert first["silent_seconds"] == 0
    assert second["silent_seconds"] > 1e6
    assert result.err == ""


def test_several_logs_are_a_table(cli, runs: Path, tmp_path: Path) -> None:
    make_log(tmp_path / "tb" / "a", start=time.time())
    make_log(tmp_path / "tb" / "b")
    run = make_run(runs)
    result = cli("watch", tmp_path / "tb", run.id)
    heading, *rows = (line.split("  ") for line in result.out.splitlines())
    cells = {row[0].strip(): [cell.strip() for cell in row[1:] if cell] for row in rows}
    assert [heading[0], *sorted(cells)] == ["run", "a", "b", "mine-1"]
    assert cells["a"] == ["TensorBoard", "● growing", "train/loss 0.01, step 99"]
    assert cells["b"][1].startswith("◌ silent for")
    assert cells["mine-1"] == ["logged run", "✓ done", "loss 1, step 1"]


@pytest.mark.parametrize("how", ["id", "folder", "log", "pattern"])
def test_runs_of_ours_are_watched_too(cli, runs: Path, how: str) -> None:
    run = make_run(runs)
    names = {"id": "mine", "folder": run.path, "log": run.events_path, "pattern": f"{runs}/m*"}
    (found,) = json.loads(cli("watch", names[how], "--json").out)["runs"]
    assert (found["run"], found["status"], found["silent_seconds"]) == ("mine-1", "done", None)


def test_without_a_path_the_logs_of_the_working_directory(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(tmp_path / "here" / "a")
    monkeypatch.chdir(tmp_path / "here")
    (found,) = json.loads(cli("watch", "--json").out)["runs"]
    assert found["run"] == "a"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.csv", "there is no file"),
        ("a/b", "there is no file"),
        ("nothing", "no run 'nothing'"),
        ("*.nothing", "no file or folder matches '*.nothing'"),
        (".", "no log of a known format"),
    ],
)
def test_what_cannot_be_watched_gets_one_sentence(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = cli("watch", name)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_of_very_many_logs_those_written_last_are_opened(tmp_path: Path, runs: Path) -> None:
    import os

    for i in range(MOST + 5):
        file = make_log(tmp_path / "tb" / f"run{i:02d}", steps=1)
        os.utime(file, (START + i, START + i))
        os.utime(file.parent, (START, START))
    found = find_watched(runs, [str(tmp_path / "tb")], NO_MAPPING)
    assert [one.name for one in found] == [f"run{i:02d}" for i in range(5, MOST + 5)]
    (note,) = [e for e in found[0].source.poll().events if isinstance(e, ev.Note)]
    assert note.text == f"5 of {MOST + 5} runs, those written longest ago, are left out"


class Script:
    """Stands for `Interrupts`: does something at each wait, then interrupts."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.interrupted = 0
        self.terminated = False
        self._acts = list(acts)

    def wait(self, _seconds: float) -> None:
        if self._acts:
            self._acts.pop(0)()
        else:
            self.interrupted = 1


def test_a_log_is_followed_line_by_line(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    from clr_tui.tui.kinds.logged.printing import LoggedLines

    monkeypatch.setattr(LoggedLines, "silence", 0.0)
    file = make_log(tmp_path / "tb", steps=10)
    clock = [START + 12]

    def append(step: int) -> None:
        with file.open("ab") as log:
            log.write(record(event(START + step, step, simple("train/loss", 0.5))))
        clock[0] = START + step

    def later(seconds: float) -> None:
        clock[0] += seconds

    script = Script(
        lambda: append(20), lambda: append(30), lambda: later(45), lambda: later(1), lambda: None
    )
    found = find_watched(runs, [str(tmp_path / "tb")], NO_MAPPING)
    code = watch(found, script, follow=True, json=True, wall=lambda: clock[0])
    said = capsys.readouterr()
    assert code == 130
    assert said.err.splitlines() == [
        "step 9  train/loss 0.100  val/acc 0.0450",
        "step 20  train/loss 0.500  val/acc 0.0450",
        "step 30  train/loss 0.500  val/acc 0.0450",
        "◌ silent for 40 s",
    ]
    (result,) = json.loads(said.out)["runs"]
    assert (result["steps"], result["silent_seconds"]) == (30, 46)


def test_lines_of_several_logs_begin_with_their_names(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        make_log(tmp_path / "tb" / name, steps=2)
    found = find_watched(runs, [str(tmp_path / "tb")], NO_MAPPING)
    watch(found, Script(), follow=True, json=False, wall=lambda: START)
    assert capsys.readouterr().err.splitlines() == [
        "a: step 1  train/loss 0.500",
        "b: step 1  train/loss 0.500",
    ]


def test_following_ends_when_all_have_ended(cli, runs: Path) -> None:
    run = make_run(runs)
    result = cli("watch", run.id, "--follow")
    assert result.code == 0
    assert result.out.startswith("mine-1  logged run  mine")


def test_a_log_is_replayed_at_its_recorded_times(cli, tmp_path: Path) -> None:
    make_log(tmp_path / "tb", steps=101)
    half = json.loads(cli("replay", tmp_path / "tb", "--at", "50%", "--json").out)
    assert (half["kind"], half["values"]["train/loss"]["count"]) == ("logged", 51)
    whole = json.loads(cli("replay", tmp_path / "tb", "--json").out)
    assert (whole["status"], whole["values"]["train/loss"]["count"]) == ("done", 101)


def test_a_log_is_exported(cli, tmp_path: Path) -> None:
    make_log(tmp_path / "tb")
    text = cli("export", tmp_path / "tb", "--csv", "-").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["step", "train/loss", "val/acc", "wall_time"]
    assert (rows[9]["step"], rows[9]["train/loss"][:6], rows[9]["wall_time"]) == (
        "9",
        "0.1000",
        str(START + 9),
    )
    assert "val/acc" in cli("export", tmp_path / "tb", "--svg", "-").out


@pytest.mark.parametrize("command", ["replay", "export"])
def test_of_several_logs_one_has_to_be_named(cli, tmp_path: Path, command: str) -> None:
    for name in ("a", "b"):
        make_log(tmp_path / "tb" / name)
    options = ["--csv", "-"] if command == "export" else []
    result = cli(command, tmp_path / "tb", *options)
    assert (result.code, result.out) == (2, "")
    assert f"holds 2 runs: name one of '{tmp_path}/tb/a', '{tmp_path}/tb/b'" in result.err


def make_sweep(path: Path) -> Path:
    rows = [f"{i},{1e-5 * 1.1**i},{2 + (i - 60) ** 2 / 4000},{i % 7}" for i in range(100)]
    path.write_text("step,lr,train_loss,gpu\n" + "\n".join(rows) + "\n")
    return path


def make_groups(folder: Path) -> Path:
    for run, accuracy in (("adam_0", 0.8), ("adam_1", 0.82), ("sgd_0", 0.7), ("sgd_1", 0.71)):
        (folder / run).mkdir(parents=True)
        rows = [f"{e},{1 / (e + 1)},{accuracy * (1 - 0.5**e)}" for e in range(1, 6)]
        text = "epoch,val_loss,val_acc\n" + "\n".join(rows) + "\n"
        (folder / run / "metrics.csv").write_text(text)
    return folder


def test_what_logs_could_be_shown_as_is_said_in_one_sentence(cli, tmp_path: Path) -> None:
    sweep, groups = make_sweep(tmp_path / "log.csv"), make_groups(tmp_path / "groups")
    said = cli("watch", sweep).err
    assert "note: this fits a range test: --as range-test shows it so" in said
    said = cli("watch", groups).err
    assert said == "note: this fits a comparison: --as comparison shows it so\n"
    make_log(tmp_path / "tb")
    assert "this fits" not in cli("watch", tmp_path / "tb").err


def test_a_log_is_watched_as_what_it_fits(cli, tmp_path: Path) -> None:
    sweep, groups = make_sweep(tmp_path / "log.csv"), make_groups(tmp_path / "groups")
    found = json.loads(cli("watch", sweep, "--as", "range-test", "--json").out)
    assert (found["kind"], found["steps"]) == ("range-test", 100)
    found = json.loads(cli("watch", groups, "--as", "comparison", "--json").out)
    assert (found["kind"], [entry["label"] for entry in found["entries"]]) == (
        "compare",
        ["adam", "sgd"],
    )
    found = json.loads(cli("replay", sweep, "--as", "logged-run", "--json").out)
    assert (found["kind"], [*found["values"]]) == ("logged", ["lr", "train_loss", "gpu"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as", "comparison"], "does not fit --as compare: give --as range-test or --as logged"),
        (["--as", "sweep"], "is no kind of run; there are range-test, training, comparison"),
        (["--as", "range-test", "--follow"], "leave out --follow"),
        (["--as", "range-test", "--y", "nothing"], "no column 'nothing'"),
    ],
)
def test_what_it_does_not_fit_gets_one_sentence(cli, tmp_path: Path, options, said: str) -> None:
    result = cli("watch", make_sweep(tmp_path / "log.csv"), *options)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert said in result.err


def test_a_log_that_vanished_is_watched_on(tmp_path: Path, runs: Path) -> None:
    file = make_log(tmp_path / "tb")
    (found,) = find_watched(runs, [str(tmp_path / "tb")], NO_MAPPING)
    file.unlink()
    try:
        batches = [found.source.poll() for _ in range(3)]
    except UserError as error:
        pytest.fail(error.message)
    assert batches[0].events
