"""Every key of the screens, in one table: bindings, footer, help and palette all come from it.

A key belongs to a screen (`home`, or that of a kind of run by its name), to the screens of every
`run` or of those with `curves`, to run screens while they show a living run (`live`) or a recorded
one (`replay`), or to `any` screen. A run that has ended takes no orders, so footer and help leave
out the keys that give them; pressed all the same, they say so. Order in the table is the order of
importance: a footer that is too narrow drops keys from its end, but never `?` and `q`.

The actions `help`, `back` and `leave` are the app's own (`app.help`); every other action is a
method of the screen whose `BINDINGS` come from `bindings_for` (`move_bound(-1)`:
`action_move_bound`). The line at the foot of a screen is `KeyFooter(screen, mode)`. A screen with
keys has the attributes of `HasKeys`, which help and palette read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from textual.binding import Binding, BindingType

from clr_tui.tui.kinds.registry import KINDS

HOME = "home"
Mode = Literal["live", "trial", "ended", "replay"]
"""What a run screen shows: a run at work, one trial of a comparison at work, a run or trial that
has ended, or a recording."""


@runtime_checkable
class HasKeys(Protocol):
    """What a screen with keys of this table says of itself."""

    key_screen: str
    """`HOME`, or the name of a kind."""
    key_mode: Mode | None


@dataclass(frozen=True)
class Bind:
    """What pressing does."""

    keys: str
    """As Textual names them, separated by commas: "plus,equals_sign"."""
    action: str
    title: str
    """What the command palette calls it."""


@dataclass(frozen=True)
class Key:
    """One line of the table: keys that belong together, like left and right."""

    where: frozenset[str]
    shown: str
    """How the keys are written: "←→"."""
    label: str
    """What the footer says, a word or two; empty: not in the footer."""
    help: str
    """What the help says."""
    binds: tuple[Bind, ...]
    pinned: bool = False
    """Stays in the footer however narrow it is."""
    order: bool = False
    """Gives an order to the run: of no use where no worker is at work, nor to a trial alone."""


def _key(
    where: str,
    shown: str,
    label: str,
    help_: str,
    *binds: tuple[str, str, str],
    pinned: bool = False,
    order: bool = False,
) -> Key:
    places = frozenset(where.split())
    return Key(places, shown, label, help_, tuple(Bind(*bind) for bind in binds), pinned, order)


KEYS: tuple[Key, ...] = (
    _key("home", "n", "new run", "start a new run", ("n", "new_run", "New run")),
    _key(
        "home",
        "enter",
        "open",
        "open the selected run",
        ("enter", "open_run", "Open the selected run"),
    ),
    _key(
        "home",
        "/",
        "filter",
        "show only the runs that match",
        ("slash", "filter", "Filter the runs"),
    ),
    _key(
        "range-test",
        "←→",
        "move bound",
        "move the selected bound along the chart (with shift: ten columns)",
        ("left", "move_bound(-1)", "Move the selected bound left"),
        ("right", "move_bound(1)", "Move the selected bound right"),
        ("shift+left", "move_bound(-10)", "Move the selected bound ten columns left"),
        ("shift+right", "move_bound(10)", "Move the selected bound ten columns right"),
    ),
    _key(
        "range-test",
        "tab",
        "other",
        "select the other bound",
        ("tab,shift+tab", "other_bound", "Select the other bound"),
    ),
    _key(
        "range-test",
        "b",
        "type",
        "type both bounds, as 5e-4 or 0.003",
        ("b", "type_bounds", "Type the bounds"),
    ),
    _key(
        "range-test",
        "u",
        "next rule",
        "take the bounds that the next rule suggests",
        ("u", "next_rule", "Bounds from the next rule"),
    ),
    _key(
        "range-test",
        "t",
        "train",
        "train with CLR between these bounds",
        ("t", "launch_training", "Train with CLR between these bounds"),
    ),
    _key(
        "train",
        "b",
        "bounds",
        "type new bounds; a living run takes them at once",
        ("b", "type_bounds", "Type the bounds"),
        order=True,
    ),
    _key(
        "compare",
        "enter",
        "open",
        "show or hide the optimizer's trials; on a trial: open it",
        ("enter", "open_row", "Show the selected trials, or open the trial"),
    ),
    _key(
        "compare",
        "h",
        "hide",
        "hide the optimizer's curve, or show it again",
        ("h", "hide", "Hide or show the selected curve"),
    ),
    _key(
        "compare",
        "v",
        "train/val",
        "validation, training, or both",
        ("v", "cycle_part", "Curves of validation, training, or both"),
    ),
    _key(
        "compare",
        "a",
        "loss",
        "accuracy or loss",
        ("a", "toggle_quantity", "Curves of accuracy or loss"),
    ),
    _key(
        "replay",
        "space",
        "play",
        "play or pause the replay",
        ("space", "pause", "Play or pause the replay"),
    ),
    _key(
        "replay",
        "[ ]",
        "seek",
        "go back or forth in the replay",
        ("left_square_bracket", "seek(-1)", "Replay: go back"),
        ("right_square_bracket", "seek(1)", "Replay: go forth"),
    ),
    _key(
        "replay",
        "< >",
        "speed",
        "slow the replay down or speed it up",
        ("less_than_sign", "speed(-1)", "Replay: slower"),
        ("greater_than_sign", "speed(1)", "Replay: faster"),
    ),
    _key(
        "live",
        "space",
        "pause",
        "pause the run; once more to go on",
        ("space", "pause", "Pause or continue the run"),
    ),
    _key(
        "home live",
        "s",
        "stop",
        "stop a living run (asks; a training saves a checkpoint)",
        ("s", "stop", "Stop the run"),
    ),
    _key(
        "compare",
        "k",
        "stop trial",
        "stop the selected trial, or the optimizer's that run (asks)",
        ("k", "stop_trial", "Stop the selected trial"),
        order=True,
    ),
    _key(
        "compare",
        "←→",
        "target",
        "move the target accuracy by a point (with shift: five)",
        ("left", "move_target(-1)", "Target one point lower"),
        ("right", "move_target(1)", "Target one point higher"),
        ("shift+left", "move_target(-5)", "Target five points lower"),
        ("shift+right", "move_target(5)", "Target five points higher"),
    ),
    _key(
        "compare",
        "g",
        "type",
        "type the target, as 65% or 0.65, or clear it",
        ("g", "type_target", "Type the target accuracy"),
    ),
    _key(
        "compare",
        "m",
        "seeds",
        "show every seed's curve, or only the means",
        ("m", "toggle_seeds", "Show or hide single seeds"),
    ),
    _key(
        "compare",
        "d",
        "bands",
        "show or hide the 95% bands",
        ("d", "toggle_bands", "Show or hide the 95% bands"),
    ),
    _key(
        "compare",
        "↑↓",
        "select",
        "select an optimizer, or one of its trials",
        ("up", "select(-1)", "Select the row above"),
        ("down", "select(1)", "Select the row below"),
    ),
    _key(
        "run",
        "r",
        "again",
        "run it again: its settings open in the form",
        ("r", "run_again", "Run it again"),
    ),
    _key(
        "curves",
        "c",
        "compare",
        "compare optimizers on this task",
        ("c", "compare", "Compare optimizers on this task"),
    ),
    _key(
        "curves",
        "+-",
        "smooth",
        "smooth the curve more or less",
        ("plus,equals_sign", "smoothing(1)", "Smooth more"),
        ("minus,underscore", "smoothing(-1)", "Smooth less"),
    ),
    _key(
        "run",
        "y",
        "log y",
        "switch y between linear and logarithmic",
        ("y", "toggle_y", "Switch y between linear and logarithmic"),
    ),
    _key(
        "run",
        "x",
        "x axis",
        "x by step, epoch, learning rate (range test) or seconds",
        ("x", "cycle_x", "Change what the x axis shows"),
    ),
    _key(
        "run",
        "e",
        "export",
        "export SVG, CSV or JSON (a comparison: Markdown too)",
        ("e", "export", "Export to a file"),
    ),
    _key(
        "home",
        "del",
        "remove",
        "remove the selected run and its files (asks)",
        ("delete,backspace", "remove", "Remove the selected run"),
    ),
    _key("run", "esc", "back", "go back to the screen before", ("escape", "app.back", "Go back")),
    _key(
        "any",
        "?",
        "help",
        "show the keys of this screen",
        ("question_mark", "app.help", "Help: the keys of this screen"),
        pinned=True,
    ),
    _key("any", "ctrl+p", "", "find any command by its name: the command palette"),
    _key(
        "any",
        "q",
        "leave",
        "leave; work that is running goes on",
        ("q,ctrl+q", "app.leave", "Leave (running work goes on)"),
        pinned=True,
    ),
)


def keys_for(screen: str, mode: Mode | None = None) -> list[Key]:
    """The keys of `screen`, in the order of the table.

    Args:
        screen: `HOME`, or the name of a kind.
        mode: what a run screen shows; `None`: whatever it may show.
    """
    places = {screen, "any"}
    if screen != HOME:
        places |= {"run", "curves"} if KINDS[screen].curves else {"run"}
        places |= {"replay"} if mode in (None, "replay") else set()
        places |= {"live"} if mode in (None, "live", "trial") else set()
    idle = mode in ("trial", "ended", "replay")
    return [key for key in KEYS if key.where & places and not (key.order and idle)]


def bindings_for(screen: str) -> list[BindingType]:
    """Textual's bindings for a screen's `BINDINGS` (live and replay keys both)."""
    found: dict[str, str] = {}
    for key in keys_for(screen):
        for bind in key.binds:
            for name in bind.keys.split(","):
                if found.setdefault(name, bind.action) != bind.action:
                    raise ValueError(f"key {name} is both {found[name]} and {bind.action}")
    return [Binding(name, action, show=False) for name, action in found.items()]


def footer_keys(screen: str, mode: Mode | None, width: int) -> list[Key]:
    """The keys that a footer `width` columns wide has room for, most important first."""
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
