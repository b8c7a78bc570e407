"""The list of runs, with a chart of the one under the cursor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.removal import removal_message, remove_run
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.summary import RunSummary, summarise
from clr_tui.tui.keys import Mode, Tool, bindings_for
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.messages import (
    LogsFound,
    RunPreviewed,
    RunsListed,
    RunsUnreadable,
    SourcesOpened,
)
from clr_tui.tui.preview import LogPreview, Preview
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.foreground_screen import ForegroundScreen
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.run_rows import (
    is_living,
    living_first,
    matching,
    result,
    runs_heading,
    task_and_model,
)
from clr_tui.tui.widgets.key_footer import KeyFooter
from clr_tui.tui.widgets.run_table import RunTable
from clr_tui.tui.widgets.typed_input import TypedInput

if TYPE_CHECKING:
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.shell import Shell
    from clr_tui.tui.widgets.chart_view import ChartView

REFRESH_SECONDS = 1.0
"""Seconds between two reads of the folder of runs."""
LOOK_SECONDS = 10.0
"""Least seconds between two looks for logs in the working directory."""
READING = "Reading its log ..."
MOST_TOGETHER = 30
"""Runs that are shown on one set of charts: more curves could not be told apart."""
NO_RUNS = Text.assemble(
    ("No runs yet.\n\n", "bold"),
    "Press ",
    ("n", "bold reverse"),
    " to start one. The form is filled in for a range test on\n"
    "the bundled handwritten digits, which takes half a minute.",
    justify="center",
)


class FilterInput(TypedInput):
    """The filter; arrow keys return to the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.close_filter", show=False),
        Binding("down,up,tab", "screen.focus_table", show=False),
    ]


class HomeScreen(ForegroundScreen[None]):
    """All runs of one folder, and below them the logs of other tools that lie `here`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("home")
    AUTO_FOCUS = "RunTable"
    app: Shell
    key_screen: str = "home"
    key_mode: Mode | None = None
    key_tool: Tool | None = None

    def __init__(self, runs: Path, here: Path | None = None) -> None:
        super().__init__()
        self._folder = runs
        self._here = here
        self._all: list[RunSummary] | None = None
        self._logs: list[RunSummary] = []
        self._look_from = 0.0
        """When to look for logs next."""
        self._preview: Preview | LogPreview | None = None
        self._chart: ChartView | None = None
        self._listing = threading.Lock()
        self._due = 0.0
        self._said: dict[str, str | Text] = {}
        self._marked: set[str] = set()
        """Ids of runs."""

    @property
    def listed(self) -> bool:
        """Whether the folder has been read."""
        return self._all is not None

    def compose(self) -> ComposeResult:
        """Lays out title, filter, table, preview and keys."""
        with Horizontal(id="home-bar"):
            yield Static("clr-tui  runs", id="home-title", markup=False)
            yield Static("", id="home-count", markup=False)
        yield FilterInput(
            placeholder="filter: words that a run must contain",
            compact=True,
            select_on_focus=False,
            id="home-filter",
        )
        yield Static("Looking for runs ...", id="home-empty", markup=False)
        yield RunTable(id="runs")
        with Vertical(id="preview"):
            yield Static("", id="preview-title", markup=False)
            yield Static(READING, id="preview-reading", markup=False)
            yield Static("", id="preview-message", markup=False)
        yield KeyFooter("home")

    def on_mount(self) -> None:
        """Starts to watch the folder."""
        self.query_one(FilterInput).cursor_blink = False
        self.set_interval(REFRESH_SECONDS, self._refresh_when_due)

    def go_to(self, run_id: str) -> None:
        """Moves the cursor to a run once it is listed."""
        self.query_one(RunTable).go_to(run_id)

    def on_screen_resume(self) -> None:
        """Refreshes the list, which may be stale, after the first frame."""
        self.call_after_refresh(self._refresh_list)

    def _refresh_when_due(self) -> None:
        if self.is_active and self.app.clock() >= self._due:
            self._refresh_list()

    def _refresh_list(self) -> None:
        self.run_worker(self._list, group="list", thread=True, exit_on_error=False)

    def _list(self) -> None:
        # Threads must not pile up on a slow disk; one read at a time is enough.
        if not self._listing.acquire(blocking=False):
            return
        try:
            began = self.app.clock()
            summaries = self._summaries()
            if summaries is None:
                return
            self.post_message(RunsListed(living_first(summaries)))
            self._look_around()
            # Thousands of runs take a while to read: at most a tenth of the time goes to it.
            now = self.app.clock()
            self._due = now + 9 * (now - began)
        except UserError as error:
            self.post_message(RunsUnreadable(error.message))
        finally:
            self._listing.release()

    def _look_around(self) -> None:
        """Looks for logs, in the thread that lists the runs, for a tenth of the time at most."""
        began = self.app.clock()
        if self._here is None or began < self._look_from:
            return
        from clr_tui.tui.nearby_rows import nearby_rows  # with numpy: not before the first frame

        self.post_message(LogsFound(nearby_rows(self._here)))
        now = self.app.clock()
        self._look_from = now + max(LOOK_SECONDS, 9 * (now - began))

    def on_logs_found(self, message: LogsFound) -> None:
        """Shows the logs below the runs."""
        self._logs = message.rows
        self._show_table()

    def _summaries(self) -> list[RunSummary] | None:
        worker = get_current_worker()
        found: list[RunSummary] = []
        for run in list_runs(self._folder):
            if worker.is_cancelled:
                return None
            try:
                found.append(summarise(run, self.app.wall))
            except (UserError, OSError):
                continue  # removed since it was listed, or not a run after all
        return found

    def on_runs_unreadable(self, message: RunsUnreadable) -> None:
        """Shows the reason, unless runs are already listed."""
        if self._all is None:
            self._say("#home-empty", plain(message.reason))

    def on_runs_listed(self, message: RunsListed) -> None:
        """Shows the current runs."""
        self._all = message.summaries
        if self.app.alerts is not None:
            for summary in message.summaries:
                self.app.alerts.look_at_summary(summary)
        self._show_table()
        selected = self.query_one(RunTable).selected
        if selected is not None and (selected.path or is_living(selected)):
            self._refresh_preview(selected)

    def _show_table(self) -> None:
        if self._all is None:
            return
        words = self.query_one(FilterInput).value
        rows = [*matching(self._all, words), *matching(self._logs, words)]
        table = self.query_one(RunTable)
        table.show(rows, self.app.wall())
        heading = runs_heading(
            len(rows), self._all, words.strip(), len(self._marked_runs()), len(self._logs)
        )
        self._say("#home-count", heading)
        if not rows:
            unmatched = f"No run matches '{plain(words)}'.  esc shows all."
            self._say("#home-empty", unmatched if self._all or self._logs else NO_RUNS)
        self.query_one("#home-empty").display = not rows
        table.display = bool(rows)
        self.query_one("#preview").display = bool(rows)
        if rows and self.focused is None:
            table.focus()

    def _say(self, selector: str, words: str | Text) -> None:
        """Changes a line of text; sends nothing if it is unchanged."""
        if self._said.get(selector) != words:
            self._said[selector] = words
            self.query_one(selector, Static).update(words)

    def on_row_list_moved(self) -> None:
        """Previews the run under the cursor."""
        summary = self.query_one(RunTable).selected
        if summary is None:
            self._preview = None
            return
        self.query_one("#preview-title", Static).update(_title_of(summary))
        wrong = summary.message if summary.status != "running" else ""
        words = self.query_one("#preview-message", Static)
        words.update(plain(wrong))
        words.display = bool(wrong)
        if self._preview is None or self._preview.id != summary.id:
            self._clear_chart()
        self._refresh_preview(summary)

    def _refresh_preview(self, summary: RunSummary) -> None:
        if not self.is_active:
            return  # the run's own screen may be reading the same log; refreshed on return
        if self._preview is None or self._preview.id != summary.id:
            of_log = summary.path and LogPreview(summary.id, Path(summary.path))
            self._preview = of_log or Preview(self._dir_of(summary))
        work = partial(self._read_preview, self._preview)
        self.run_worker(work, group="preview", thread=True, exclusive=True, exit_on_error=False)

    def _read_preview(self, preview: Preview | LogPreview) -> None:
        # Imported here, because charts take longer to import than all that the list needs.
        from clr_tui.tui.charts.chart import Chart
        from clr_tui.tui.widgets import chart_view  # noqa: F401 - the event loop must not wait

        worker = get_current_worker()
        try:
            chart = preview.catch_up(lambda: worker.is_cancelled)
        except (UserError, OSError) as error:
            chart = Chart(empty=plain(str(error)))
        if chart is not None:
            self.post_message(RunPreviewed(preview.id, chart))

    def on_run_previewed(self, message: RunPreviewed) -> None:
        """Draws the chart, unless the cursor has moved on."""
        selected = self.query_one(RunTable).selected
        if selected is not None and selected.id == message.run_id:
            self._show_chart(message.chart)

    def _show_chart(self, chart: Chart) -> None:
        """Shows a chart, mounting the widget first if necessary."""
        from clr_tui.tui.widgets.chart_view import ChartView

        if self._chart is None:
            self._chart = ChartView(chart, id="preview-chart")
            self.query_one("#preview").mount(self._chart, after="#preview-reading")
            self.query_one("#preview-reading").remove()
        else:
            self._chart.set_chart(chart)

    def _clear_chart(self) -> None:
        if self._chart is not None:
            from clr_tui.tui.charts.chart import Chart

            self._chart.set_chart(Chart(empty=READING))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filters while the user types."""
        event.stop()
        self._show_table()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Returns to the table, which stays filtered."""
        event.stop()
        self.action_focus_table()

    def on_row_list_opened(self) -> None:
        """Opens the run."""
        self.action_open_run()

    def action_focus_table(self) -> None:
        """Leaves the filter, which stays visible unless it is empty."""
        search = self.query_one(FilterInput)
        search.set_class(bool(search.value), "shown")
        self.query_one(RunTable).focus()

    def action_filter(self) -> None:
        """Opens the filter."""
        search = self.query_one(FilterInput)
        search.add_class("shown")
        search.focus()

    def action_close_filter(self) -> None:
        """Shows all runs again."""
        self.query_one(FilterInput).value = ""
        self._show_table()
        self.action_focus_table()

    def action_new_run(self) -> None:
        """Opens the form."""
        self.app.new_run()

    def action_open_run(self) -> None:
        """Opens the run under the cursor, or all marked runs together."""
        table = self.query_one(RunTable)
        if marked := self._marked_runs():
            if len(marked) > MOST_TOGETHER:
                words = f"Only the first {MOST_TOGETHER} marked runs are shown."
                self.app.toast(words, "warning")
            self._open_together(marked[:MOST_TOGETHER])
        elif table.selected is not None and table.selected.path:
            self._open_together([table.selected])
        elif table.selected is not None:
            self.app.open_run(self._dir_of(table.selected))

    def _open_together(self, rows: list[RunSummary]) -> None:
        work = partial(self._open_sources, rows)
        self.run_worker(work, group="open", thread=True, exclusive=True, exit_on_error=False)

    def _open_sources(self, rows: list[RunSummary]) -> None:
        """Opens logs in a thread, since some of each is read at once."""
        from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING
        from clr_tui.tui.watched import find_watched

        names = [row.path or str(self._dir_of(row).path) for row in rows]
        try:
            sources = find_watched(self._folder, names, NO_MAPPING)
        except (UserError, OSError) as error:
            self.app.call_from_thread(self.app.toast, str(error), "error")
            return
        self.post_message(SourcesOpened(sources))

    def on_sources_opened(self, message: SourcesOpened) -> None:
        """Shows what was opened."""
        if self.is_active:
            self.app.open_together(message.sources)

    def action_mark(self) -> None:
        """Marks the run under the cursor, or unmarks it, and goes to the next one."""
        table = self.query_one(RunTable)
        if table.selected is not None:
            self._marked ^= {table.selected.id}
            table.mark(self._marked)
            table.move(1)
            self._show_table()

    def action_unmark(self) -> None:
        """Unmarks all runs."""
        self._marked.clear()
        self.query_one(RunTable).mark(())
        self._show_table()

    def _marked_runs(self) -> list[RunSummary]:
        """Those that are marked, also those that the filter hides."""
        return [row for row in (*(self._all or ()), *self._logs) if row.id in self._marked]

    def action_remove(self) -> None:
        """Removes the run under the cursor after confirmation."""
        selected = self.query_one(RunTable).selected
        if selected is None or self._is_log(selected):
            return
        if is_living(selected):
            self.app.toast(f"{selected.id} is {selected.status}: stop it first (s).", "warning")
            return
        question = f"Remove {selected.id}?"
        detail = "This deletes its log and checkpoints."
        self._ask(question, "remove", detail, partial(self._remove, self._dir_of(selected)))

    def _remove(self, run: RunDir) -> None:
        kept = remove_run(run)
        if kept:
            self.app.call_from_thread(self.app.toast, removal_message(run, kept), "warning")

    def action_stop(self) -> None:
        """Stops the run under the cursor after confirmation."""
        selected = self.query_one(RunTable).selected
        if selected is None or self._is_log(selected):
            return
        if not is_living(selected):
            self.app.toast(f"{selected.id} is not running: there is nothing to stop.", "warning")
            return
        order = Stop(time=self.app.wall(), reason="stopped from the screen")
        stop = partial(send, self._dir_of(selected), order)
        self._ask(f"Stop {selected.id}?", "stop", KINDS[selected.kind].stopping, stop)

    def action_resume(self) -> None:
        """Continues the run under the cursor, if it was stopped, failed or died."""
        selected = self.query_one(RunTable).selected
        if selected is None or self._is_log(selected):
            return
        self.run_worker(
            partial(self._run_in_thread, partial(self._resume, self._dir_of(selected))),
            group="do",
            thread=True,
            exit_on_error=False,
        )

    def _resume(self, run: RunDir) -> None:
        from clr_tui.tui.resuming import resume_run

        resume_run(run, reason="asked for on the screen")
        self.app.call_from_thread(self.app.toast, f"{run.id} continues.")

    def _is_log(self, row: RunSummary) -> bool:
        """Whether it is the log of another tool; shows a sentence if so."""
        if row.path:
            self.app.toast(f"{row.id} is the log of another tool, which clr-tui only reads.")
        return bool(row.path)

    def _dir_of(self, summary: RunSummary) -> RunDir:
        return RunDir(self._folder / summary.id)

    def _ask(self, question: str, yes: str, detail: str, work: Callable[[], None]) -> None:
        def answered(answer: bool | None) -> None:
            if answer:
                work_in_thread = partial(self._run_in_thread, work)
                self.run_worker(work_in_thread, group="do", thread=True, exit_on_error=False)

        self.app.push_screen(ConfirmScreen(question, yes, detail), answered)

    def _run_in_thread(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (UserError, OSError) as error:
            self.app.call_from_thread(self.app.toast, str(error), "error")
        self.app.call_from_thread(self._refresh_list)


def _title_of(summary: RunSummary) -> str:
    parts = [plain(summary.id), task_and_model(summary)]
    if summary.status not in ("failed", "lost") and (words := result(summary)):
        parts.append(words)
    return "  ".join(parts)
