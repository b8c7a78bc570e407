"""The table of all keys; bindings, footer, help and palette are made from it.

A key belongs to a screen (`home` or the name of a kind), to comparisons over a `grid` of rates, to
every `run` screen, to those whose program's `output` can be read, to runs that a command starts
(`job`), to those without such a grid (`newest`), to those with `curves`, to those whose task is
`known`, to run screens that show a running job (`live`), one that was stopped, failed or died
(`unfinished`) or a recording (`replay`), or to `any` screen.

Footer and help leave out keys that command a worker once the run has ended; pressing one explains
why. Keys are in order of importance: a narrow footer drops the last ones, but never `?` and `q`.
Actions `app.*` belong to the app, all others to the screen.

While a tool, the cursor or the zoom, is in use, its keys come before all others, and other meanings
of the same keys are neither listed nor reachable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, runtime_checkable

from textual.binding import Binding, BindingType

from clr_tui.tui.kinds.registry import KINDS

HOME = "home"
GRID = "compare+grid"
"""The screen of a comparison over a grid of rates."""
NO_OUTPUT, NO_TASK = "+no-output", "+no-task"
"""Appended to the name of a screen: nobody can read what the program printed; it is not known what
was trained. Keys for these are not listed; pressed anyhow, they say why."""
Mode = Literal["live", "trial", "ended", "unfinished", "replay", "watch"]
"""What a run screen shows: a running job, a running trial of a comparison, a run or trial that has
ended, a run that could be resumed, a recording, or the log of another tool while it may grow."""
Tool = Literal["cursor", "zoom", "chart"]
"""What the arrow keys move on the charts of a run screen; `chart`: one of many has all the room."""


@runtime_checkable
class HasKeys(Protocol):
    """A screen with keys of this table; help and palette read these attributes."""

    key_screen: str
    """`HOME`, `GRID`, or the name of a kind, and what it lacks, such as `NO_OUTPUT`."""
    key_mode: Mode | None
    key_tool: Tool | None


@dataclass(frozen=True)
class Bind:
    """An action and the keys that trigger it."""

    keys: str
    """Textual's names, separated by commas: "plus,equals_sign"."""
    action: str
    title: str
    """Shown in the command palette."""


@dataclass(frozen=True)
class Key:
    """One row of the table: keys that belong together, such as left and right."""

    where: frozenset[str]
    shown: str
    """How the keys are displayed: "←→"."""
    label: str
    """One or two words for the footer; empty keeps the key out of it."""
    help: str
    binds: tuple[Bind, ...]
    pinned: bool = False
    """Never dropped from the footer."""
    order: bool = False
    """Commands the worker: useless after a run has ended, and for a single trial."""
    tool: Tool | None = None
    """The tool that the key belongs to; None if it works at any time."""

    @property
    def names(self) -> set[str]:
        """Textual's names of its keys."""
        return {name for bind in self.binds for name in bind.keys.split(",")}


def _key(
    where: str,
    shown: str,
    label: str,
    help_: str,
    *binds: str,
    pinned: bool = False,
    order: bool = False,
    tool: Tool | None = None,
) -> Key:
    """Each of `binds` is "keys action title"; without a title the palette shows the help."""
    default = help_[0].upper() + help_[1:]
    parts = [(*bind.split(maxsplit=2), default) for bind in binds]
    made = tuple(Bind(keys, action, title) for keys, action, title, *_ in parts)
    return Key(frozenset(where.split()), shown, label, help_, made, pinned, order, tool)


KEYS: tuple[Key, ...] = (
    _key(
        "run",
        "←→",
        "move cursor",
        "move the cursor to the next value (with shift: ten columns)",
        "left move_cursor(-1) Move the cursor left",
        "right move_cursor(1) Move the cursor right",
        "shift+left move_cursor(-10) Move the cursor ten columns left",
        "shift+right move_cursor(10) Move the cursor ten columns right",
        tool="cursor",
    ),
    _key("run", "i esc", "end", "hide the cursor", "i,escape hide_cursor", tool="cursor"),
    _key(
        "run",
        "↑↓",
        "narrow, widen",
        "show half of the part of x that is shown, or twice as much",
        "up resize_part(1) Show half of the part of x",
        "down resize_part(-1) Show twice the part of x",
        tool="zoom",
    ),
    _key(
        "run",
        "←→",
        "move",
        "move the part of x that is shown (with shift: by its whole width)",
        "left move_part(-1) Move the part of x left",
        "right move_part(1) Move the part of x right",
        "shift+left move_part(-10) Move the part of x left by its width",
        "shift+right move_part(10) Move the part of x right by its width",
        tool="zoom",
    ),
    _key("run", "Z", "all of x", "show all of x", "Z show_all_of_x", tool="zoom"),
    _key(
        "run",
        "f",
        "newest",
        "follow the newest part of x, or hold it (↑↓: a shorter or longer one)",
        "f follow_newest Follow the newest part of x, or hold it",
        tool="zoom",
    ),
    _key("run", "z esc", "end", "leave the part as it is", "z,escape end_zoom", tool="zoom"),
    _key(
        "logged",
        "enter esc",
        "all charts",
        "show the other charts again (arrow keys: the chart before or after)",
        "enter,escape leave_chart Show the other charts again",
        tool="chart",
    ),
    _key("home", "n", "new run", "start a new run", "n new_run"),
    _key(
        "home",
        "enter",
        "open",
        "open the selected run, or the marked ones together",
        "enter open_run",
    ),
    _key(
        "home",
        "space",
        "mark",
        "mark runs, to show them together (esc: unmark all)",
        "space mark Mark the selected run",
        "escape unmark Unmark all runs",
    ),
    _key("home", "/", "filter", "show only matching runs", "slash filter"),
    _key(
        "range-test",
        "←→",
        "move bound",
        "move the selected bound along the chart (with shift: ten columns)",
        "left move_bound(-1) Move the selected bound left",
        "right move_bound(1) Move the selected bound right",
        "shift+left move_bound(-10) Move the selected bound ten columns left",
        "shift+right move_bound(10) Move the selected bound ten columns right",
    ),
    _key("range-test", "tab", "other", "select the other bound", "tab,shift+tab other_bound"),
    _key("range-test", "b", "type", "type both bounds, such as 5e-4 or 0.003", "b type_bounds"),
    _key("range-test", "u", "next rule", "use the bounds of the next rule", "u next_rule"),
    _key("range-test", "t", "train", "train with CLR between these bounds", "t launch_training"),
    _key(
        "range-test",
        "v",
        "verify",
        "check the recommended rate: train at rates around it (says the cost first)",
        "v verify Check the recommended rate by training around it",
    ),
    _key(
        "train logged", "b", "bounds", "type new bounds, used at once", "b type_bounds", order=True
    ),
    _key(
        "compare",
        "enter",
        "open",
        "show or hide the optimizer's trials; on a trial: open it",
        "enter open_row Show the selected trials, or open the trial",
    ),
    _key(
        "grid",
        "f",
        "curves",
        "show the curves, or the final metric by learning rate",
        "f by_rate",
    ),
    _key("compare", "h", "hide", "hide or show the optimizer's curve", "h hide"),
    _key("compare", "v", "train/val", "show validation, training, or both", "v cycle_part"),
    _key("compare", "a", "loss", "switch between metric and loss", "a toggle_quantity"),
    _key("replay", "space", "play", "play or pause the replay", "space pause"),
    _key(
        "replay",
        "[ ]",
        "seek",
        "go back or forward in the replay",
        "left_square_bracket seek(-1) Replay: go back",
        "right_square_bracket seek(1) Replay: go forward",
    ),
    _key(
        "replay",
        "< >",
        "speed",
        "slow the replay down or speed it up",
        "less_than_sign speed(-1) Replay: slower",
        "greater_than_sign speed(1) Replay: faster",
    ),
    _key("live", "space", "pause", "pause the run or continue it", "space pause"),
    _key(
        "home live",
        "s",
        "stop",
        "stop the run (asks first; a training saves a checkpoint)",
        "s stop Stop the run",
    ),
    _key(
        "compare",
        "k",
        "stop trial",
        "stop the selected trial or the optimizer's trials (asks first)",
        "k stop_trial Stop the selected trial",
        order=True,
    ),
    _key(
        "compare",
        "←→",
        "target",
        "move the target by a point (with shift: five)",
        "left move_target(-1) Target one point lower",
        "right move_target(1) Target one point higher",
        "shift+left move_target(-5) Target five points lower",
        "shift+right move_target(5) Target five points higher",
    ),
    _key("compare", "g", "type", "type a target such as 65% or 0.65, or clear it", "g type_target"),
    _key("compare", "m", "seeds", "show every seed's curve, or only the means", "m toggle_seeds"),
    _key("compare", "d", "bands", "show or hide the 95% bands", "d toggle_bands"),
    _key(
        "compare",
        "↑↓",
        "select",
        "select an optimizer or one of its trials",
        "up select(-1) Select the row above",
        "down select(1) Select the row below",
    ),
    _key("logged", "enter", "enlarge", "give the chosen chart all the room", "enter enlarge"),
    _key(
        "logged",
        "/",
        "filter",
        "show only charts and runs whose names match: words, !not, /pattern/",
        "slash filter Filter charts and runs",
    ),
    _key(
        "logged",
        "←→↑↓",
        "choose",
        "choose a chart",
        "left choose(-1,0) Choose the chart on the left",
        "right choose(1,0) Choose the chart on the right",
        "up choose(0,-1) Choose the chart above",
        "down choose(0,1) Choose the chart below",
    ),
    _key(
        "logged",
        "m M",
        "charts",
        "show more charts at once, or fewer (pgup, pgdn: the others)",
        "m more_charts(1) Show more charts at once",
        "M more_charts(-1) Show fewer charts at once",
    ),
    _key("logged", "p", "panel", "show or hide values and settings", "p toggle_panel"),
    _key(
        "logged",
        "d",
        "device",
        "show the load of the machine: GPU, CPU, memory over time",
        "d toggle_load Show the load of the machine",
    ),
    _key(
        "run",
        "i",
        "cursor",
        "read the values of all curves at one x: ←→ move the cursor, i or esc ends it",
        "i show_cursor Show a cursor that reads values",
    ),
    _key(
        "run",
        "z",
        "zoom",
        "show a part of x: ↑↓ narrow and widen it, ←→ move it, f follows the newest",
        "z zoom Show a part of x",
    ),
    _key(
        "home unfinished",
        "R",
        "resume",
        "continue a run that was stopped, failed or died",
        "R resume Continue a run that was stopped, failed or died",
    ),
    _key("job", "r", "again", "run it again: its settings open in the form", "r run_again"),
    _key("known", "c", "compare", "compare optimizers on this task", "c compare"),
    _key(
        "output",
        "l",
        "log",
        "show or hide the worker's output: prints, warnings",
        "l toggle_output",
    ),
    _key(
        "output",
        "pgup pgdn",
        "",
        "scroll the worker's output (end: follow it again)",
        "pageup scroll_output(-1) Scroll the worker's output up",
        "pagedown scroll_output(1) Scroll the worker's output down",
        "home output_end(False) Go to the start of the worker's output",
        "end output_end(True) Follow the worker's output",
    ),
    _key(
        "curves logged",
        "+-",
        "smooth",
        "smooth the curve more or less",
        "plus,equals_sign smoothing(1) Smooth more",
        "minus,underscore smoothing(-1) Smooth less",
    ),
    _key("run", "Z", "", "show all of x", "Z show_all_of_x"),
    _key(
        "newest",
        "f",
        "newest",
        "follow the newest part of x, or hold it",
        "f follow_newest Follow the newest part of x, or hold it",
    ),
    _key("run", "X", "", "switch x between linear and logarithmic", "X toggle_log_x"),
    _key("run", "y", "log y", "switch y between linear and logarithmic", "y toggle_y"),
    _key(
        "run",
        "x",
        "x axis",
        "x by step, epoch, time, or learning rate",
        "x cycle_x Change what the x axis shows",
    ),
    _key(
        "run",
        "e",
        "export",
        "export SVG, PNG, CSV, JSON or HTML (a comparison: also Markdown)",
        "e export",
    ),
    _key(
        "home",
        "del",
        "remove",
        "remove the selected run and its files (asks first)",
        "delete,backspace remove Remove the selected run",
    ),
    _key("run", "esc", "back", "go back to the previous screen", "escape app.back"),
    _key("any", "?", "help", "show the keys of this screen", "question_mark app.help", pinned=True),
    _key(
        "any",
        "ctrl+l",
        "",
        "paint the whole screen, in case another program wrote on the terminal",
        "ctrl+l app.repaint",
    ),
    _key("any", "ctrl+p", "", "find any command by name: the command palette"),
    _key("any", "q", "leave", "leave; runs continue", "q,ctrl+q app.leave", pinned=True),
)


def kind_in(screen: str) -> str:
    """The name of the kind that a screen shows, or `HOME`."""
    return screen.partition("+")[0]


def keys_for(screen: str, mode: Mode | None = None, tool: Tool | None = None) -> list[Key]:
    """The keys of `screen`, in the order of the table.

    Args:
        screen: `HOME`, `GRID`, or the name of a kind.
        mode: what a run screen shows; None for the keys of all modes.
        tool: what is in use on its charts.
    """
    idle = mode in ("trial", "ended", "unfinished", "replay", "watch")
    found = [
        key
        for key in KEYS
        if key.where & _places(screen, mode) and not (key.order and idle)
        if key.tool in (None, tool)
    ]
    taken = {name for key in found if key.tool is not None for name in key.names}
    return [key for key in found if key.tool is not None or not key.names or key.names - taken]


def _places(screen: str, mode: Mode | None) -> set[str]:
    places = {*screen.split("+"), "any"}
    if screen != HOME:
        places |= {"run"}
        places |= {"output"} if "no-output" not in places else set()
        places |= {"job"} if KINDS[kind_in(screen)].command and "no-task" not in places else set()
        places |= {"curves"} if KINDS[kind_in(screen)].curves else set()
        places |= {"known"} if "curves" in places and "no-task" not in places else set()
        places |= {"newest"} if "grid" not in places else set()
        places |= {"replay"} if mode in (None, "replay") else set()
        places |= {"unfinished"} if "job" in places and mode in (None, "unfinished") else set()
        places |= {"live"} if mode in (None, "live", "trial") else set()
    return places


def bindings_for(screen: str) -> list[BindingType]:
    """Returns Textual bindings for a screen's `BINDINGS`, live, replay and tool keys included.

    Of several bindings of a key the first one counts whose action `is_allowed`.
    """
    found: dict[tuple[str, Tool | None], str] = {}
    for key in KEYS:
        for bind in key.binds if key.where & _places(screen, None) else ():
            for name in bind.keys.split(","):
                if found.setdefault((name, key.tool), bind.action) != bind.action:
                    other = found[name, key.tool]
                    raise ValueError(f"key {name} is both {other} and {bind.action}")
    return [Binding(name, action, show=False) for (name, _), action in found.items()]


def is_allowed(action: str, screen: str, tool: Tool | None) -> bool:
    """Whether a screen's action can be used now: no key has another meaning instead."""
    whole = screen.replace(NO_OUTPUT, "").replace(NO_TASK, "")
    return action in _actions(whole, tool) or action not in _ALL_ACTIONS


@lru_cache(maxsize=64)
def _actions(screen: str, tool: Tool | None) -> frozenset[str]:
    keys = keys_for(screen, None, tool)
    return frozenset(bind.action.partition("(")[0] for key in keys for bind in key.binds)


_ALL_ACTIONS = frozenset(bind.action.partition("(")[0] for key in KEYS for bind in key.binds)


def footer_keys(screen: str, mode: Mode | None, width: int, tool: Tool | None = None) -> list[Key]:
    """Returns the keys that fit in a footer `width` columns wide, most important first."""
    shown = [key for key in keys_for(screen, mode, tool) if key.label]
    room = width - 1 - sum(_columns(key) for key in shown if key.pinned)
    kept: list[Key] = []
    for key in shown:
        if key.pinned:
            kept.append(key)
        elif room >= _columns(key):
            kept.append(key)
            room -= _columns(key)
        else:
            room = 0
    return kept


def _columns(key: Key) -> int:
    return len(key.shown) + 1 + len(key.label) + 2
