"""Hostile text in every field of every event and of run.json, through every way out."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import msgspec
import pytest
from comparison_logs import comparison_events, write_run
from textual.app import App
from textual.pilot import Pilot

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.events import AnyEvent
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.settings.config import LoggedRun, RangeTest, TaskConfig, Train
from clr_tui.tui.alerts import Alert, Alerts
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.cli.main import main
from clr_tui.tui.exporting import history_at
from clr_tui.tui.terminal_notes import WAYS, run_command, sequence

HOSTILE = (
    "=1+1|\x1b]52;c;aGk=\x07\x1b[2J\x9b31m[bold red]x[/] [@click=app.quit]y[/]\r\n# h\n| a |\u2028"
    "\u202eevil\u2066 z\u200bw\ufeff\U000e0041\0<script>alert(1)</script>![i](http://x)`'\"&\\"
)
KINDS = ("range-test", "train", "compare", "logged")


def is_plain(text: str) -> bool:
    """Whether no character can steer a terminal, or change what others look like."""
    kinds = {unicodedata.category(c) for c in text if c not in "\n\r"}
    return not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def made(kind: Any, text: str) -> Any:
    """A value of a type with `text` wherever text may be."""
    info = kind if isinstance(kind, msgspec.inspect.Type) else msgspec.inspect.type_info(kind)
    match info:
        case msgspec.inspect.StrType():
            return text
        case msgspec.inspect.LiteralType():
            return info.values[0]
        case msgspec.inspect.ListType():
            return [made(info.item_type, text)]
        case msgspec.inspect.DictType():
            return {made(info.key_type, text): made(info.value_type, text)}
        case msgspec.inspect.UnionType():
            return made(info.types[0], text)
        case msgspec.inspect.IntType():
            return 1
        case msgspec.inspect.FloatType():
            return 0.5
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.StructType():
            fields = {f.name: made(f.type, text) for f in info.fields if f.name not in ("seq", "x")}
            return info.cls(**fields)
    raise AssertionError(f"no value is known for {info}")


def with_text(value: Any, text: str, kind: Any = None) -> Any:
    """The same data with `text` in place of every text that is not one of a few words."""
    if isinstance(value, msgspec.Struct):
        info = msgspec.inspect.type_info(type(value))
        assert isinstance(info, msgspec.inspect.StructType)
        changes = {f.name: with_text(getattr(value, f.name), text, f.type) for f in info.fields}
        return msgspec.structs.replace(value, **changes)
    if isinstance(kind, msgspec.inspect.UnionType):
        texts = [one for one in kind.types if isinstance(one, msgspec.inspect.StrType)]
        others = [one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)]
        return with_text(value, text, (texts or others)[0])
    if isinstance(value, str):
        is_free = isinstance(kind, msgspec.inspect.StrType)
        return f"{text}{value}" if is_free else value
    if isinstance(value, list) and isinstance(kind, msgspec.inspect.ListType):
        return [with_text(one, text, kind.item_type) for one in value]
    if isinstance(value, dict) and isinstance(kind, msgspec.inspect.DictType):
        return {
            with_text(key, text, kind.key_type): with_text(one, text, kind.value_type)
            for key, one in value.items()
        }
    return value


def events_of(kind: str, run: str) -> Iterator[ev.AnyEvent]:
    """A log of a kind whose texts are all hostile, and an event of each type besides."""
    usual: list[ev.AnyEvent]
    if kind == "compare":
        usual = comparison_events(seeds=2, epochs=2)
    elif kind == "logged":
        rows: dict[str, list[float | None]] = {"loss": [1.0, 0.5], "val/accuracy": [0.1, 0.2]}
        usual = [ev.Logged(step=[i, i + 1], values=rows, at=[1.0 + i, 2.0 + i]) for i in (0, 2, 4)]
    else:
        rates = [1e-5 * 1.2**i for i in range(60)]
        losses: list[float | None] = [2 - i / 60 for i in range(60)]
        usual = [
            ev.TrialStarted(trial=0, seed=0, total_steps=60, steps_per_epoch=20),
            ev.Steps(trial=0, step=list(range(60)), lr=rates, loss=losses, elapsed=3.0),
        ]
    yield ev.RunStarted(run=f"{HOSTILE}{run}", kind=kind, version=HOSTILE, host=HOSTILE)
    for event in usual:
        if not isinstance(event, ev.RunStarted | ev.RunFinished):
            yield with_text(event, HOSTILE)
    for other in get_args(AnyEvent):
        if other not in (ev.RunStarted, ev.RunFinished, ev.Resumed, ev.TimePlanned):
            yield made(other, HOSTILE)
    yield made(ev.RunFinished, HOSTILE)


def config_with_text(run: RunDir) -> None:
    """Makes every text of run.json hostile that may be anything."""
    plain = msgspec.json.decode(run.config_path.read_bytes())

    def change(holder: Any) -> None:
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, dict | list):
                change(value)
            elif isinstance(value, str) and key not in ("id", "version"):
                holder[key] = f"{HOSTILE}{value}"
                run.config_path.write_bytes(msgspec.json.encode(plain))
                if not reads(run):
                    holder[key] = value

    change(plain)
    run.config_path.write_bytes(msgspec.json.encode(plain))
    assert HOSTILE in run.config().task.data


def reads(run: RunDir) -> bool:
    try:
        return bool(RunDir(run.path).config())
    except Exception:  # noqa: BLE001 - one that is refused is no way in
        return False


@pytest.fixture(params=KINDS)
def run(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    runs = tmp_path / "runs"
    monkeypatch.setenv("CLR_TUI_RUNS", str(runs))
    monkeypatch.setenv("COLUMNS", "100")
    if request.param == "compare":
        made_run = write_run(runs, seeds=2, epochs=2)
    else:
        jobs = {"range-test": RangeTest(), "train": Train(base_lr=1e-3, max_lr=1e-2)}
        job = jobs.get(request.param) or LoggedRun(name="x", source="y", config={"a": "b"})
        made_run = create_run(runs, task=TaskConfig(), job=job, version="0")
    events = events_of(request.param, made_run.id)
    lines = [msgspec.json.encode(msgspec.structs.replace(e, time=1.7e9 + 1)) for e in events]
    made_run.events_path.write_bytes(b"".join(line + b"\n" for line in lines))
    config_with_text(made_run)
    return made_run


class Elements(HTMLParser):
    """The names of all elements, and whether an attribute could do something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def check_csv(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert is_plain(cell.replace("\n", "")), cell
            starts_formula = cell.lstrip().startswith(tuple("=+-@"))
            assert not starts_formula or is_number(cell), cell


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def check_json(text: str) -> None:
    assert text.isascii()
    assert is_plain(text)
    assert json.loads(text)


def check_svg(text: str) -> None:
    names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert names <= {
        *("svg", "g", "rect", "path", "text", "tspan", "line", "polyline", "circle"),
        *("defs", "clipPath", "title", "style", "polygon"),
    }
    assert is_plain(text)


def check_html(text: str) -> None:
    elements = Elements(text)
    assert not elements.names & {"script", "a", "img", "iframe", "object", "b", "i", "link"}
    assert not {name for name in elements.attributes if name.startswith("on") or name == "href"}
    assert is_plain(text)


def check_markdown(text: str) -> None:
    assert is_plain(text)
    outside = re.sub(r"(?s)^```.*?^```", "", text, flags=re.MULTILINE)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"(?<!\\)<script", outside)
    assert not re.search(r"(?<!\\)\[i(?<!\\)\]", outside)
    tables = re.findall(r"(?:^\|.*\n)+", outside, re.MULTILINE)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def check_text(text: str) -> None:
    assert is_plain(text)
    assert "[bold red]" in text or "evil" not in text, "markup was taken for markup"


WAYS_OUT: dict[str, tuple[list[str], Callable[[str], None]]] = {
    "replay": (["replay", "RUN", "--headless"], check_text),
    "replay json": (["replay", "RUN", "--json"], check_json),
    "attach": (["attach", "RUN", "--headless"], check_text),
    "attach json": (["attach", "RUN", "--json"], check_json),
    "ls": (["ls"], check_text),
    "ls json": (["ls", "--json"], check_json),
    "watch": (["watch", "RUN", "--json"], check_json),
    "wait": (["wait", "RUN"], check_text),
    "csv": (["export", "RUN", "--csv", "-"], check_csv),
    "epochs": (["export", "RUN", "--epochs-csv", "-"], check_csv),
    "curves": (["export", "RUN", "--curves-csv", "-"], check_csv),
    "table": (["export", "RUN", "--markdown", "-"], check_markdown),
    "svg": (["export", "RUN", "--svg", "-"], check_svg),
    "json": (["export", "RUN", "--json", "-"], check_json),
    "report": (["report", "RUN"], check_markdown),
    "html": (["report", "RUN", "--html"], check_html),
}


def test_hostile_text_is_harmless_in_every_printed_and_written_form(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = open_recording(run.path).batch
    assert batch.corrupt == 0, "the hostile log must be read, not refused"
    written = 0
    for name, (arguments, check) in WAYS_OUT.items():
        capsys.readouterr()
        code = main([run.id if argument == "RUN" else argument for argument in arguments])
        said = capsys.readouterr()
        assert code in (0, 1, 2), said.err
        assert "internal error" not in said.err, name
        check_text(said.err)
        if said.out:
            written += 1
            check(said.out)
    assert written >= 10
    main(["export", run.id, "--tensorboard", str(tmp_path / "tb")])
    files = {p.relative_to(tmp_path).parts[0] for p in tmp_path.rglob("*tfevents*")}
    assert files == {"tb"}
    assert all(is_plain(str(path)) for path in (tmp_path / "tb").rglob("*"))


async def test_hostile_text_is_text_on_every_screen(run: RunDir, tmp_path: Path) -> None:
    app = ClrTuiApp(run.path.parent, load=lambda: open_recording(run.path), start_speed=1e9)
    async with app.run_test(size=(160, 44)) as pilot:
        await pilot.pause()
        await check_small_terminal(pilot)
        for keys in ([], ["l"], ["escape", "question_mark"], ["escape", "e"], ["escape", "escape"]):
            await pilot.press(*keys)
            await pilot.pause()
            shown = ["".join(segment.text for segment in strip) for strip in rows(app)]
            assert all(map(is_plain, shown))
    assert app.failure is None


async def check_small_terminal(pilot: Pilot[Any]) -> None:
    """A terminal of one cell, and back, twice: what is shown then is the same."""
    shown = []
    for _ in range(2):
        await pilot.resize_terminal(1, 1)
        await pilot.pause()
        await pilot.resize_terminal(160, 44)
        await pilot.pause()
        await pilot.pause()
        strips = rows(pilot.app)
        shown.append(["".join(segment.text for segment in strip) for strip in strips])
    assert len(shown[0]) == 44
    assert shown[0] == shown[1]


def rows(app: App[Any]) -> list[Any]:
    return app.screen._compositor.render_strips(app.screen.size)


def test_notes_hold_no_sequence_but_their_own(run: RunDir, tmp_path: Path) -> None:
    told: list[Alert] = []
    alerts = Alerts(told.append)
    alerts.expect(HOSTILE)
    alerts.look_at_history(HOSTILE, history_at(open_recording(run.path), 1.0), "failed", 2e9)
    (alert,) = told
    assert is_plain(alert.sentence)
    assert "\n" not in alert.sentence
    for way in WAYS:
        for term in ("xterm", "foot", "tmux", "linux"):
            code = sequence(way, alert.sentence, {"TERM": term, "TMUX": "x"})
            frame = re.sub(r"\x1b+\]9;|\x1b+\]777;notify;clr-tui;|\a|\x1bPtmux;|\x1b\\", "", code)
            assert is_plain(frame)
            assert ";" not in frame
    out = tmp_path / "out"
    run_command(
        f'printf %s "$CLR_TUI_MESSAGE$CLR_TUI_RUN$1" > {out}.new; mv {out}.new {out}', alert
    )
    for _ in range(500):
        if out.exists():
            break
        wait_a_moment()
    assert is_plain(out.read_text())


def wait_a_moment() -> None:
    import threading

    threading.Event().wait(0.02)
