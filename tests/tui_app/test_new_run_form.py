"""The new-run form: defaults that run, and every mistake at its field."""

from __future__ import annotations

import threading

import pytest
from app_helpers import make_app, selected_id, settled, toasts, until
from textual.widgets import Input, Static

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import (
    Compare,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.studies import study
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.text.form import field_of, form_texts, read_form
from clr_tui.tui.text.form_fields import form_fields
from clr_tui.tui.widgets.choice import Choice


class Start:
    """In place of a worker: remembers what was asked for."""

    def __init__(self, runs, error: UserError | None = None) -> None:
        self.runs = runs
        self.error = error
        self.asked: list[tuple] = []

    def __call__(self, folder, task, job, parent=None):
        self.asked.append((task, job, parent))
        if self.error is not None:
            raise self.error
        run, _ = self.runs.sweep(f"range-test-digits-{len(self.asked)}", age=0, steps=0)
        return run


@pytest.fixture
def start(runs) -> Start:
    return Start(runs)


@pytest.fixture
def app(runs, start, monkeypatch):
    return make_app(runs.folder, monkeypatch, start=start)


async def open_form(pilot, *args, **kwargs) -> NewRunScreen:
    await settled(pilot)
    pilot.app.new_run(*args, **kwargs)
    await pilot.pause()
    assert isinstance(pilot.app.screen, NewRunScreen)
    return pilot.app.screen


def row(screen, name: str) -> FormRow:
    return screen.query_one(f"#row-{name}", FormRow)


def shown(screen) -> list[str]:
    return [row.field.name for row in screen.query(FormRow) if row.display]


def complaint(screen, name: str) -> str:
    found = row(screen, name)
    label = found.query_one(".form-error", Static)
    assert label.display == found.has_class("wrong")
    return str(label.render()) if label.display else ""


def set_text(screen, name: str, text: str) -> None:
    screen.query_one(f"#{name}", Input).value = text


@pytest.mark.parametrize("key", ["enter", "ctrl+s"])
async def test_the_defaults_run_as_they_are(app, start, runs, key) -> None:
    live, _ = runs.sweep("range-test-flowers-1", age=50, steps=9)
    runs.keep_alive(live)  # first in the table; the cursor is to be on the new run all the same
    async with app.run_test(size=(100, 30)) as pilot:
        await open_form(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))
        assert start.asked == [(TaskConfig(), RangeTest(), None)]
        assert len(app.screen_stack) == 2  # the form is gone
        await pilot.press("escape")
        await until(pilot, lambda: selected_id(pilot) == "range-test-digits-1")


async def test_every_field_reaches_the_run(app, start, tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "photos" / name / f"{i}.png").touch()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("down")
        typed = {
            "task": "",
            "data": str(tmp_path / "photos"),
            "model": "resnet34",
            "weights": "none",
            "image_size": "32",
            "batch_size": "16",
            "device": None,
            "start_lr": "1e-6",
            "end_lr": "2",
            "epochs": "3",
            "seeds": "2",
            "time": "",
            "accuracy": None,
            "optimizer": "SGD(nesterov=True)",
            "momentum": "0.5",
            "weight_decay": "1e-4",
            "more": None,
            "freeze": "layer3",
            "last_batch": None,
            "augment": None,
            "seed": "7",
            "checkpoint_every": "20",
            "compile": None,
            "steps": "150",
            "smoothing": "0.1",
            "divergence": "5",
        }
        for name, text in typed.items():
            await until(pilot, lambda name=name: app.focused.id == name)
            if text is None:
                await pilot.press("right")
            else:
                await pilot.press("home", "ctrl+k", *text)
            await pilot.press("down")
        assert app.focused.id == "kind"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: start.asked)
        task, job, _ = start.asked[0]
    assert task == TaskConfig(
        data=str(tmp_path / "photos"),
        model="resnet34",
        weights="none",
        freeze="layer3",
        image_size=32,
        batch_size=16,
        last_batch="keep",
        augment=False,
        device="cpu",
        seed=7,
        checkpoint_every=20,
        compile=True,
    )
    assert job == RangeTest(
        start_lr=1e-6,
        end_lr=2.0,
        steps=150,
        seeds=2,
        accuracy=True,
        smoothing=0.1,
        divergence=5.0,
        optimizer=OptimizerConfig(momentum=0.5, weight_decay=1e-4, options={"nesterov": True}),
    )
    assert screen is not None


async def test_training_has_fields_of_its_own(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        assert "start_lr" in shown(screen)
        assert "base_lr" not in shown(screen)
        await pilot.press("right")
        assert {"base_lr", "max_lr", "policy", "step_size_epochs", "train_epochs"} <= set(
            shown(screen)
        )
        assert not {"start_lr", "seeds", "gamma"} & set(shown(screen))
        policy = screen.query_one("#policy", Choice)
        policy.focus()
        await pilot.press("right", "right")
        assert policy.value == "exp-range"
        assert "gamma" in shown(screen)
        set_text(screen, "gamma", "0.999")
        set_text(screen, "max_lr", "0.01")
        await pilot.press("enter")
        await until(pilot, lambda: start.asked)
    _, job, _ = start.asked[0]
    assert job == Train(base_lr=6e-4, max_lr=0.01, policy="exp-range", gamma=0.999)


async def test_a_comparison_has_fields_of_its_own(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("left")
        own = {"optimizers", "compare_seeds", "lr", "compare_epochs", "target", "jobs"}
        assert own <= set(shown(screen))
        assert not {"momentum", "weight_decay", "base_lr", "seeds", "policy"} & set(shown(screen))
        general = screen.query_one("#form-general", Static)
        assert str(general.render()).startswith("18 trials of 16 epochs; first a range test")
        typed = {
            "task": "",
            "optimizers": "adam, sgd(momentum=0.9)+clr(lr=0.01)",
            "compare_seeds": "2",
            "compare_epochs": "5",
            "step_size_epochs": "2.5",
            "target": "65%",
            "jobs": "1",
        }
        for name, text in typed.items():
            set_text(screen, name, text)
        await pilot.pause()
        assert str(general.render()) == "4 trials of 5 epochs."
        set_text(screen, "lr", "2e-3")
        await pilot.pause()
        assert "As given: adam at lr 0.002." in str(general.render())
        set_text(screen, "lr", "tuned")
        await pilot.pause()
        assert "a range test for the rate of adam." in str(general.render())
        await pilot.press("enter")
        await until(pilot, lambda: start.asked)
    task, job, parent = start.asked[0]
    assert (task, parent) == (TaskConfig(), None)
    assert job == Compare(
        entries=parse_entries(typed["optimizers"]),
        seeds=2,
        epochs=5,
        step_size_epochs=2.5,
        rates="tuned",
        target=0.65,
        jobs=1,
    )


async def test_a_grid_of_rates_starts_as_it_is_typed(app, start) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        screen = await open_form(pilot, TaskConfig(), Compare(entries=parse_entries("adam")))
        assert "halving" not in shown(screen)
        set_text(screen, "lr", "around:range-test-digits-7")
        await until(pilot, lambda: "no run 'range-test-digits-7'" in complaint(screen, "lr"))
        set_text(screen, "lr", "grid:1e-4..0.1x7")
        await until(pilot, lambda: not complaint(screen, "lr"))
        assert "halving" in shown(screen)
        row(screen, "halving").fill("on")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: bool(start.asked))
    (_, job, _), *_ = start.asked
    assert (job.rates, job.halving) == ("grid:1e-4..0.1x7", True)
    assert job.entries == parse_entries("adam")  # it becomes seven as the run is created


async def test_a_field_that_is_too_narrow_for_its_text_says_so(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, TaskConfig(), Compare(entries=parse_entries("adam")))
        more = row(screen, "optimizers").query_one(".form-more", Static)
        assert str(more.render()) == ""
        set_text(
            screen, "optimizers", "adam, " + "sgd(momentum=0.9)+clr(base_lr=0.001,lr=0.006), " * 2
        )
        await pilot.pause()
        assert str(more.render()) == "…"
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert str(more.render()) == "…"
        set_text(screen, "optimizers", "adam")
        await pilot.pause()
        assert str(more.render()) == ""


async def test_what_cannot_be_read_has_no_length(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, TaskConfig(), Compare(entries=parse_entries("adam")))
        general = screen.query_one("#form-general", Static)
        assert "3 trials" in str(general.render())
        set_text(screen, "optimizers", "adm")
        await pilot.pause()
        assert not general.display


async def test_whole_cycles_are_announced(app) -> None:
    async with app.run_test() as pilot:
        screen = await open_form(pilot)
        await pilot.press("right")
        set_text(screen, "train_epochs", "10")
        await pilot.pause()
        assert "rounded up to 16, whole cycles" in str(
            screen.query_one("#form-general", Static).render()
        )


@pytest.mark.parametrize(
    ("kind", "name", "text", "words"),
    [
        ("range", "data", "/no/such/folder", "/no/such"),
        ("range", "data", "", "a value is missing"),
        ("range", "data", "digitz", "did you mean 'digits'"),
        ("range", "image_size", "4", "4"),
        ("range", "image_size", "big", "'big' is not a whole number"),
        ("range", "batch_size", "1", "1"),
        ("range", "batch_size", "5000", "5000"),
        ("range", "start_lr", "0", "0"),
        ("range", "start_lr", "nan", "nan"),
        ("range", "start_lr", "5", "5"),
        ("range", "end_lr", "-1", "-1"),
        ("range", "end_lr", "one", "'one' is not a number"),
        ("range", "epochs", "0", "0"),
        ("range", "steps", "0", "0"),
        ("range", "steps", "1.5", "not a whole number"),
        ("range", "seeds", "0", "0"),
        ("range", "momentum", "1", "1"),
        ("range", "weight_decay", "-1", "-1"),
        ("range", "seed", "x", "'x' is not a whole number"),
        ("compare", "optimizers", "adam, adm", "did you mean 'adam'"),
        ("compare", "optimizers", "adam(beta=1)", "beta"),
        ("compare", "compare_seeds", "0", "0"),
        ("compare", "compare_epochs", "x", "'x' is not a whole number"),
        ("compare", "target", "65", "not 65"),
        ("compare", "jobs", "0", "0"),
        ("compare", "lr", "grid:0.1..1e-3x3", "is not below its last, 0.001"),
        ("compare", "lr", "grid:1e-3..0.1x20", "120 entries"),
        ("compare", "lr", "around:nothing", "no run 'nothing'"),
        ("train", "base_lr", "0.1", "0.1"),
        ("train", "max_lr", "inf", "inf"),
        ("train", "step_size_epochs", "0", "0"),
        ("train", "train_epochs", "0", "0"),
        ("train", "gamma", "2", "2"),
    ],
)
async def test_a_mistake_shows_at_its_field_while_typing(app, start, kind, name, text, words):
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press(*{"range": (), "train": ("right",), "compare": ("left",)}[kind])
        if name == "gamma":
            screen.query_one("#policy", Choice).action_choose(2)
            await pilot.pause()
        before = row(screen, name).value
        set_text(screen, name, text)
        await until(pilot, lambda: complaint(screen, name))
        assert words in complaint(screen, name)
        # A start is refused, and leads to the field.
        await pilot.press("ctrl+s")
        assert app.focused.id == name
        assert not start.asked
        set_text(screen, name, before)
        await until(pilot, lambda: not complaint(screen, name))


async def test_a_start_with_a_mistake_leads_to_the_field(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        set_text(screen, "seed", "x")
        await pilot.press("enter")
        assert app.focused.id == "seed"
        assert complaint(screen, "seed")
        assert not start.asked


async def test_what_the_start_finds_wrong_is_shown_at_the_field(app, start) -> None:
    start.error = UserError("batch size 64 is too large here; 32 would do", "batch_size")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: complaint(screen, "batch_size"))
        assert complaint(screen, "batch_size") == start.error.message
        assert app.focused.id == "batch_size"
        start.error = None
        await pilot.press("enter")
        await until(pilot, lambda: len(start.asked) == 2)


async def test_a_mistake_without_a_field_is_shown_below(app, start) -> None:
    start.error = UserError("the runs folder '/x' cannot be written", "runs_dir")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("enter")
        general = screen.query_one("#form-general", Static)
        await until(pilot, lambda: "cannot be written" in str(general.render()))
        assert general.display


async def test_enter_twice_starts_once(app, start, monkeypatch) -> None:
    held = threading.Event()
    inner = start.__call__

    def slow(*args):
        held.wait(20)
        return inner(*args)

    app._start = slow
    async with app.run_test(size=(100, 30)) as pilot:
        await open_form(pilot)
        await pilot.press("enter", "enter")
        held.set()
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))
    assert len(start.asked) == 1


@pytest.mark.parametrize("again", [False, True], ids=["left", "another-form"])
async def test_a_start_that_fails_after_the_form_closed_is_reported(app, start, again) -> None:
    held = threading.Event()
    start.error = UserError("the disk is full", "runs_dir")

    def slow(*args):
        held.wait(20)
        return start(*args)

    app._start = slow
    async with app.run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await pilot.press("enter", "escape")
        if again:
            await pilot.press("n")
        front = app.screen
        held.set()
        await until(pilot, lambda: "the disk is full" in toasts(app))
        assert app.screen is front
    assert app.failure is None


async def test_a_start_whose_form_was_left_leaves_another_form_open(app, start) -> None:
    held = threading.Event()

    def slow(*args):
        held.wait(20)
        return start(*args)

    app._start = slow
    async with app.run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await pilot.press("enter", "escape", "n")
        second = app.screen
        held.set()
        await until(pilot, lambda: isinstance(app.screen, RangeTestScreen))
        assert second in app.screen_stack


@pytest.mark.parametrize("text", ["inf", "1e300", "1e-320", "9" * 400])
@pytest.mark.parametrize("name", ["step_size_epochs", "train_epochs", "max_lr"])
async def test_no_number_ends_the_form(app, start, name, text) -> None:
    async with app.run_test(size=(160, 44)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("right")
        set_text(screen, name, text)
        await until(pilot, lambda: complaint(screen, name))
    assert app.failure is None


@pytest.mark.parametrize("text", ["~zz/photos", "x" * 300, "/x/" + "y" * 5000])
async def test_an_odd_path_is_reported_at_its_field(app, start, text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        set_text(screen, "data", text)
        await until(pilot, lambda: complaint(screen, "data"))
        await pilot.press("enter")
        assert not start.asked
    assert app.failure is None


async def test_run_again_opens_with_the_settings_and_the_reason(app, start) -> None:
    task = TaskConfig(batch_size=1024, seed=3)
    job = Train(base_lr=1e-4, max_lr=6e-4, policy="one-cycle", epochs=4)
    error = UserError("the device ran out of memory at batch size 1024", "batch_size")
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await open_form(pilot, task, job, parent="train-digits-9", error=error)
        assert "train-digits-9" in str(screen.query_one("#form-title", Static).render())
        assert row(screen, "batch_size").value == "1024"
        assert row(screen, "policy").value == "one-cycle"
        await until(pilot, lambda: complaint(screen, "batch_size"))
        assert complaint(screen, "batch_size") == error.message
        set_text(screen, "batch_size", "512")
        await until(pilot, lambda: not complaint(screen, "batch_size"))
        await pilot.press("enter")
        await until(pilot, lambda: start.asked)
        assert start.asked == [
            (TaskConfig(batch_size=512, seed=3), job, "train-digits-9"),
        ]


def test_epochs_are_two_fields_of_the_form() -> None:
    assert field_of("epochs", RangeTest()) == "epochs"
    assert field_of("epochs", Train(base_lr=1e-4, max_lr=1e-3)) == "train_epochs"
    assert field_of("runs_dir", RangeTest()) == "runs_dir"
    assert field_of(None, RangeTest()) == ""


async def test_escape_cancels(app, start) -> None:
    async with app.run_test() as pilot:
        await open_form(pilot)
        await pilot.press("escape")
        assert not isinstance(app.screen, NewRunScreen)
        assert not start.asked


async def test_the_focused_field_is_in_view_and_explained(app) -> None:
    assert all(len(setting.hint) <= 78 for setting in form_fields(("cpu",)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        for _ in range(len(shown(screen))):
            await pilot.press("tab")
            focused = app.focused
            region = focused.region
            assert 0 < region.y < 22, focused.id
            hint = str(screen.query_one("#form-hint", Static).render())
            assert hint == row(screen, focused.id).field.hint
            assert len(hint) <= 78


async def test_text_is_never_markup(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        set_text(screen, "seed", "[/b][red]\x1b[31m")
        await until(pilot, lambda: complaint(screen, "seed"))
        assert "[/b][red]" in complaint(screen, "seed")
        assert "\x1b" not in complaint(screen, "seed")


@pytest.mark.parametrize(
    "job",
    [
        RangeTest(start_lr=1.23456e-7, end_lr=0.3, steps=77, seeds=3, accuracy=True),
        RangeTest(epochs=2.5, optimizer=OptimizerConfig(momentum=0.0, weight_decay=5e-4)),
        Train(base_lr=1 / 3e4, max_lr=3.594e-3, policy="exp-range", gamma=0.9999),
        Train(base_lr=1e-4, max_lr=1e-3, step_size_epochs=2.5, epochs=20),
    ],
)
def test_settings_survive_the_form(job) -> None:
    task = TaskConfig(model="resnet34", weights="none", image_size=96, augment=False, seed=11)
    values = {field.name: field.default for field in form_fields(("cpu",))} | form_texts(task, job)
    reading = read_form(values)
    assert not reading.errors
    assert (reading.task, reading.job) == (task, job)


async def test_rarely_used_settings_are_folded_away_until_they_say_something(app) -> None:
    job = RangeTest(smoothing=0.2)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, TaskConfig(), job)
        assert "smoothing" in shown(screen)  # it is not what it usually is
        assert not {"seed", "steps", "divergence"} & set(shown(screen))
        set_text(screen, "divergence", "0.5")
        await until(pilot, lambda: complaint(screen, "divergence"))
        assert "divergence" in shown(screen)
        screen.query_one("#more", Choice).choose("shown")
        await pilot.pause()
        assert {"seed", "steps", "divergence", "augment", "compile"} <= set(shown(screen))
        assert not {"threads", "whole_cycles", "study"} & set(shown(screen))


async def test_a_study_fills_in_what_it_sets(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, TaskConfig(), Compare(entries=parse_entries("adam")))
        screen.query_one("#study", Choice).choose("resnet34")
        await pilot.pause()
        values = screen._values()
        assert (values["model"], values["compare_epochs"]) == ("resnet34", "100")
        assert values["whole_cycles"] == "off"
        reading = screen._read(values)
        changes, job = study("resnet34")
        assert (reading.task, reading.job) == (TaskConfig(**changes), job)
        # What is chosen otherwise goes over it; another model ends it.
        set_text(screen, "compare_epochs", "10")
        assert screen._read(screen._values()).job.study == "resnet34"
        set_text(screen, "model", "cnn")
        await pilot.pause()
        assert screen._read(screen._values()).job.study == ""
