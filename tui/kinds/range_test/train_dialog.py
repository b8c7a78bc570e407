"""The dialog that starts a training between the bounds of a range test."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.settings.config import RangeTest, RunConfig, Train
from clr_tui.engine.words import exact_lr
from clr_tui.tui.kinds.range_test.job_dialog import JobDialog
from clr_tui.tui.kinds.train.display import length
from clr_tui.tui.text.form import form_texts, read_form
from clr_tui.tui.text.form_fields import job_settings
from clr_tui.tui.text.status import title_of
from clr_tui.tui.widgets.choice import Choice
from clr_tui.tui.widgets.field import Field

SETTINGS = job_settings("train")
FIELDS = ("train_epochs", "step_size_epochs")
"""The settings that are typed here; the others keep their defaults."""


class TrainDialog(JobDialog[Train]):
    """Asks for a training with a range test's task and optimizer; answers with it, or None."""

    def __init__(self, config: RunConfig, bounds: Bounds, history: RunHistory) -> None:
        super().__init__()
        self._trained = config.task
        self._job = Train(
            base_lr=bounds.base_lr,
            max_lr=bounds.max_lr,
            optimizer=config.asked(RangeTest).optimizer,
        )
        self._what = title_of(config, history).partition("  ")[2]

    def compose(self) -> ComposeResult:
        """What will be trained, three fields, the keys."""
        job = self._job
        low, high = exact_lr(job.base_lr), exact_lr(job.max_lr)
        with Vertical(classes="dialog"):
            yield Static("Train with CLR", classes="dialog-title", markup=False)
            yield Static(
                f"{self._what}\nbase_lr {low}   max_lr {high}", classes="dialog-note", markup=False
            )
            given = form_texts(self._trained, job)
            for name in FIELDS:
                yield Field(name, given[name], label=SETTINGS[name].title)
            policy = SETTINGS["policy"]
            with Horizontal(id="policy-row"):
                yield Static(policy.title, classes="field-label", markup=False)
                yield Choice(tuple(policy.choices), job.policy, id=policy.name)
            yield Static("", id="train-length", markup=False)
            yield Static(
                "enter  start    ↑↓  field    ←→  policy    esc  cancel",
                classes="dialog-keys",
                markup=False,
            )

    def read(self) -> Train | None:
        """The training as typed, whose length is shown; None if there are mistakes."""
        typed = {field.name or "": field.value for field in self.query(Field)}
        typed["policy"] = self.query_one(Choice).value
        # The task has run before; checking it on disk at each key press would be slow.
        reading = read_form(form_texts(self._trained, self._job) | typed, self._trained, self._job)
        errors = dict(reading.errors)
        for field in self.query(Field):
            field.show_error(errors.pop(field.name or "", ""))
        other = next(iter(errors.values()), "")
        words = self.query_one("#train-length", Static)
        words.update(other or length(job) if isinstance(job := reading.valid_job, Train) else "")
        words.set_class(bool(other), "error")
        return reading.valid_job if isinstance(reading.valid_job, Train) else None
