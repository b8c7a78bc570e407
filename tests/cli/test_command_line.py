from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from made_runs import make_sweep

from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import startable_kinds
from clr_tui.engine.settings.config import JOBS, TaskConfig
from clr_tui.engine.settings.table import REQUIRED, settings_of
from clr_tui.engine.settings.texts import write
from clr_tui.tui.cli import parser as cli_parser
from clr_tui.tui.cli.job_options import option_of
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.kinds.registry import kinds_with_command

COMMANDS = (*kinds_with_command(), *cli_parser.COMMANDS)
HELP = [["--help"], *([name, "--help"] for name in COMMANDS)]
HEAVY = {
    *("torch", "torchvision", "numpy", "scipy", "textual", "rich", "plotext"),
    # Of the standard library, what argparse and a help do not need and takes a while.
    *("msgspec", "platformdirs", "importlib.metadata", "asyncio", "ast", "difflib", "inspect"),
    *("dataclasses", "json", "shutil", "subprocess", "tempfile", "traceback"),
}
"""Each takes a millisecond or more: together they were two thirds of `--help`."""


LIGHT = [["--help"], *([name, "--help"] for name in cli_parser.COMMANDS if name != "replay")]
"""The others tell of settings, whose table needs msgspec and dataclasses."""


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_help_is_there_without_anything_heavy(arguments: list[str]) -> None:
    script = (
        "import argparse, sys\n"
        "before = set(sys.modules)\n"
        "from clr_tui.tui.cli.main import main\n"
        f"code = main({arguments!r})\n"
        "loaded = sorted(set(sys.modules) - before)\n"
        "import json\n"
        "print(json.dumps([code, loaded]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    *text, last = done.stdout.splitlines()
    code, modules = json.loads(last)
    assert code == 0
    assert text[0].startswith("usage: clr-tui")
    assert "clr_tui.tui.cli.parser" in modules
    assert not set(modules) & HEAVY


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_a_help_adds_the_options_of_its_own_command_alone(arguments: list[str]) -> None:
    parser = build_parser()
    with pytest.raises(SystemExit):
        parser.parse(arguments)
    assert parser.unbuilt.keys() == set(COMMANDS) - set(arguments)


def test_a_command_named_as_a_value_is_no_harm() -> None:
    parser = build_parser()
    for _ in range(2):
        args = parser.parse(["--runs-dir", "train", "attach", "stop"])
        assert (args.command, args.run, args.runs_dir) == ("attach", "stop", "train")


FROM_PYTHON_3_11 = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="argparse of Python 3.10 breaks lines at 0 columns"
)


@pytest.mark.parametrize(
    ("columns", "terminal", "width"),
    [
        ("60", 90, 60),
        ("0", 90, 90),
        ("-1", 90, 90),
        ("wide", 90, 90),
        (None, 90, 90),
        pytest.param(None, 0, 80, marks=FROM_PYTHON_3_11),
        (None, None, 80),
    ],
)
def test_a_help_is_as_wide_as_argparse_would_have_it(
    monkeypatch, columns: str | None, terminal: int | None, width: int
) -> None:
    def size(*_: object) -> os.terminal_size:
        if terminal is None:
            raise OSError("no terminal")
        return os.terminal_size((terminal, 24))

    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", size)
    formatter = build_parser()._get_formatter()
    assert formatter._width == argparse.HelpFormatter("x")._width == width - 2


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_a_help_fits_a_terminal_of_80_columns(cli, monkeypatch, arguments: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert [line for line in cli(*arguments).out.splitlines() if len(line) > 80] == []


STARTED = [(kind, JOBS[kind]) for kind in startable_kinds()]


@pytest.mark.parametrize(("kind", "job"), STARTED)
def test_the_help_of_every_setting_is_what_the_table_says(cli, monkeypatch, kind, job) -> None:
    monkeypatch.setenv("COLUMNS", "4000")
    # An option that is long has its words on a line of their own.
    text = cli(kind, "--help").out.replace(f"\n{' ' * 24}", " ")
    lines = text.splitlines()
    for setting in (*settings_of(job), *settings_of(TaskConfig)):
        option = option_of(setting)
        (line,) = [line for line in lines if line.split()[:1] in ([option], [f"{option},"])]
        assert setting.help in line
        if setting.default not in (None, "", {}, REQUIRED) and setting.format != "entries":
            assert line.endswith(f"(default: {write(setting, setting.default)})")


@pytest.mark.parametrize(("kind", "job"), STARTED)
def test_every_option_is_a_setting_or_has_another_reason(kind, job) -> None:
    parser = build_parser()
    parser.parse([kind, *(["--max-lr", "1"] if kind == "train" else [])])
    given = vars(parser.parse([kind])).keys()
    asked = {setting.name for setting in (*settings_of(job), *settings_of(TaskConfig))}
    assert asked <= given
    ways = {"runs_dir", "headless", "json", "notify", "detach", "restarts"}
    assert given - asked <= {"command", "parent"} | ways


def test_help_lists_what_is_built(cli) -> None:
    text = cli("--help").out
    for name in COMMANDS:
        assert f"\n    {name} " in text


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_the_examples_of_every_help_are_what_the_command_takes(cli, name: str | None) -> None:
    text = cli(*([name] if name else []), "--help").out
    examples = text[text.index("examples:") :].splitlines()
    shown = [line.split("  ")[1].split(" | ")[0] for line in examples if "  clr-tui" in line]
    assert shown
    for example in shown:
        program, *words = shlex.split(example.split(" > ")[0])
        assert program == "clr-tui"
        if "--help" not in words:
            assert name in (None, build_parser().parse(words).command)


@pytest.mark.parametrize("arguments", [["--version"], ["ls", "--version"]])
def test_version(cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (0, f"clr-tui {version('clr-tui')}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "there is no command 'trian'; did you mean 'train'?"),
        (["xyzzy"], "there is no command 'xyzzy'; the commands are range-test, train, "),
        (["comapre"], "there is no command 'comapre'; did you mean 'compare'?"),
        (
            ["compare", "--optimiser", "x"],
            "has no option '--optimiser'; did you mean '--optimizers'",
        ),
        (["compare", "--seed=s", "3"], "--seed 's' is not a whole number"),
        (["compare", "flowers"], "for a folder of images give --data flowers"),
        (["compare", "--lr"], "--lr needs a value"),
        (["compare", "--whole-cycles=3"], "--whole-cycles takes no value, but was given '3'"),
        (["range-test", "--strat-lr", "1"], "did you mean '--start-lr'?"),
        (["train", "--polcy=x"], "clr-tui train has no option '--polcy'; did you mean '--policy'?"),
        (["--hedless"], "clr-tui has no option '--hedless'; did you mean '--headless'?"),
        (["range-test", "flowers"], "for a folder of images give --data flowers"),
        (["ls", "x"], "clr-tui ls does not take the argument 'x'"),
        (["stop"], "clr-tui stop needs RUN: a run's id as listed by clr-tui ls"),
        (["range-test", "--seeds"], "--seeds needs a value"),
        (["range-test", "--accuracy=3"], "--accuracy takes no value, but was given '3'"),
        (["range-test", "--start-lr", "abc"], "--start-lr 'abc' is not a number; give one such as"),
        (
            ["range-test", "--seeds", "1.5"],
            "--seeds '1.5' is not a whole number; give one such as 3",
        ),
        (["replay", "x", "--at", "half"], "--at 'half' is not a position in the run"),
        (["replay", "x", "--at", "101%"], "--at '101%' is not a position in the run"),
        (["replay", "x", "--at", "nan"], "--at 'nan' is not a position in the run"),
        (["replay", "x", "--speed", "0"], "--speed '0' is not a speed"),
        (["replay", "x", "--speed", "nan"], "--speed 'nan' is not a speed"),
    ],
)
def test_a_slip_gets_one_sentence(cli, arguments: list[str], sentence: str) -> None:
    result = cli(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert sentence in result.err
    assert result.err.startswith("clr-tui: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("word", ["-1", "-1e-3", "-.5", "-inf", "-nan"])
def test_a_negative_number_is_a_value_and_not_an_option(word: str) -> None:
    args = build_parser().parse(["range-test", "--start-lr", word])
    assert repr(args.start_lr) == repr(float(word))


def test_options_of_all_commands_stand_before_or_after_the_command() -> None:
    before = build_parser().parse(["--json", "--runs-dir", "there", "ls"])
    after = build_parser().parse(["ls", "--json", "--runs-dir", "there"])
    assert before == after
    assert (after.json, after.runs_dir) == (True, "there")


def test_replay_positions_and_speeds_are_parsed() -> None:
    args = build_parser().parse(["replay", "x", "--at", "25%", "--speed", "max"])
    assert (args.at, args.speed) == (0.25, float("inf"))


def test_the_parser_reports_by_exception() -> None:
    with pytest.raises(UserError, match="no command"):
        build_parser().parse(["x"])


def test_without_a_terminal_and_a_command_the_runs_are_listed(cli) -> None:
    result = cli()
    assert result.code == 0
    assert "no runs in" in result.out
    assert "the screen needs a terminal" in result.err
    assert json.loads(cli("--json").out)["runs"] == []


def test_a_closed_stdout_is_quiet(runs) -> None:
    command = [sys.executable, "-m", "clr_tui.tui", "--runs-dir", str(runs), "ls"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    assert process.wait(60) == 141
    assert complaint == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("options", [["ls"], ["ls", "--json"], ["replay", "range", "--svg", "-"]])
def test_a_stdout_that_is_full_is_one_sentence(runs: Path, options: list[str]) -> None:
    make_sweep(runs)
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "clr_tui.tui", *options, "--runs-dir", str(runs)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "clr-tui: cannot write to stdout: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_do_not_matter(runs: Path, closed: str) -> None:
    make_sweep(runs)
    command = [sys.executable, "-m", "clr_tui.tui", "attach", "--runs-dir", str(runs)]
    shell = ["sh", "-c", f"exec {shlex.join(command)} {closed}"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "mistake" not in done.stderr
    assert ("bottom is recommended" in done.stdout) is (not closed.startswith(">"))


@pytest.mark.parametrize("module", ["argparse", "random", "numpy", "engine", "msgspec"])
def test_modules_that_lie_where_it_is_called_are_not_loaded(
    runs: Path, tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("raise SystemExit('not mine')")
    command = [sys.executable, "-m", "clr_tui.tui", "ls", "--runs-dir", str(runs)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_our_own_mistake_is_one_line_and_a_file(cli, monkeypatch, tmp_path) -> None:
    import tempfile

    import clr_tui.tui.cli.manage as managing

    def broken(runs) -> str:
        raise RuntimeError("surprise")

    monkeypatch.setattr(managing, "list_text", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = cli("ls")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    (file,) = tmp_path.glob("clr-tui-error-*")
    assert str(file) in result.err
    assert "RuntimeError: surprise" in file.read_text()
