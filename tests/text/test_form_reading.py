"""What the form asks for: the same as before, and nothing that cannot be reckoned with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clr_tui.engine.settings.config import (
    GAMMA,
    POLICIES,
    Compare,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import as_asked, at_each_rate
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.text.form import form_texts, read_form
from clr_tui.tui.text.form_fields import form_fields, title_of
from clr_tui.tui.text.schedule_preview import length_in_words, schedule_chart

NINES = "9" * 400
DEFAULTS = {field.name: field.default for field in form_fields(("cpu",))}
counts = st.integers(1, 10**9)
lengths = st.floats(1e-6, 1e9)
rates = st.lists(st.floats(1e-30, 1e6), min_size=2, max_size=2, unique=True).map(sorted)
optimizers = st.builds(
    OptimizerConfig,
    momentum=st.floats(0, 1, exclude_max=True),
    weight_decay=st.floats(0, allow_nan=False, allow_infinity=False),
    options=st.sampled_from([{}, {"maximize": True}]),
) | st.sampled_from(
    [
        OptimizerConfig(name="adamw", options={"weight_decay": 0.05, "eps": 1e-6}),
        OptimizerConfig(name="adam", weight_decay=0.1),
        OptimizerConfig(name="my.own:Optimizer", options={"kind": "x, y"}),
    ]
)
tasks = st.builds(
    TaskConfig,
    data=st.sampled_from(["digits", "/photos", "/my photos "]),
    model=st.sampled_from(["cnn", "resnet34", "vit_b_16"]),
    weights=st.sampled_from(["imagenet", "none", "/a/file.pt"]),
    freeze=st.sampled_from(["", "none", "all-but-last", "layer3"]),
    image_size=st.none() | st.integers(8, 4096),
    batch_size=st.integers(2, 10**6),
    augment=st.booleans(),
    compile=st.booleans(),
    device=st.sampled_from(["auto", "cpu", "cuda:3"]),
    seed=st.integers(0, 2**63 - 1),
)


@st.composite
def sweeps(draw) -> RangeTest:
    low, high = draw(rates)
    return RangeTest(
        start_lr=low,
        end_lr=high,
        epochs=draw(lengths),
        steps=draw(st.none() | counts),
        seeds=draw(counts),
        accuracy=draw(st.booleans()),
        smoothing=draw(st.floats(0, 1, exclude_min=True)),
        divergence=draw(st.floats(1, 1e6, exclude_min=True)),
        optimizer=draw(optimizers),
    )


@st.composite
def trainings(draw) -> Train:
    low, high = draw(rates)
    return Train(
        base_lr=low,
        max_lr=high,
        policy=draw(st.sampled_from(POLICIES)),
        step_size_epochs=draw(lengths),
        epochs=draw(counts | st.integers(1, 10_000)),
        whole_cycles=draw(st.booleans()),
        gamma=draw(st.floats(0, 1, exclude_min=True)),
        factor=draw(st.floats(2, 100)),
        optimizer=draw(optimizers),
    )


ENTRIES = parse_entries(
    "adam, sgd+clr, adamw(weight_decay=0.05)+one-cycle, sgd(momentum=0.9,lr=0.01), "
    "rmsprop+exp-range(lr=1e-3,base_lr=1e-4), my.own:Optimizer(kind='x, y')"
)
comparisons = st.builds(
    Compare,
    entries=st.lists(st.sampled_from(ENTRIES), min_size=1, unique_by=lambda e: e.label),
    seeds=st.integers(1, 40),
    epochs=st.integers(1, 10_000) | counts,
    whole_cycles=st.booleans(),
    rates=st.sampled_from(["default", "tuned", 1e-3, 0.25, "grid:1e-4..0.1x4", "around:run-1x3"]),
    factor=st.floats(2, 100),
    step_size_epochs=lengths,
    gamma=st.floats(0, 1, exclude_min=True),
    jobs=st.none() | st.integers(1, 64),
    threads=st.integers(1, 64),
    target=st.none() | st.floats(1e-3, 0.999).map(lambda x: round(x, 9)),
).filter(lambda job: ":" not in str(job.rates) or any(entry.lr is None for entry in job.entries))


@given(tasks, sweeps() | trainings() | comparisons)
def test_run_again_is_the_same_run(task, job) -> None:
    reading = read_form(DEFAULTS | form_texts(task, job), task, job)
    assert not reading.errors
    assert (reading.task, reading.job) == (task, job)


@given(sweeps() | trainings() | comparisons)
def test_every_valid_job_can_be_previewed(job) -> None:
    assert "nan" not in length_in_words(job)
    assert len(draw(schedule_chart(job), 60, 15, DARK)) == 15


def test_another_kind_begins_with_its_own_defaults() -> None:
    job = RangeTest(smoothing=0.2)
    values = DEFAULTS | form_texts(TaskConfig(), job) | {"kind": "training"}
    assert read_form(values, TaskConfig(), job).job == Train(base_lr=6e-4, max_lr=3.6e-3)


def test_a_length_without_whole_cycles_is_kept_and_shown() -> None:
    job = Train(base_lr=1e-4, max_lr=1e-3, epochs=10, whole_cycles=False)
    assert "mid-cycle, as in the run" in length_in_words(job)
    assert schedule_chart(job).x.hi == 10


@pytest.mark.parametrize("text", ["inf", "nan", "1e300", "1e-320", "0", "-1", NINES, "9" * 5000])
@pytest.mark.parametrize("name", [s.name for s in form_fields(()) if not s.choices])
@pytest.mark.parametrize("kind", ["range test", "training", "comparison"])
def test_no_number_is_too_much_for_the_form(kind, name, text) -> None:
    reading = read_form(DEFAULTS | {"kind": kind, "policy": "exp-range", name: text})
    assert all(len(message) <= 200 for message in reading.errors.values())
    length_in_words(reading.valid_job)
    draw(schedule_chart(reading.valid_job), 60, 15, DARK)


@pytest.mark.parametrize(
    ("kind", "name", "text", "words"),
    [
        ("training", "step_size_epochs", "inf", "not inf"),
        ("training", "step_size_epochs", "1e300", "at most 1000000000, not 1e+300"),
        ("training", "step_size_epochs", "1e-320", "at least 1e-06"),
        ("training", "train_epochs", NINES, "at most 1000000000, not 999"),
        ("range test", "steps", NINES, "at most 1000000000, not 999"),
        ("range test", "epochs", "1e300", "at most 1000000000, not 1e+300"),
        ("comparison", "optimizers", "adam, adm", "'adm'; did you mean 'adam'?"),
        ("comparison", "optimizers", "adam, adam", "'adam' is given 2 times"),
        ("comparison", "optimizers", "", "no optimizers are given"),
        ("comparison", "optimizers", "adam(beta=1)", "beta"),
        ("comparison", "compare_seeds", "0", "at least 1, not 0"),
        ("comparison", "compare_seeds", "two", "'two' is not a whole number"),
        ("comparison", "compare_epochs", "0", "at least 1, not 0"),
        ("comparison", "compare_epochs", NINES, "at most 1000000000, not 999"),
        ("comparison", "step_size_epochs", "inf", "not inf"),
        ("comparison", "target", "1.5", "below 1"),
        ("comparison", "target", "most", "not 'most'"),
        ("comparison", "jobs", "0", "at least 1, not 0"),
    ],
)
def test_a_number_out_of_bounds_is_reported_at_its_field(kind, name, text, words) -> None:
    reading = read_form(DEFAULTS | {"kind": kind, name: text})
    assert list(reading.errors) == [name]
    assert words in reading.errors[name]
    assert reading.valid_job is None


def compared(**changes) -> dict[str, str]:
    return DEFAULTS | {"kind": "comparison"} | changes


def test_a_comparison_s_defaults_are_the_article_s_six() -> None:
    job = read_form(compared()).job
    assert [entry.label for entry in job.entries] == [
        "adagrad",
        "adadelta",
        "rmsprop",
        "adam",
        "adamax",
        "sgd+clr",
    ]
    assert job == Compare(entries=job.entries)


def test_the_length_of_a_comparison_is_given_in_trials() -> None:
    def told(**changes) -> str:
        return length_in_words(read_form(compared(**changes)).valid_job)

    assert told() == ("18 trials of 16 epochs; first a range test for the rate of sgd+clr.")
    assert told(optimizers="adam", compare_seeds="1", compare_epochs="1") == "1 trial of 1 epoch."
    assert told(lr="tuned").endswith("6 range tests, one for each rate to tune.")
    alone = told(optimizers="rprop, adam", lr="tuned")
    assert alone.endswith("first a range test for the rate of adam.")
    rounded = told(compare_epochs="10", optimizers="adam, sgd+clr(lr=0.1)")
    assert rounded == "6 trials of 16 epochs (10 would end in mid-cycle)."


def test_the_length_of_a_grid_is_given_in_trials() -> None:
    def told(**changes) -> str:
        reading = read_form(compared(optimizers="adam, sgd+clr, adamax(lr=1)", **changes))
        assert not reading.errors
        assert len(reading.job.entries) == 3  # as typed: it starts with one at each rate
        return length_in_words(reading.valid_job)

    assert told(lr="grid:1e-4..0.1x7", compare_seeds="2") == (
        "2 optimizers at 7 rates: 30 trials of 16 epochs."
    )
    assert told(lr="around:range-test-digits-1x5") == (
        "2 optimizers at 5 rates around what range-test-digits-1 recommends: 33 trials of 16"
        " epochs."
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grid:1e-4..x7", "cannot be read: write grid:LOW..HIGHxCOUNT"),
        ("grid:0.1..1e-4x7", "is not below its last"),
        ("grid:1e-4..0.1x40", "2 optimizers at 40 rates make 80 entries"),
        ("around:", "around: needs a range test"),
        ("around:range-test-1x4", "give an odd number from 3 to 15"),
    ],
)
def test_a_grid_that_cannot_be_used_is_shown_at_its_field(text: str, says: str) -> None:
    reading = read_form(compared(optimizers="adam, sgd+clr", lr=text))
    assert list(reading.errors) == ["lr"]
    assert says in reading.errors["lr"]
    assert reading.valid_job is None


def test_a_grid_is_run_again_with_the_optimizers_as_they_were_typed() -> None:
    job = read_form(compared(optimizers="adam, sgd+clr", lr="grid:1e-4..0.1x7")).job
    values = DEFAULTS | form_texts(TaskConfig(), as_asked(at_each_rate(job)))
    assert (values["optimizers"], values["lr"]) == ("adam, sgd+clr", "grid:1e-4..0.1x7")
    assert read_form(values, TaskConfig(), as_asked(at_each_rate(job))).job == job


def test_a_comparison_s_rates_are_drawn_by_their_shape() -> None:
    chart = schedule_chart(
        read_form(compared(optimizers="adam, adamax, sgd+clr, nadam+one-cycle")).valid_job
    )
    assert [series.name for series in chart.series] == ["2 constant", "1 triangular", "1 one-cycle"]
    assert chart.x.hi == 16
    constant, triangle, _ = chart.series
    assert set(constant.y) == {1.0}
    assert triangle.y.min() == pytest.approx(1 / 6)
    assert triangle.y.max() == pytest.approx(1, abs=0.02)
    assert schedule_chart(read_form(compared(compare_epochs="20000")).valid_job).empty.startswith(
        "Too many epochs"
    )


def test_a_study_is_left_with_its_model() -> None:
    job = Compare(entries=ENTRIES[:2], study="cnn")
    values = DEFAULTS | form_texts(TaskConfig(), job)
    assert read_form(values, TaskConfig(), job).job.study == "cnn"
    other = read_form(values | {"model": "resnet34"}, TaskConfig(), job)
    assert not other.errors
    assert other.job.study == ""


def test_entries_stay_as_they_were_given_where_their_text_does() -> None:
    entries = [ENTRIES[0], ENTRIES[1]]
    study = Compare(entries=entries)
    values = DEFAULTS | form_texts(TaskConfig(), study)
    assert read_form(values, TaskConfig(), study).job.entries is entries
    changed = read_form(values | {"optimizers": "adam,sgd"}, TaskConfig(), study).job
    assert [entry.label for entry in changed.entries] == ["adam", "sgd"]


def test_a_rate_not_in_the_text_stays_with_its_entry_and_is_shown() -> None:
    given = [replace(entry, lr=0.01) for entry in parse_entries("adam,sgd")]
    job = Compare(entries=given, seeds=1)
    values = DEFAULTS | form_texts(TaskConfig(), job)
    assert "0.01" not in values["optimizers"]
    changed = read_form(values | {"optimizers": "rmsprop, adam"}, TaskConfig(), job).job
    assert [(entry.label, entry.lr) for entry in changed.entries] == [
        ("rmsprop", None),
        ("adam", 0.01),
    ]
    assert length_in_words(job).endswith("As given: adam, sgd at lr 0.01.")
    typed = Compare(entries=parse_entries("adam(lr=0.01),sgd"))
    assert "given" not in length_in_words(typed)


def test_the_optimizer_is_asked_for_with_its_options() -> None:
    values = DEFAULTS | {"optimizer": "AdamW(weight_decay=0.05)", "momentum": "x"}
    expected = OptimizerConfig(name="adamw", options={"weight_decay": 0.05})
    for kind in ("range test", "training"):
        assert read_form(values | {"kind": kind}).job.optimizer == expected
    sgd = read_form(DEFAULTS | {"optimizer": "sgd(nesterov=True)", "momentum": "0.8"}).job.optimizer
    assert sgd == OptimizerConfig(momentum=0.8, options={"nesterov": True})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adm", "did you mean 'adam'"),
        ("sgd(momentum=0.5)", "have their own fields"),
        ("adam+clr", "leave out '+clr'"),
        ("adam(lr=0.1)", "the learning rate is a setting of its own: leave out 'lr'"),
        ("lion", ", or package.module:Class"),
        ("", "a value is missing"),
    ],
)
def test_a_mistake_in_the_optimizer_is_told_at_its_field(text: str, words: str) -> None:
    errors = read_form(DEFAULTS | {"optimizer": text}).errors
    assert list(errors) == ["optimizer"]
    assert words in errors["optimizer"]


def test_an_empty_lower_bound_is_made_of_the_upper_one_and_the_factor() -> None:
    values = DEFAULTS | {"kind": "training", "base_lr": "", "max_lr": "0.06"}
    assert read_form(values).job.base_lr == pytest.approx(0.01)
    assert read_form(values | {"factor": "3"}).job.base_lr == pytest.approx(0.02)
    assert list(read_form(values | {"max_lr": "x"}).errors) == ["max_lr"]


def test_a_field_that_plays_no_part_any_more_is_as_by_default() -> None:
    job = Train(base_lr=1e-4, max_lr=1e-3, policy="exp-range", gamma=0.9)
    values = DEFAULTS | form_texts(TaskConfig(), job)
    assert read_form(values, TaskConfig(), job).job == job
    changed = read_form(values | {"policy": "triangular"}, TaskConfig(), job).job
    assert changed == replace(job, policy="triangular", gamma=GAMMA)


def test_a_time_to_spend_replaces_length_and_number_of_seeds() -> None:
    values = DEFAULTS | {
        "kind": title_of("range-test"),
        "time": "1h30m",
        "steps": "x",
        "seeds": "x",
    }
    assert read_form(values).job == RangeTest(time=5400.0)
    assert not {"epochs", "steps", "seeds"} & fields_of(values)
    values = DEFAULTS | {"kind": title_of("compare"), "compare_time": "90s", "compare_seeds": "x"}
    job = read_form(values).job
    assert job == replace(
        read_form(values | {"compare_time": "", "compare_seeds": "3"}).job, time=90
    )
    assert "compare_seeds" not in fields_of(values)
    assert "compare_epochs" in fields_of(values)
    assert form_texts(TaskConfig(), job)["compare_time"] == "1m30s"
    assert "for each seed, and as many seeds as fit in 1m30s" in length_in_words(job)
    errors = read_form(values | {"compare_time": "5"}).errors
    words = "time must be a duration such as 90s, 5m or 1h30m, not '5'"
    assert errors == {"compare_time": words}


def fields_of(values: dict[str, str]) -> set[str]:
    return {field.name for field in form_fields() if field.plays_a_part(values)}
