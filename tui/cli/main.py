"""The `clr-tui` command; each subcommand imports what it needs, so that `--help` is instant."""

from __future__ import annotations

import argparse
import contextlib
import errno
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from clr_tui.engine.errors import UserError
from clr_tui.tui.cli import console_codec, nearest_characters
from clr_tui.tui.text.clean import plain

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.analysis.foreign.foreign_log import Mapping
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.analysis.recordings.recorded import Recording
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.tui.alerts import Alerts
    from clr_tui.tui.cli.interrupts import Interrupts
    from clr_tui.tui.sources import NamedSource

DONE, FAILED, WRONG_USAGE, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141
DUMB_TERMINALS = ("", "dumb", "unknown")
NUMPY_WARNINGS = "(overflow|underflow|invalid value|divide by zero) encountered"
"""A value that cannot be computed is not finite, and shown so; stderr has no use for a warning."""
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `clr-tui` with `argv`; None means the arguments of the process.

    Returns:
        The exit code: 0 success, 1 the run failed, 2 usage error, 130 interrupted.
    """
    _ready_streams()
    warnings.filterwarnings("ignore", NUMPY_WARNINGS, RuntimeWarning)
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except UserError as error:
        return _print_error(error.message, WRONG_USAGE)
    except SystemExit as end:  # argparse, after --help and --version
        return end.code if isinstance(end.code, int) else DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _silence_stdout()
    except OSError as error:
        if error.errno not in DISK_ERRORS or error.filename is not None:
            return _print_error(_internal_error(error), FAILED)
        _silence_stdout()  # every other file that is written has its own error message
        return _print_error(f"cannot write to stdout: {error.strerror}", FAILED)
    except Exception as error:  # noqa: BLE001 - last resort: users get a line, not a traceback
        return _print_error(_internal_error(error), FAILED)
    return code


def _ready_streams() -> None:
    """Make stdin, stdout and stderr usable even if the caller closed them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file opened would get its number
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    nearest_characters.register()
    console_codec.register()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = console_codec.NAME if console_codec.is_console(stream) else None
            stream.reconfigure(encoding=encoding, errors=nearest_characters.NAME)


def _run(argv: Sequence[str]) -> int:
    from clr_tui.tui.cli.parser import build_parser

    args = build_parser().parse(argv)
    from clr_tui.engine.log.runs_folder import runs_dir  # late, so that --help need not load it

    if args.runs_dir == "":
        raise UserError("--runs-dir is empty; give a folder, or leave it out", "runs_dir")
    runs = runs_dir(args.runs_dir)
    if not runs.is_absolute():
        raise UserError("there is no home folder to store runs in; set HOME or give --runs-dir DIR")
    return COMMANDS.get(args.command, _start)(args, runs)


def _print_error(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):  # nobody reads stderr: the exit code has to do
        print(f"clr-tui: {plain(sentence)}", file=sys.stderr)
    return code


def _print_json(result: dict[str, Any]) -> None:
    from json import dumps

    print(dumps(result, indent=2))


def _silence_stdout() -> int:
    """Silence Python's own complaint at exit about a closed stdout (`clr-tui ls | head -1`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _internal_error(error: Exception) -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="clr-tui-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(type(error), error, error.__traceback__, file=file)
    return f"internal error ({type(error).__name__}); the traceback is in {file.name}"


def on_terminal() -> bool:
    """Return whether the terminal can show a screen (Textual writes to stderr)."""
    ours = all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
    )
    return ours and os.environ.get("TERM", "") not in DUMB_TERMINALS


def _wants_screen(args: argparse.Namespace) -> bool:
    return not (args.headless or args.json) and on_terminal()


def _screen(
    runs: Path,
    load: Callable[[], RunDir | Recording | Sequence[NamedSource]] | None = None,
    *,
    notify: Sequence[str] | None = None,
    speed: float = 1.0,
    at: float = 0.0,
) -> int:
    import gc

    # Importing makes many objects, none of them garbage: do not scan them after every 700.
    usual = gc.get_threshold()
    gc.set_threshold(50_000)
    from clr_tui.engine.log.runs_folder import state_dir
    from clr_tui.tui.app import ClrTuiApp
    from clr_tui.tui.views_file import FILE

    gc.set_threshold(*usual)
    state = state_dir()
    app = ClrTuiApp(
        runs,
        load=load,
        notify=notify or (),
        start_speed=speed,
        start_at=at,
        here=_working_directory(),
        views=state / FILE if state.is_absolute() else None,
    )
    app.run()
    if app.failure is not None:
        raise app.failure
    if app.return_message:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(app.return_message)
    _drop_unwritable()
    return app.return_code or DONE


def _working_directory() -> Path | None:
    from pathlib import Path

    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def _drop_unwritable() -> None:
    """Drop output that a vanished terminal did not take, lest it change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _home(args: argparse.Namespace, runs: Path) -> int:
    if _wants_screen(args):
        return _screen(runs, notify=args.notify)
    _list(args, runs)
    if not args.json:
        print("clr-tui: the screen needs a terminal; see clr-tui --help", file=sys.stderr)
    return DONE


def _start(args: argparse.Namespace, runs: Path) -> int:
    """Start a run of the kind that the command names; show or follow it unless detached."""
    from clr_tui.tui.cli.interrupts import Interrupts
    from clr_tui.tui.kinds.registry import KINDS
    from clr_tui.tui.launching import start_run

    if args.detach and args.notify:
        raise UserError(
            "--notify needs a command that stays: leave out --detach, or give it to clr-tui wait"
        )
    what = KINDS[args.command].load_command().settings(args, runs)

    def start() -> RunDir:
        return start_run(runs, *what, restarts=args.restarts)

    if args.detach:
        return _detached(start(), json=args.json)
    if _wants_screen(args):
        run = start()
        return _screen(runs, lambda: run, notify=args.notify)
    with Interrupts() as interrupts:
        run = start()
        return _follow(run, interrupts, args, owner=True)


def _resume(args: argparse.Namespace, runs: Path) -> int:
    """Continue a run, and show or follow it unless detached."""
    from clr_tui.engine.log.rundir import find_run
    from clr_tui.tui.cli.interrupts import Interrupts
    from clr_tui.tui.resuming import resume_run

    if args.detach and args.notify:
        raise UserError(
            "--notify needs a command that stays: leave out --detach, or give it to clr-tui wait"
        )
    run = find_run(runs, args.run)

    def resume() -> None:
        words = resume_run(
            run, reason="asked by clr-tui resume", epochs=args.epochs, restarts=args.restarts
        )
        if words:
            print(f"clr-tui: {plain(words)}", file=sys.stderr)

    if args.detach:
        resume()
        return _detached(run, json=args.json)
    if _wants_screen(args):
        resume()
        return _screen(runs, lambda: run, notify=args.notify)
    with Interrupts() as interrupts:
        resume()
        return _follow(run, interrupts, args, owner=True)


def _detached(run: RunDir, *, json: bool) -> int:
    if json:
        kind = run.config().kind
        _print_json({"run": run.id, "kind": kind, "status": "starting", "path": str(run.path)})
    else:
        print(run.id)
    return DONE


def _follow(run: RunDir, interrupts: Interrupts, args: argparse.Namespace, *, owner: bool) -> int:
    from clr_tui.tui.cli.headless import follow_and_print

    try:
        return follow_and_print(
            run, interrupts, owner=owner, json=args.json, alerts=_alerts(args.notify)
        )
    except UserError as error:  # the run has started, so this is no usage error
        return _print_error(error.message, FAILED)


def _alerts(notify: Sequence[str] | None) -> Alerts | None:
    """Tell what happens to runs without a screen, in these ways."""
    if not notify:
        return None
    from clr_tui.tui.alerts import Alerts
    from clr_tui.tui.terminal_notes import teller, write_to_terminal

    return Alerts(teller(notify, write_to_terminal))


def _wait(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.log.rundir import find_run
    from clr_tui.tui.cli.headless import wait
    from clr_tui.tui.cli.interrupts import Interrupts

    run = find_run(runs, args.run)
    with Interrupts() as interrupts:
        return wait(run, interrupts, json=args.json, alerts=_alerts(args.notify))


def _attach(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.log.rundir import find_run
    from clr_tui.tui.cli.interrupts import Interrupts

    run = find_run(runs, args.run)
    run.config()
    if _wants_screen(args):
        return _screen(runs, lambda: run, notify=args.notify)
    with Interrupts() as interrupts:
        return _follow(run, interrupts, args, owner=False)


def _list(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.tui.cli.manage import list_object, list_text

    if args.json:
        _print_json(list_object(runs))
    else:
        print(list_text(runs))
    return DONE


def _stop(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.tui.cli.interrupts import Interrupts
    from clr_tui.tui.cli.manage import STOP_DEADLINE, after_deadline, stop, summary_object

    with Interrupts() as interrupts:
        summary = stop(runs, args.run, interrupts)
    if summary is None and (interrupts.interrupted or interrupts.terminated):
        return _print_error("the run is stopping, but has not ended yet", INTERRUPTED)
    if summary is None:
        said = f"the run is stopping, but has not ended after {STOP_DEADLINE:.0f} s"
        return _print_error(f"{said}; {after_deadline(runs, args.run)}", FAILED)
    if args.json:
        _print_json(summary_object(summary))
    else:
        print(plain(f"{summary.id} is {summary.status}"))
    return DONE


def _remove(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.log.removal import removal_message
    from clr_tui.tui.cli.manage import remove

    removed = remove(runs, args.run, yes=args.yes)
    if args.json:
        run, kept = removed or (None, [])
        _print_json({"removed": run.id if run else None, "kept": kept})
    elif removed is not None:
        print(plain(removal_message(*removed)))
    return DONE if removed is not None else FAILED


def _watch(args: argparse.Namespace, runs: Path) -> int:
    if args.kind:
        return _watch_as(args, runs)
    from clr_tui.tui.cli.interrupts import Interrupts

    def load() -> Sequence[NamedSource]:
        from clr_tui.tui.watched import find_watched

        return find_watched(runs, args.paths, _mapping_of(args))

    if _wants_screen(args) and not args.follow:
        return _screen(runs, load, notify=args.notify)
    from clr_tui.tui.cli.watch import watch

    with Interrupts() as interrupts:
        return watch(
            load(), interrupts, follow=args.follow, json=args.json, alerts=_alerts(args.notify)
        )


def _watch_as(args: argparse.Namespace, runs: Path) -> int:
    """Show what a log holds now as a run of the kind that `--as` names."""
    if args.follow:
        raise UserError("--as shows what a log holds now: leave out --follow")
    if len(args.paths) > 1:
        raise UserError("--as takes one file or folder, which may hold several runs")
    args.run = args.paths[0] if args.paths else os.curdir
    if _wants_screen(args):
        return _screen(runs, lambda: _find_recording(args, runs), speed=math.inf)
    args.at = args.svg = None
    return _print_replay(args, _find_recording(args, runs))


def _find_recording(args: argparse.Namespace, runs: Path) -> Recording:
    from clr_tui.tui.exporting import find_recording

    return find_recording(runs, args.run, _mapping_of(args), args.kind or "")


def _mapping_of(args: argparse.Namespace) -> Mapping:
    from clr_tui.engine.analysis.foreign.foreign_log import Mapping

    return Mapping(x=args.x or "", y=tuple(args.y or ()))


def _replay(args: argparse.Namespace, runs: Path) -> int:
    if args.json and args.svg == "-":
        raise UserError("--json and --svg - both go to stdout; give --svg a file")
    screen = _wants_screen(args) and args.svg is None
    if not screen and args.speed is not None and math.isfinite(args.speed):
        raise UserError(
            f"--speed {args.speed:g} needs a screen; without one, replay prints the result at once"
        )

    def load() -> Recording:
        return _with_target(_find_recording(args, runs), args.target)

    if screen:
        speed = 1.0 if args.speed is None else args.speed
        return _screen(runs, load, speed=speed, at=args.at or 0.0)
    return _print_replay(args, load())


def _print_replay(args: argparse.Namespace, recording: Recording) -> int:
    from clr_tui.engine.analysis.report import report_of
    from clr_tui.tui.cli.printing import charts_of, print_result
    from clr_tui.tui.exporting import charts_svg, history_at, is_alive, write

    at = 1.0 if args.at is None else args.at
    history = history_at(recording, at)
    _warn_of_damage(history)
    alive = at < 1 or is_alive(recording)
    if args.svg is not None:
        report = report_of(history, live=alive)
        write(args.svg, charts_svg(charts_of(history, report), report.run))
    if args.svg != "-":
        print_result(history, alive=alive, json=args.json)
    return DONE


def _with_target(recording: Recording, target: float | None) -> Recording:
    if target is None:
        return recording
    config = recording.config
    if "target" not in config.job.__struct_fields__:
        raise UserError(f"--target is for comparisons, which '{config.id}' is not: leave it out")
    from dataclasses import replace

    from msgspec.structs import replace as with_changes

    from clr_tui.engine.settings.limits import SHARE

    if not config.task.task and (mistake := SHARE.mistake("target", target)):
        raise mistake
    job = with_changes(config.job, target=target)
    return replace(recording, config=with_changes(config, job=job))


def _warn_of_damage(history: RunHistory) -> None:
    """Print to stderr what could not be read in a log, since the result may lack it."""
    from clr_tui.tui.text.status import log_notices

    for notice in log_notices(history):
        print(f"clr-tui: {notice}", file=sys.stderr)


def _import(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.analysis.recordings.importing import import_recording
    from clr_tui.tui.exporting import find_recordings

    imported: list[dict[str, str]] = []
    for name in args.paths:
        for recording in find_recordings(runs, name, _mapping_of(args)):
            run = import_recording(runs, recording)
            imported.append({"run": run.id, "path": str(recording.path)})
            if not args.json:
                print(plain(run.id))
    if args.json:
        _print_json({"imported": imported})
    return DONE


def _export(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.analysis.report import report_of
    from clr_tui.tui.cli.export_files import check_files, export
    from clr_tui.tui.exporting import history_at, is_alive

    check_files(args)
    recording = _find_recording(args, runs)
    history = history_at(recording, 1.0)
    _warn_of_damage(history)
    export(args, history, report_of(history, live=is_alive(recording)))
    return DONE


def _report(args: argparse.Namespace, runs: Path) -> int:
    from clr_tui.engine.analysis.report import report_of
    from clr_tui.tui.cli.printing import json_text
    from clr_tui.tui.cli.report_html import html
    from clr_tui.tui.cli.report_markdown import markdown
    from clr_tui.tui.cli.report_page import page_of
    from clr_tui.tui.exporting import history_at, is_alive, write

    recording = _find_recording(args, runs)
    history, alive = history_at(recording, 1.0), is_alive(recording)
    report = report_of(history, live=alive)
    if args.json:
        write("-", json_text(report))
        return DONE
    page = page_of(history, report, alive=alive)
    as_html = args.html or args.output.lower().endswith((".html", ".htm"))
    write(args.output, html(page) if as_html else markdown(page))
    return DONE


def _new_task(args: argparse.Namespace, _: Path) -> int:
    import shlex

    from clr_tui.tui.cli.new_task import write_task

    path = write_task(args.file, args.kind)
    if args.json:
        _print_json({"file": str(path), "kind": args.kind})
    else:
        command = f"clr-tui range-test --task {shlex.quote(args.file)}"
        print(plain(f"wrote {args.file}; it runs as it is: {command}"))
    return DONE


COMMANDS: dict[str | None, Callable[[argparse.Namespace, Path], int]] = {
    None: _home,
    "attach": _attach,
    "wait": _wait,
    "ls": _list,
    "stop": _stop,
    "resume": _resume,
    "rm": _remove,
    "watch": _watch,
    "replay": _replay,
    "import": _import,
    "export": _export,
    "report": _report,
    "new-task": _new_task,
}
