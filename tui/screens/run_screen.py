"""What the screens of all runs share: one reader of one log.

A screen holds a `RunHistory` and a source of events, living or recorded, and polls it four times
a second. All that it shows comes from the history; all that it orders goes to the run's commands
file. Closing it ends a reader and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.timer import Timer
from textual.types import CSSPathType

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, Continue, Pause, Stop, send
from clr_tui.tui.charts.chart import Chart, Role
from clr_tui.tui.keys import Mode
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.export_dialog import ExportDialog, Exports
from clr_tui.tui.screens.quiet import QuietScreen
from clr_tui.tui.sources import ReplaySource
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line, wrapped
from clr_tui.tui.text.status import (
    notices,
    progress_bar,
    refusal,
    standing,
    status_of,
    title_of,
    trouble,
    waiting_words,
)
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.key_footer import KeyFooter
from clr_tui.tui.widgets.panel import Panel
from clr_tui.tui.widgets.replay_bar import ReplayBar
from clr_tui.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.log.tail import Batch
    from clr_tui.engine.settings.config import RunConfig
    from clr_tui.tui.shell import Shell
    from clr_tui.tui.sources import Source

POLL_SECONDS = 0.25
DRAWING_SHARE = 0.25
"""Of the time, at most, goes to drawing."""
CPU_SECONDS = 1.0
"""Between two drawings of a run that trains on the CPU: the cores that draw are those that train,
and each step needs them all."""
EAGER_SECONDS = 6.0
"""From a run's begin, in which that does not hold: what is soon over shall be seen to move."""
HINT_SECONDS = 6.0
SEEK = 0.05
"""How much of a recording one key press goes back or forth."""


class RunScreen(QuietScreen[None]):
    """A run, living or recorded. Subclasses say what to draw of it.

    Args:
        source: where its events come from.
        config: what it was asked to do.
        run: its directory, which takes orders; None for a recording.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = Path(__file__).with_suffix(".tcss")
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance's
        (0, "-narrow"),
        (100, "-normal"),
        (140, "-wide"),
    ]
    app: Shell
    key_screen: str
    noun: ClassVar[str] = "run"
    again_title = ""
    """What the form is for that runs it again; empty: just that."""
    waits_for: ClassVar[str] = "step"
    """What the charts begin with."""
    pausing: ClassVar[str] = "Pausing after the step at hand; space goes on."
    export_words: ClassVar[str] = (
        "By its suffix: .svg the charts as shown, .csv every step, .json the result."
    )

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
        self._read = 1.0
        """How much of a long log has been read, 0 to 1: it is drawn when it is there."""

    def compose(self) -> ComposeResult:
        """Title, what there is to see, message, replay bar, keys."""
        yield TitleBar(id="title")
        yield from self.compose_body()
        yield Panel(id="message", dots=True)
        if self.source.replay:
            yield ReplayBar(id="replay")
        yield KeyFooter(self.key_screen, self.key_mode)

    def compose_body(self) -> ComposeResult:
        """What there is to see between the title and the message."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begins to follow the log."""
        self.set_interval(POLL_SECONDS, self.poll)

    def on_screen_resume(self) -> None:
        """Draws everything: for the first time, or after another screen was in front."""
        self._shown, self._draw_from = None, 0.0
        self.call_after_refresh(self.poll)

    def on_resize(self) -> None:
        """Wraps words anew."""
        self.call_after_refresh(self.show_all)

    # -- following -------------------------------------------------------------------------

    def poll(self) -> None:
        """Reads what is new and, with nothing in front, shows what it changed."""
        # Asked first: what a worker wrote before it ended is then surely read below.
        alive = self.source.live
        try:
            batch = self.source.poll()
        except (UserError, OSError) as error:
            self.say(str(error))
            return
        self._feed(batch)
        if batch.more:
            # A long log comes in pieces, so that keys are answered between them.
            self.call_later(self.poll)
            self._read = batch.portion
            self.show_title()
            return
        self._read = 1.0
        if isinstance(self.source, ReplaySource):
            alive = not self.source.finished
            self.query_one(ReplayBar).show(self.source)
        before, self.status = self.status, status_of(self.history, alive=alive)
        self.key_mode = self._mode()
        self.query_one(KeyFooter).show(self.key_mode)
        self._log_gone = self._is_log_gone()
        state = (self.history.version, self.status, self._log_gone)
        now = self.app.clock()
        due = now >= self._draw_from or self.status != before
        if self.is_active and due and state != self._shown:
            self._shown = state
            self.show_all()
            # A log of a million steps takes its time to judge: keys are answered in between.
            self._draw_from = now + self._rest(self.app.clock() - now)

    def _rest(self, took: float) -> float:
        """Seconds from the begin of a drawing that `took` so many to that of the next."""
        # Polls come a little early or late: half of one less, so that the one in time draws.
        least = CPU_SECONDS - POLL_SECONDS / 2 if self._shares_cores() else 0.0
        return max(took / DRAWING_SHARE, least)

    def _shares_cores(self) -> bool:
        """Whether drawing takes from a training that has been going on for a while."""
        history = self.history
        if self.source.replay or history.device is None or history.device.device != "cpu":
            return False
        return (history.last_time or 0.0) - (history.first_time or 0.0) > EAGER_SECONDS

    def _feed(self, batch: Batch) -> None:
        """Takes what is new; an order that was refused just now is told at once."""
        known = self.history.started is not None
        refused = len(self.history.refused)
        self.history.feed(batch)
        if known and len(self.history.refused) > refused:
            self.say(f"{refusal(self.history).rstrip('.')}.")

    def _mode(self) -> Mode:
        if self.source.replay:
            return "replay"
        return "ended" if self.status.ended else "live"

    def _is_log_gone(self) -> bool:
        if self.run_dir is None or self.history.started is None:
            return False
        return not self.run_dir.events_path.exists()

    def show_all(self) -> None:
        """Draws everything; widgets repaint only what differs."""
        if not self.is_mounted:
            return
        self.show_title()
        self.show_history()
        self.show_message()

    def show_history(self) -> None:
        """Draws what stands between the title and the message."""
        raise NotImplementedError

    def verdict(self) -> list[Line]:
        """What to say below the charts when nothing is wrong."""
        raise NotImplementedError

    def remarks(self) -> list[str]:
        """What else there is to say, most important first, as far as there is room."""
        return []

    def show_title(self) -> None:
        """Draws the line at the top."""
        device = self.history.device
        where = plain(device.device) if device is not None else ""
        words = self.standing_words()
        if self._read < 1:
            words = f"reading its log, {self._read:.0%}"
        if self.source.replay:
            words = f"replay  {words}"
        self.query_one(TitleBar).show(self.title_words(), words, self.status.role, where)

    def title_words(self) -> str:
        """What is run."""
        return title_of(self.config, self.history)

    def standing_words(self) -> str:
        """How the run stands, on the right of the title."""
        return self.status.words

    def show_message(self) -> None:
        """Draws the lines below the charts: the hint, what went wrong, the verdict, notices."""
        panel = self.query_one("#message", Panel)
        width = panel.content_size.width
        told: list[Line] = []
        if self._hint:
            told += wrapped(self._hint, width, "suggestion")
        wrong = trouble(self.history, self.status.state, log_of(self.run_dir))
        if self._log_gone and self.status.state == "lost":
            wrong = ""  # its worker ended for that, and left no output to read
        if wrong:
            told += wrapped(wrong, width, "diverged")
        if self._log_gone:
            told += wrapped(
                "The log of this run was deleted: what had been read is still shown.",
                width,
                "diverged",
            )
        if held := standing(self.history, self.status.state):
            told += wrapped(held, width, "suggestion")
        panel.set_class(bool(wrong), "-trouble")
        # More is to be said of a run that is over, and nothing moves any more.
        panel.set_class(self.status.ended, "-ended")
        if not wrong or any(len(trial) for trial in self.history.trials.values()):
            told += self.verdict()
        for notice in notices(self.history):
            told += wrapped(f"! {notice}", width, "suggestion", indent="  ")
        for remark in self.remarks():
            lines = wrapped(remark, width)
            if len(told) + len(lines) <= panel.content_size.height:
                told += lines  # whole sentences or none of them
        panel.set_lines(told)

    def on_panel_resized(self, event: Panel.Resized) -> None:
        """Says as much as its new height has room for."""
        if event.panel.id == "message":
            self.show_message()

    def words(self, text: str, role: Role = "text") -> list[Line]:
        """`text` wrapped to the message's width."""
        return wrapped(text, self.query_one("#message", Panel).content_size.width, role)

    def waiting(self) -> str:
        """What the charts say before there is anything to draw."""
        if self._read < 1:
            return "Reading its log ..."
        words = waiting_words(self.history, self.status.state, self.waits_for)
        bar = progress_bar(self.history, self.status.state, 24)
        return f"{words}  {bar}" if bar else words

    def draw(self, name: str, chart: Chart) -> None:
        """Shows a chart in its place."""
        self.query_one(f"#{name}", ChartView).set_chart(chart)

    def say(self, text: str) -> None:
        """Shows one sentence below the charts for some seconds."""
        self._hint = text
        if self._hint_timer is not None:
            self._hint_timer.stop()
        self._hint_timer = self.set_timer(HINT_SECONDS, self._unsay)
        self.show_message()

    def _unsay(self) -> None:
        self._hint = ""
        self.show_message()

    # -- keys: orders to the run -----------------------------------------------------------

    def order(self, command: Command, done: str) -> bool:
        """Sends `command` to the worker and says `done`, or why it could not be sent."""
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
        """Whether there is a worker to take orders; says so where there is none."""
        if self.source.replay:
            self.say("This is a recording: there is no worker to take orders.")
        elif self.run_dir is None or self.status.ended:
            self.say(f"This {self.noun} has ended ({self.status.state}): r runs it again.")
        else:
            return True
        return False

    def action_pause(self) -> None:
        """Pauses or continues: the replay, or else the run."""
        if isinstance(self.source, ReplaySource):
            self.source.toggle()
            self.poll()
        elif self.history.paused:
            self.order(Continue(), "Going on.")
        else:
            self.order(Pause(), self.pausing)

    def action_stop(self) -> None:
        """Stops the run once the person has confirmed it."""
        if not self.require_live():
            return
        question = ConfirmScreen(
            f"Stop {self.config.id}?", "stop", KINDS[self.config.kind].stopping
        )
        self.app.push_screen(question, self._stop)

    def _stop(self, confirmed: bool | None) -> None:
        if confirmed:
            self.order(Stop(reason="stopped from the screen"), "Stopping after the step at hand.")

    def action_run_again(self) -> None:
        """Opens the form with this run's settings; a failed run's reason stands at its field."""
        job = self.config.job
        if job is None or not self.repeatable:
            self.say("This recording does not say what was trained: there is nothing to run again.")
            return
        error = None
        finished = self.history.finished
        if finished is not None and finished.outcome == "failed":
            error = UserError(finished.message, finished.field)
        self.app.new_run(self.config.task, job, self.parent_id, error, self.again_title)

    @property
    def repeatable(self) -> bool:
        """Whether the recording names its task: an imported curve, or a log alone, does not."""
        if self.run_dir is not None:
            return True
        return bool(self.config.task.model)

    @property
    def parent_id(self) -> str | None:
        """What a run that is started from here names as its parent."""
        return self.run_dir.id if self.run_dir is not None else None

    # -- keys: replay ----------------------------------------------------------------------

    def _replay(self) -> ReplaySource | None:
        if isinstance(self.source, ReplaySource):
            return self.source
        self.say("This key is for replays: `clr-tui replay` plays a run's log.")
        return None

    def action_seek(self, direction: int) -> None:
        """Goes back (-1) or forth (1) by a twentieth of the recording."""
        if (source := self._replay()) is not None:
            source.seek(source.position + direction * SEEK)
            self.poll()

    def action_speed(self, direction: int) -> None:
        """Plays slower (-1) or faster (1)."""
        if (source := self._replay()) is not None:
            if direction > 0:
                source.faster()
            else:
                source.slower()
            self.poll()

    # -- keys: export ----------------------------------------------------------------------

    def exports(self) -> Exports:
        """What can be written to a file: a function to its text for each suffix."""
        raise NotImplementedError

    def action_export(self) -> None:
        """Asks for a path and writes what is shown to it."""
        if not self.history.trials:
            self.say("There is nothing to export yet: it begins with the first losses.")
            return
        dialog = ExportDialog(self.config.id, self.exports(), self.export_words)
        self.app.push_screen(dialog, self._exported)

    def _exported(self, written: str | None) -> None:
        if written:
            self.say(f"Written to {written}")


def log_of(run: RunDir | None) -> str:
    """Where the worker's own output is, to be named."""
    return str(run.log_path) if run is not None else "its worker.log"
