"""The base of all run screens.

A screen polls a source of events, live or recorded, four times a second. Everything it shows comes
from its `RunHistory`, and its commands go to the run's commands file, so closing it never affects
the run.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.timer import Timer
from textual.types import CSSPathType

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Bounds, report_of
from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.commands import Command, Continue, Pause, SetBounds, Stop, send
from clr_tui.engine.log.last_words import how_it_ended
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.words import exact_lr
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.charts.png import to_png
from clr_tui.tui.cli.report_html import html
from clr_tui.tui.cli.report_page import page_of
from clr_tui.tui.keys import NO_OUTPUT, NO_TASK, Mode
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.launching import as_asked
from clr_tui.tui.resuming import RESUMABLE, resume_run
from clr_tui.tui.screens.bounds_dialog import BoundsDialog
from clr_tui.tui.screens.chart_screen import ChartScreen
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.export_dialog import ExportDialog, Exports
from clr_tui.tui.sources import ReplaySource, Source
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line, wrap_line
from clr_tui.tui.text.output import shown_rows
from clr_tui.tui.text.status import (
    failure_words,
    notices,
    paused_or_stopped_words,
    progress_bar,
    refusal,
    status_of,
    title_of,
    traceback_of,
    waiting_words,
)
from clr_tui.tui.widgets.key_footer import KeyFooter
from clr_tui.tui.widgets.output_view import MISSING, OWN_PROGRAM, OutputView
from clr_tui.tui.widgets.panel import Panel
from clr_tui.tui.widgets.replay_bar import ReplayBar
from clr_tui.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from clr_tui.tui.shell import Shell

POLL_SECONDS = 0.25
DRAWING_SHARE = 0.25
"""Maximum share of the time spent drawing."""
CPU_SECONDS = 1.0
"""Minimum seconds between drawings of a run that trains on the CPU: drawing takes cores from
training, and each step needs them all."""
UNPACED_SECONDS = 6.0
"""That limit starts this long after the run's start, so that short runs visibly progress."""
OUTPUT_SECONDS = 1.0
"""Seconds between two looks at the worker's output, while it is shown."""
HINT_SECONDS = 6.0
TRACEBACK_SHARE = 0.4
"""Largest share of the screen's height for a failed run's message and traceback."""
LOG_GONE = "The log of this run was deleted; the screen shows what was read before."
SEEK_SHARE = 0.05
"""Share of a recording that one key press skips."""


class RunScreen(ChartScreen):
    """A run, live or recorded; subclasses draw it. `run` is for commands, None for a recording."""

    CSS_PATH: ClassVar[CSSPathType | None] = Path(__file__).with_suffix(".tcss")
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance's
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-normal"),
        (140, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-low"), (36, "-tall")]  # noqa: RUF012 - Textual declares it as an instance's
    app: Shell
    key_screen: str
    noun: ClassVar[str] = "run"
    again_title = ""
    """Title of the form that runs it again; empty for the default."""
    first_unit: ClassVar[str] = "step"
    """The first thing that the charts show."""
    pausing: ClassVar[str] = "Pausing after the current step; press space to continue."
    export_words: str = ".svg or .png charts as shown, .csv every step, .json the result"
    """What the suffixes of exports mean."""
    has_page = True
    """Whether its result can be written as one page."""

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__()
        self.source = source
        self.config = config
        self.run_dir = run
        self.history = RunHistory(config)
        self.status = status_of(self.history, alive=True)
        self.key_mode: Mode | None = self._mode()
        self._hint = ""
        self._hint_timer: Timer | None = None
        self._log_gone = False
        self._shown: object = None
        self._draw_from = 0.0
        self._output_from: float | None = None
        """When to read the worker's output next; None while it is hidden."""
        self._read = 1.0
        """Share of a long log read so far, 0 to 1; it is drawn at 1."""

    def compose(self) -> ComposeResult:
        """Lays out title, body, message, replay bar and keys."""
        has_worker = JOB_KINDS[self.config.kind].has_worker
        self.key_screen += "" if has_worker and self.source.output is not None else NO_OUTPUT
        self.key_screen += "" if self.repeatable else NO_TASK
        yield TitleBar(id="title")
        yield from self.compose_body()
        missing = MISSING if has_worker else OWN_PROGRAM
        yield OutputView(self.source.output, missing=missing, id="output")
        yield Panel(id="message", dots=True)
        if self.source.replay:
            yield ReplayBar(id="replay")
        yield KeyFooter(self.key_screen, self.key_mode)

    def compose_body(self) -> ComposeResult:
        """Lays out what is between title and message."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Starts to follow the log."""
        self.set_interval(POLL_SECONDS, self.poll)

    def on_screen_resume(self) -> None:
        """Draws everything, at first and after another screen was in front."""
        self._shown, self._draw_from = None, 0.0
        if self._output_from is not None:
            self._output_from = 0.0
        self.call_after_refresh(self.poll)

    def on_resize(self) -> None:
        """Wraps text to the new width."""
        self.call_after_refresh(self.show_all)

    def poll(self) -> None:
        """Reads new events and, if the screen is in front, draws changes."""
        if not self.app.is_running:  # it is being taken down: a part of its widgets is gone
            return
        # Checked first, so that everything a worker wrote before it ended is read below.
        alive = self.source.live
        try:
            batch = self.source.poll()
        except (UserError, OSError) as error:
            self.say(str(error))
            return
        self._feed(batch)
        self._read = min(batch.portion if batch.more else 1.0, self.read_others())
        if self._read < 1:
            # A long log is read in pieces, so that keys are handled in between.
            self.call_later(self.poll)
            self.show_title()
            return
        if isinstance(self.source, ReplaySource):
            alive = not self.source.finished
            self.query_one(ReplayBar).show(self.source)
        now = None if self.source.replay else self.app.wall()
        before, self.status = self.status, status_of(self.history, alive=alive, now=now)
        self._look()
        self.key_mode = self._mode()
        self.query_one(KeyFooter).show(self.key_mode, self.key_tool)
        if self.run_dir is not None and self.history.started is not None:
            self._log_gone = not self.run_dir.events_path.exists()
        state = self.state()
        now = self.app.clock()
        due = now >= self._draw_from or self.status != before
        if self.is_active and due and state != self._shown:
            self._shown = state
            self.show_all()
            # A log of a million steps is slow to analyse: keys are handled in between.
            self._draw_from = now + self._drawing_pause(self.app.clock() - now)
        self._read_output()

    def _look(self) -> None:
        """Tells what has happened, if the user wants to be told; a trial is not a run."""
        alerts = self.app.alerts
        if alerts is not None and not self.source.replay and self.noun == RunScreen.noun:
            alerts.look_at_history(self.config.id, self.history, self.status.state, self.app.wall())

    def read_others(self) -> float:
        """Reads what else the screen shows, in pieces; returns the share that has been read."""
        return 1.0

    def state(self) -> Hashable:
        """Returns what differs if there is something new to draw."""
        return self.history.version, self.status, self._log_gone

    def _read_output(self) -> None:
        """Shows what the worker has printed, if that is to be seen."""
        now = self.app.clock()
        if self._output_from is None or not self.is_active or now < self._output_from:
            return
        self._output_from = now + OUTPUT_SECONDS - POLL_SECONDS / 2
        self.query_one(OutputView).read()

    def _drawing_pause(self, took: float) -> float:
        """Returns the seconds between the starts of a drawing that `took` so long and the next."""
        # Polls may be early or late: half an interval less lets the intended one draw.
        least = CPU_SECONDS - POLL_SECONDS / 2 if self._shares_cores() else 0.0
        return max(took / DRAWING_SHARE, least)

    def _shares_cores(self) -> bool:
        """Whether drawing slows down a training that is past its first seconds."""
        history = self.history
        if self.source.replay or history.device is None or history.device.device != "cpu":
            return False
        return (history.last_time or 0.0) - (history.first_time or 0.0) > UNPACED_SECONDS

    def _feed(self, batch: Batch) -> None:
        """Feeds new events; reports a command that was refused just now."""
        known = self.history.started is not None
        refused = len(self.history.refused)
        self.history.feed(batch)
        if known and len(self.history.refused) > refused:
            self.say(f"{refusal(self.history).rstrip('.')}.")

    def _mode(self) -> Mode:
        if self.source.replay:
            return "replay"
        if self.config.foreign and self.run_dir is None:
            return "watch"
        if self.run_dir is not None and self.status.state in RESUMABLE:
            return "unfinished"
        return "ended" if self.status.ended else "live"

    def show_all(self) -> None:
        """Draws everything; widgets repaint only differences."""
        if not self.is_mounted:
            return
        self.show_title()
        self.show_history()
        self.show_message()

    def show_history(self) -> None:
        """Draws what is between title and message."""
        raise NotImplementedError

    def verdict(self) -> list[Line]:
        """Returns the lines below the charts when nothing is wrong."""
        raise NotImplementedError

    def remarks(self) -> list[str]:
        """Returns more sentences, most important first, shown if there is space."""
        return []

    def show_title(self) -> None:
        """Draws the title line."""
        device = self.history.device
        where = plain(device.device) if device is not None else ""
        reading = f"reading its log, {self._read:.0%}"
        words = self.status_words() if self._read == 1 else reading
        if self.source.replay:
            words = f"replay  {words}"
        self.query_one(TitleBar).show(self.title_words(), words, self.status.role, where)

    def title_words(self) -> str:
        """Returns the title."""
        return title_of(self.config, self.history)

    def status_words(self) -> str:
        """Returns the run's state, shown right of the title."""
        return self.status.words

    def show_message(self) -> None:
        """Draws the lines below the charts: the hint, what went wrong, the verdict, notices."""
        panel = self.query_one("#message", Panel)
        width = panel.content_size.width
        shown: list[Line] = []
        if self._hint:
            shown += wrap_line(self._hint, width, "suggestion")
        if self.readings_in_message():
            shown += self.readings_in_lines(width)
        wrong = self.failure()
        for words in (wrong, LOG_GONE if self._log_gone else ""):
            if words:
                shown += wrap_line(words, width, "diverged")
        if traced := _rows_of(self.traceback(), width):
            room = self.size.height * TRACEBACK_SHARE
            panel.styles.height = max(min(len(shown) + len(traced), int(room)), 5)
            shown += _innermost(traced, panel.content_size.height - len(shown))
        elif panel.styles.inline.has_rule("height"):
            panel.styles.height = None
        if pause_words := self.pause_words():
            shown += wrap_line(pause_words, width, "suggestion")
        panel.set_class(bool(wrong), "-trouble")
        # A finished run has more to report, and its layout no longer moves.
        panel.set_class(self.status.ended, "-ended")
        if not wrong or self.history.has_results:
            shown += self.verdict()
        for notice in self.notices():
            shown += wrap_line(f"! {notice}", width, "suggestion", indent="  ")
        for remark in self.remarks():
            lines = wrap_line(remark, width)
            if len(shown) + len(lines) <= panel.content_size.height:
                shown += lines  # only whole sentences
        panel.set_lines(shown)

    def failure(self) -> str:
        """Returns why the run failed or was lost; empty if it was not."""
        if self._log_gone and self.status.state == "lost":
            return ""  # that is why its worker ended, and there is no output to read
        how = ""
        if self.status.state == "lost" and self.run_dir is not None:
            how = how_it_ended(self.run_dir.log_path, self.history.worker)
        return failure_words(
            self.history,
            self.status.state,
            log_of(self.run_dir),
            how,
            resumable=self._mode() == "unfinished",
        )

    def traceback(self) -> list[str]:
        """Returns the user's own lines of the traceback of a failed run."""
        return traceback_of(self.history)

    def pause_words(self) -> str:
        """Returns a sentence about a paused or stopped run; empty for any other."""
        return paused_or_stopped_words(self.history, self.status.state)

    def notices(self) -> list[str]:
        """Returns what the reader of the log has to say, a sentence each."""
        return notices(self.history)

    def on_panel_resized(self, event: Panel.Resized) -> None:
        """Fits the message to its new height."""
        if event.panel.id == "message":
            self.show_message()

    def words(self, text: str, role: Role = "text") -> list[Line]:
        """Wraps `text` to the message's width."""
        return wrap_line(text, self.query_one("#message", Panel).content_size.width, role)

    def waiting(self) -> str:
        """Returns the text of empty charts."""
        if self._read < 1:
            return "Reading its log ..."
        words = waiting_words(self.history, self.status.state, self.first_unit)
        bar = progress_bar(self.history, self.status.state, 24)
        return f"{words}  {bar}" if bar else words

    def show_readings(self) -> None:
        """Shows what is read at the cursor, and the keys in use."""
        self.query_one(KeyFooter).show(self.key_mode, self.key_tool)
        self.show_message()

    def readings_in_message(self) -> bool:
        """Whether the message shows what is read at the cursor."""
        return True

    def say(self, text: str) -> None:
        """Shows a sentence below the charts for `HINT_SECONDS`."""
        self._hint = text
        if self._hint_timer is not None:
            self._hint_timer.stop()
        self._hint_timer = self.set_timer(HINT_SECONDS, self._clear_hint)
        self.show_message()

    def _clear_hint(self) -> None:
        self._hint = ""
        self.show_message()

    def order(self, command: Command, done: str) -> bool:
        """Sends `command` to the worker and shows `done`, or why it could not be sent."""
        if not self.require_live():
            return False
        assert self.run_dir is not None
        try:
            send(self.run_dir, command)
        except UserError as error:
            self.say(error.message)
            return False
        self.say(done)
        return True

    def require_live(self) -> bool:
        """Whether there is a worker to command; shows a sentence if not."""
        if self.source.replay:
            self.say("This is a recording: there is no worker to control.")
        elif self.config.foreign and self.run_dir is None:
            self.say("This is the log of another program, which clr-tui only reads.")
        elif self.run_dir is None or self.status.ended:
            again = ": press r to run it again" if JOB_KINDS[self.config.kind].has_worker else ""
            self.say(f"This {self.noun} has ended ({self.status.state}){again}.")
        else:
            return True
        return False

    def action_pause(self) -> None:
        """Pauses or continues the replay or the run."""
        if isinstance(self.source, ReplaySource):
            self.source.toggle()
            self.poll()
        elif self.history.paused:
            self.order(Continue(), "Continuing.")
        else:
            self.order(Pause(), self.pausing)

    def action_stop(self) -> None:
        """Stops the run after confirmation."""
        if not self.require_live():
            return
        question = ConfirmScreen(
            f"Stop {self.config.id}?", "stop", KINDS[self.config.kind].stopping
        )
        self.app.push_screen(question, self._stop)

    def _stop(self, confirmed: bool | None) -> None:
        if confirmed:
            self.order(Stop(reason="stopped from the screen"), "Stopping after the current step.")

    def action_resume(self) -> None:
        """Continues a run that was stopped, failed or died; its events then come to this screen."""
        if self.run_dir is None:
            self.say("This is a recording: there is no run to continue.")
            return
        self.say("Continuing the run from its newest checkpoint.")
        self.run_worker(
            partial(self._resume, self.run_dir), group="do", thread=True, exit_on_error=False
        )

    def _resume(self, run: RunDir) -> None:
        try:
            resume_run(run, reason="asked for on the screen")
        except UserError as error:
            self.app.call_from_thread(self.say, f"{error.message}.")

    def action_type_bounds(self) -> None:
        """Asks for new bounds, which the live run uses from its next step."""
        if not self.require_live():
            return
        bounds = Bounds(*self.history.bounds) if self.history.bounds else None
        note = "The schedule continues between these from the next step."
        self.app.push_screen(BoundsDialog(bounds, note), self._typed_bounds)

    def _typed_bounds(self, bounds: Bounds | None) -> None:
        if bounds is not None:
            low, high = exact_lr(bounds.base_lr), exact_lr(bounds.max_lr)
            self.order(
                SetBounds(base_lr=bounds.base_lr, max_lr=bounds.max_lr),
                f"Bounds {low} to {high} from the next step.",
            )

    def action_run_again(self) -> None:
        """Opens the form with this run's settings; a failed run's error is shown at its field."""
        job = self.config.job
        if job is None or not self.repeatable:
            self.say("This recording does not name its task, so it cannot be run again.")
            return
        error = None
        finished = self.history.finished
        if finished is not None and finished.outcome == "failed":
            error = UserError(finished.message, finished.field)
        self.app.new_run(self.config.task, as_asked(job), self.parent_id, error, self.again_title)

    @property
    def repeatable(self) -> bool:
        """Whether the task is known: an imported curve or a log alone does not name it."""
        return bool(self.config.task.model)

    @property
    def parent_id(self) -> str | None:
        """The parent of runs started from here."""
        return self.run_dir.id if self.run_dir is not None else None

    def action_toggle_output(self) -> None:
        """Shows or hides the worker's output: below the charts, or in their place if it is low."""
        shown = self._output_from is None
        self._output_from = 0.0 if shown else None
        self.set_class(shown, "-output")
        self.call_after_refresh(self._read_output)

    def action_scroll_output(self, pages: int) -> None:
        """Scrolls the worker's output."""
        if self._output_is_shown():
            self.query_one(OutputView).scroll_pages(pages)

    def action_output_end(self, end: bool) -> None:
        """Goes to the start of the worker's output, or to its end to follow it."""
        if self._output_is_shown():
            self.query_one(OutputView).scroll_to_edge(end=end)

    def _output_is_shown(self) -> bool:
        if self._output_from is None:
            self.say("This key scrolls the worker's output: press l to show it.")
        return self._output_from is not None

    def _replay(self) -> ReplaySource | None:
        if isinstance(self.source, ReplaySource):
            return self.source
        self.say("This key is for replays: `clr-tui replay` plays a run's log.")
        return None

    def action_seek(self, direction: int) -> None:
        """Skips back (-1) or forward (1) by `SEEK_SHARE`."""
        if (source := self._replay()) is not None:
            source.seek(source.position + direction * SEEK_SHARE)
            self.poll()

    def action_speed(self, direction: int) -> None:
        """Plays slower (-1) or faster (1)."""
        if (source := self._replay()) is not None:
            (source.faster if direction > 0 else source.slower)()
            self.poll()

    def exports(self) -> Exports:
        """Returns the export formats by suffix, the usual one first."""
        raise NotImplementedError

    def _all_exports(self) -> Exports:
        """What the kind exports, its charts as PNG too, and the page of the result."""
        own = self.exports()
        pictures: Exports = {}
        if (svg := own.get(".svg")) is not None:
            pictures = {".svg": svg, ".png": lambda: to_png(str(svg()))}
        page: Exports = {".html": self._result_page} if self.has_page else {}
        return {**pictures, **own, **page}

    def _result_page(self) -> str:
        alive = not self.status.ended
        return html(page_of(self.history, report_of(self.history, live=alive), alive=alive))

    def has_begun(self) -> bool:
        """Whether there is something to export."""
        return self.history.began

    def action_export(self) -> None:
        """Opens the export dialog."""
        if not self.has_begun():
            self.say("There is nothing to export before the first losses.")
            return
        words = f"The suffix sets the format: {self.export_words}."
        if self.has_page:
            words = f"{words[:-1]}, .html a page of it all."
        dialog = ExportDialog(self.config.id, self._all_exports(), words)
        self.app.push_screen(dialog, self._exported)

    def _exported(self, written: str | None) -> None:
        if written:
            self.say(f"Written to {written}")


def _rows_of(traceback: list[str], width: int) -> list[Line]:
    """Wraps the lines of a traceback."""
    return [
        ((row, "muted" if line.startswith("File ") else "text"),)
        for line in traceback
        for row in shown_rows(line, width)
    ]


def _innermost(rows: list[Line], room: int) -> list[Line]:
    """The rows of a traceback that fit, those of the error itself rather than the outer ones."""
    if len(rows) <= room:
        return rows
    return [(("...", "muted"),), *rows[len(rows) - max(room - 1, 0) :]]


def log_of(run: RunDir | None) -> str:
    """Names the file with the worker's own output."""
    return str(run.log_path) if run is not None else "its worker.log"
