"""The dialog that starts a comparison at rates around the one that a range test recommends."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from clr_tui.engine import nvml
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import RangeReport
from clr_tui.engine.cores import usable_cores
from clr_tui.engine.settings.config import Compare
from clr_tui.tui.kinds.range_test.job_dialog import JobDialog
from clr_tui.tui.kinds.range_test.verification import (
    FIELDS,
    cost_of,
    cost_words,
    read_verification,
    verification,
)
from clr_tui.tui.text.status import title_of
from clr_tui.tui.widgets.field import Field


class VerifyDialog(JobDialog[Compare]):
    """Asks how large a verification may be; answers with the comparison, or None.

    What it costs is said first, and follows what is typed.

    Args:
        history: a range test.
        report: its result, which recommends a rate.

    Raises:
        UserError: it recommends none.
    """

    def __init__(self, history: RunHistory, report: RangeReport) -> None:
        super().__init__()
        self._history = history
        self._report = report
        self._start = verification(history.config, report)
        self._what = title_of(history.config, history).partition("  ")[2]
        self._cores = usable_cores()
        self._devices = nvml.available()

    def compose(self) -> ComposeResult:
        """The cost, what will be trained, four fields, the keys."""
        start = self._start
        given = {"epochs": start.epochs, "seeds": start.seeds, "rates": len(start.entries)}
        texts = {name: str(value) for name, value in given.items()}
        with Vertical(classes="dialog"):
            yield Static("Verify the recommended rate", classes="dialog-title", markup=False)
            yield Static("", id="verify-cost", markup=False)
            yield Static(self._what, classes="dialog-note", markup=False)
            for name, setting in FIELDS.items():
                yield Field(name, texts.get(name, ""), placeholder=setting.empty)
            yield Static(
                "enter  start    ↑↓  field    esc  cancel", classes="dialog-keys", markup=False
            )

    def read(self) -> Compare | None:
        """The comparison as typed, whose cost is shown; None if there are mistakes."""
        typed = {field.name or "": field.value for field in self.query(Field)}
        job, errors = read_verification(typed, self._history.config, self._report)
        for field in self.query(Field):
            field.show_error(errors.get(field.name or "", ""))
        words = ""
        if job is not None:
            cost = cost_of(job, self._history, cores=self._cores, devices=self._devices)
            words = cost_words(job, cost)
        self.query_one("#verify-cost", Static).update(words)
        return job
