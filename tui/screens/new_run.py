"""The form of a new run. Its defaults are ready to run; mistakes are shown at their fields."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import msgspec
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from clr_tui.engine import nvml
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.catalogue import STUDIES
from clr_tui.engine.settings.config import Job, RangeTest, TaskConfig, kind_of
from clr_tui.engine.settings.studies import study
from clr_tui.engine.settings.task_files import TaskFunction, task_function
from clr_tui.tui.launching import mistakes_of
from clr_tui.tui.messages import FormChecked
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.form import Reading, field_of, form_texts, read_form
from clr_tui.tui.text.form_fields import UNFOLDED, FormField, Values, form_fields, job_settings
from clr_tui.tui.text.parameter_fields import parameter_fields
from clr_tui.tui.text.schedule_preview import length_in_words, schedule_chart
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.choice import Choice
from clr_tui.tui.widgets.key_footer import KeyLine
from clr_tui.tui.widgets.typed_input import TypedInput

if TYPE_CHECKING:
    from clr_tui.tui.shell import Shell

TYPING_PAUSE_SECONDS = 0.15
"""Seconds without a key before the typed settings are checked on disk."""
KEYS = (("enter", "start"), ("↑↓", "field"), ("←→", "choose"), ("esc", "cancel"))


class FormRow(Vertical):
    """A label and its field, with an error line below."""

    def __init__(self, field: FormField, value: str) -> None:
        super().__init__(id=f"row-{field.id}")
        self.field = field
        self._first = value

    def compose(self) -> ComposeResult:
        """Lay out the label, the field and the error line."""
        with Horizontal(classes="form-line"):
            yield Static(self.field.setting.title, classes="form-label", markup=False)
            if self.field.choices:
                yield Choice(self.field.choices, self._first, id=self.field.id)
            else:
                yield TypedInput(
                    self._first,
                    placeholder=self.field.placeholder,
                    compact=True,
                    select_on_focus=False,
                    id=self.field.id,
                )
                yield Static("", classes="form-more", markup=False)
        yield Static("", classes="form-error", markup=False)

    def on_mount(self) -> None:
        """Turn off the blinking cursor: over SSH each blink is traffic."""
        for typed in self.query(Input):
            typed.cursor_blink = False

    def on_resize(self) -> None:
        """Update the ellipsis for the new width."""
        self.call_after_refresh(self._show_overflow)

    def on_input_changed(self) -> None:
        """Update the ellipsis for the new text."""
        self._show_overflow()

    def _show_overflow(self) -> None:
        """Show an ellipsis beside a field that is too narrow for its text."""
        for typed in self.query(Input):
            width = typed.content_size.width  # 0 before the first layout
            overflows = 0 < width < cell_len(typed.value)
            self.query_one(".form-more", Static).update("…" if overflows else "")

    def on_descendant_focus(self) -> None:
        """Highlight the label."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Stop highlighting the label."""
        self.remove_class("here")

    @property
    def widget(self) -> Choice | Input:
        """The widget with the value."""
        return self.query_one(Choice) if self.field.choices else self.query_one(Input)

    @property
    def value(self) -> str:
        """The text of the field."""
        return self.widget.value

    def fill(self, text: str) -> None:
        """Put `text` into the field."""
        widget = self.widget
        if isinstance(widget, Choice):
            widget.choose(text)
        else:
            widget.value = text

    def show_error(self, message: str) -> None:
        """Show an error; an empty `message` clears it."""
        self.query_one(".form-error", Static).update(plain(message))
        self.set_class(bool(message), "wrong")


class NewRunScreen(Screen[None]):
    """Asks what to run.

    Args:
        task: the initial settings; None means the defaults.
        job: the initial settings of the job; None means a range test's defaults.
        parent: the run that the settings came from.
        error: why that run failed; shown at its field until that is changed.
        title: what the form is for; by default "run `parent` again" or "new run".
    """

    CSS_PATH = "new_run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "start", show=False),
        Binding("escape", "app.back", show=False),
        # Before the scrolling container, which would take them as soon as it can scroll.
        Binding("down", "app.focus_next", show=False, priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]
    AUTO_FOCUS = "#kind"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual's own name
    app: Shell

    def __init__(
        self,
        task: TaskConfig | None = None,
        job: Job | None = None,
        *,
        parent: str | None = None,
        error: UserError | None = None,
        title: str = "",
    ) -> None:
        super().__init__()
        self._title = title or (f"run {parent} again" if parent else "new run")
        self._given_task = task or TaskConfig()
        self._given_job = job or RangeTest()
        self._given_texts = form_texts(self._given_task, self._given_job)
        self._parent_run = parent
        self._failed = error
        self._failed_at = field_of(error.field, self._given_job) if error else ""
        self._version = 0
        self._wrong: dict[str, str] = {}
        self._unfolded: set[str] = set()
        """Rare fields that are shown anyway: they are not at their default, or wrong."""
        self._starting = False
        self._timer: Timer | None = None
        self._function: TaskFunction | None = None
        """The function of the user's task, which was found at `_place`."""
        self._place = ""
        self._own: tuple[FormField, ...] = ()
        """The fields of its parameters."""
        self._typed: dict[str, str] = {}
        """Texts of such fields that have gone: a path in typing is that of no file for a while."""

    def compose(self) -> ComposeResult:
        """Lay out title, fields, preview, messages, the focused field's hint and the keys."""
        yield Static(f"clr-tui  {plain(self._title)}", id="form-title", markup=False)
        with Horizontal(id="form-body"):
            with VerticalScroll(id="form", can_focus=False):
                for field in form_fields(tuple(nvml.available())):
                    text = self._given_texts.get(field.name, field.default)
                    if text != field.default:
                        self._unfolded.add(field.name)
                    yield FormRow(field, text)
            yield ChartView(id="form-sketch")
        yield Static("", id="form-general", markup=False)
        yield Static("", id="form-hint", markup=False)
        yield KeyLine(KEYS, id="form-keys")

    def on_mount(self) -> None:
        """Check the initial values."""
        self._check_soon()

    def _rows(self) -> list[FormRow]:
        return list(self.query(FormRow))

    def _row(self, name: str) -> FormRow | None:
        return next((row for row in self._rows() if row.field.name == name), None)

    def _values(self) -> dict[str, str]:
        return {row.field.name: row.value for row in self._rows()}

    def _read(self, values: Values) -> Reading:
        function = self._function if values["task"] == self._place else None
        return read_form(values, self._given_task, self._given_job, function)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Read what was typed."""
        event.stop()
        self._changed(event.input)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Read what was chosen."""
        event.stop()
        self._changed(event.choice)

    def _changed(self, widget: Widget) -> None:
        row = _row_of(widget)
        if row is None or not row.is_attached:
            return
        name = row.field.name
        # Fields also report their initial text.
        if name == self._failed_at and row.value != self._given_texts.get(name):
            self._failed = None
        if name == "study" and self._values()["study"] in STUDIES:
            self._take_study(self._values()["study"])
        self._check_soon()

    def _take_study(self, name: str) -> None:
        """Fill in what a study of the article sets; all of it can be changed."""
        changes, job = study(name)
        said = form_texts(msgspec.structs.replace(self._given_task, **changes), job)
        for field in (*changes, *job_settings(kind_of(job))):
            if (row := self._row(field)) is not None and row.value != said[field]:
                row.fill(said[field])

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the focused field's hint."""
        row = _row_of(event.widget)
        if row is not None:
            self.query_one("#form-hint", Static).update(row.field.hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start from any field."""
        event.stop()
        self.action_start()

    def _check_soon(self) -> None:
        """Show the fields that play a part and errors in the texts; check the rest soon."""
        values = self._values()
        for row in self._rows():
            folded = row.field.setting.rare and row.field.name not in self._unfolded
            unfolded = not folded or values["more"] == UNFOLDED
            row.display = unfolded and row.field.plays_a_part(values)
        self._version += 1
        self._wrong = {}
        reading = self._read(values)
        if self._timer is not None:
            self._timer.stop()
        if reading.task is None or reading.job is None:
            self._say("")
            self._show(reading.errors)
        else:
            self._say(length_in_words(reading.valid_job))
            self.query_one(ChartView).set_chart(schedule_chart(reading.valid_job))
        work = partial(self._check, self._version, reading, values["task"])
        self._timer = self.set_timer(
            TYPING_PAUSE_SECONDS,
            lambda: self.run_worker(work, group="check", thread=True, exit_on_error=False),
        )

    def _check(self, version: int, reading: Reading, place: str) -> None:
        """Check in a thread, since a folder or a task file may be on a slow disk."""
        errors = dict(reading.errors)
        function = None
        if place.strip():
            try:
                function = task_function(place)
            except UserError as mistake:
                errors["task"] = mistake.message
        if reading.task is not None and reading.job is not None:
            for error in mistakes_of(self.app.runs, reading.task, reading.job):
                errors.setdefault(field_of(error.field, reading.job), error.message)
        self.post_message(FormChecked(version, errors, place, function))

    async def on_form_checked(self, message: FormChecked) -> None:
        """Show the result of a check, unless the form has changed since."""
        if message.version != self._version:
            return
        self._function, self._place = message.function, message.place
        same = message.place == self._given_texts["task"]
        fields = parameter_fields(message.function, self._given_task.parameters if same else {})
        if fields == self._own:
            self._show(message.errors)
        else:
            await self._show_parameters(fields)
            self._check_soon()

    async def _show_parameters(self, fields: tuple[FormField, ...]) -> None:
        """Replaces the fields of the task's parameters."""
        for row in self._rows():
            if row.field in self._own:
                self._typed[row.field.name] = row.value
                await row.remove()
        self._own = fields
        texts = self._given_texts | self._typed
        rows = [FormRow(field, texts.get(field.name, field.default)) for field in fields]
        await self.query_one("#form").mount_all(rows, after=self._row("task"))

    def _show(self, errors: dict[str, str]) -> None:
        self._wrong = errors
        if self._failed is not None:
            errors = {self._failed_at: self._failed.message} | errors
        names = set()
        for row in self._rows():
            names.add(row.field.name)
            row.show_error(errors.get(row.field.name, ""))
            if row.field.name in errors:
                self._unfolded.add(row.field.name)
                row.display = True
        general = [message for name, message in errors.items() if name not in names]
        if general:
            self._say(general[0], wrong=True)

    def _say(self, words: str, wrong: bool = False) -> None:
        line = self.query_one("#form-general", Static)
        line.update(plain(words))
        line.set_class(wrong, "wrong")
        line.display = bool(words)

    def action_start(self) -> None:
        """Start the run, or go to the first field with an error."""
        reading = self._read(self._values())
        wrong = reading.errors or self._wrong
        if reading.task is None or reading.job is None or wrong:
            self._refuse(wrong)
            return
        if self._starting:
            return
        self._starting = True
        self._say("Starting ...")
        self.app.launch(reading.task, reading.job, self._parent_run, self._not_started)

    def _not_started(self, error: UserError) -> None:
        self._starting = False
        self._say("")
        job = self._read(self._values()).job or self._given_job
        self._refuse({field_of(error.field, job): error.message})
        self._wrong = {}  # a second try may work: a disk has been emptied, a folder made

    def _refuse(self, errors: dict[str, str]) -> None:
        self._version += 1  # discards a check that is under way
        self._show(errors)
        for row in self._rows():
            if row.field.name in errors:
                row.widget.focus()
                return


def _row_of(widget: Widget) -> FormRow | None:
    return next((node for node in widget.ancestors if isinstance(node, FormRow)), None)
