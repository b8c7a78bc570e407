"""The table of all keys; bindings, footer, help and palette are made from it.

A key belongs to a screen (`home` or the name of a kind), to comparisons over a `grid` of rates, to
every `run` screen, to those with `curves`, to run screens that show a running job (`live`) or a
recording (`replay`), or to `any` screen. Footer and help leave out keys that command a worker once
the run has ended; pressing one explains why. Keys are in order of importance: a narrow footer drops
the last ones, but never `?` and `q`. Actions `app.*` belong to the app, all others to the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from textual.binding import Binding, BindingType

from clr_tui.tui.kinds.registry import KINDS

HOME = "home"
GRID = "compare+grid"
"""The screen of a comparison over a grid of rates."""
Mode = Literal["live", "trial", "ended", "replay", "watch"]
"""What a run screen shows: a running job, a running trial of a comparison, a run or trial that has
ended, a recording, or the log of another tool while it may grow."""


@runtime_checkable
class HasKeys(Protocol):
    """A screen with keys of this table; help and palette read these attributes."""

    key_screen: str
    """`HOME`, `GRID`, or the name of a kind."""
    key_mode: Mode | None


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


def _key(
    where: str,
    shown: str,
    label: str,
    help_: str,
    *binds: str,
    pinned: bool = False,
    order: bool = False,
) -> Key:
    """Each of `binds` is "keys action title"; without a title the palette shows the help."""
    default = help_[0].upper() + help_[1:]
    parts = [(*bind.split(maxsplit=2), default) for bind in binds]
    made = tuple(Bind(keys, action, title) for keys, action, title, *_ in parts)
    return Key(frozenset(where.split()), shown, label, help_, made, pinned, order)


KEYS: tuple[Key, ...] = (
    _key("home", "n", "new run", "start a new run", "n new_run"),
    _key("home", "enter", "open", "open the selected run", "enter open_run"),
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
    _key("run", "r", "again", "run it again: its settings open in the form", "r run_again"),
    _key("curves", "c", "compare", "compare optimizers on this task", "c compare"),
    _key(
        "run", "l", "log", "show or hide the worker's output: prints, warnings", "l toggle_output"
    ),
    _key(
        "run",
        "pgup pgdn",
        "",
        "scroll the worker's output (end: follow it again)",
        "pageup scroll_output(-1) Scroll the worker's output up",
        "pagedown scroll_output(1) Scroll the worker's output down",
        "home output_end(False) Go to the start of the worker's output",
        "end output_end(True) Follow the worker's output",
    ),
    _key(
        "curves",
        "+-",
        "smooth",
        "smooth the curve more or less",
        "plus,equals_sign smoothing(1) Smooth more",
        "minus,underscore smoothing(-1) Smooth less",
    ),
    _key("run", "y", "log y", "switch y between linear and logarithmic", "y toggle_y"),
    _key(
        "run",
        "x",
        "x axis",
        "x by step, epoch, learning rate (range test) or seconds",
        "x cycle_x Change what the x axis shows",
    ),
    _key("run", "e", "export", "export SVG, CSV or JSON (a comparison: also Markdown)", "e export"),
    _key(
        "home",
        "del",
        "remove",
        "remove the selected run and its files (asks first)",
        "delete,backspace remove Remove the selected run",
    ),
    _key("run", "esc", "back", "go back to the previous screen", "escape app.back"),
    _key("any", "?", "help", "show the keys of this screen", "question_mark app.help", pinned=True),
    _key("any", "ctrl+p", "", "find any command by name: the command palette"),
    _key("any", "q", "leave", "leave; runs continue", "q,ctrl+q app.leave", pinned=True),
)


def kind_in(screen: str) -> str:
    """The name of the kind that a screen shows, or `HOME`."""
    return screen.partition("+")[0]


def keys_for(screen: str, mode: Mode | None = None) -> list[Key]:
    """The keys of `screen`, in the order of the table.

    Args:
        screen: `HOME`, `GRID`, or the name of a kind.
        mode: what a run screen shows; None for the keys of all modes.
    """
    places = {*screen.split("+"), "any"}
    if screen != HOME:
        places |= {"run", "curves"} if KINDS[kind_in(screen)].curves else {"run"}
        places |= {"replay"} if mode in (None, "replay") else set()
        places |= {"live"} if mode in (None, "live", "trial") else set()
    idle = mode in ("trial", "ended", "replay", "watch")
    return [key for key in KEYS if key.where & places and not (key.order and idle)]


def bindings_for(screen: str) -> list[BindingType]:
    """Returns Textual bindings for a screen's `BINDINGS`, live and replay keys included."""
    found: dict[str, str] = {}
    for key in keys_for(screen):
        for bind in key.binds:
            for name in bind.keys.split(","):
                if found.setdefault(name, bind.action) != bind.action:
                    raise ValueError(f"key {name} is both {found[name]} and {bind.action}")
    return [Binding(name, action, show=False) for name, action in found.items()]


def footer_keys(screen: str, mode: Mode | None, width: int) -> list[Key]:
    """Returns the keys that fit in a footer `width` columns wide, most important first."""
    shown = [key for key in keys_for(screen, mode) if key.label]
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
