"""Write the pages of docs/ that are made from the code: `make docs` runs it, a test compares."""

from __future__ import annotations

from pathlib import Path

from clr_tui.engine.kinds import startable_kinds
from clr_tui.engine.settings.config import JOBS, TaskConfig
from clr_tui.engine.settings.limits import Limits
from clr_tui.engine.settings.table import REQUIRED, Setting, settings_of
from clr_tui.engine.settings.texts import write
from clr_tui.tui.cli.job_options import option_of
from clr_tui.tui.keys import KEYS
from clr_tui.tui.kinds.registry import KINDS

INTRODUCTION = """\
Each setting is an option of the command and a field of the form (`n` on the list of runs). In
`run.json` it has the option's name with underscores, except for `--set` (`parameters`),
`--optimizers` (`entries`) and `--lr` (`rates`); momentum and weight decay are part of `optimizer`.
Options that are on or off have a twin: `--augment` and `--no-augment`."""
HERE = Path(__file__).parent
PLACES = {
    "runs": {"home"},
    **{
        kind.title: {
            kind.name,
            "run",
            "newest",
            *(["curves", "known"] if kind.curves else []),
            *(["job", "output"] if kind.command else []),
        }
        for kind in KINDS.values()
    },
    "comparison over a grid of rates": {"grid"},
    "live runs": {"live"},
    "replay": {"replay"},
    "any": {"any"},
}

TOOLS = {
    "cursor": "with the cursor (`i`)",
    "zoom": "while zooming (`z`)",
    "chart": "an enlarged chart (`enter`)",
}


def keys() -> str:
    """The page of keys, from the key table."""
    rows = ["| key | where | does |", "|---|---|---|"]
    for key in KEYS:
        where = ", ".join(name for name, places in PLACES.items() if places & key.where)
        where = TOOLS.get(key.tool, where) if key.tool is not None else where
        rows.append(f"| `{key.shown}` | {where} | {key.help} |")
    return "\n".join(["# Keys", "", f"{_MADE}", "", *rows, ""])


def settings() -> str:
    """The page of settings, from the structs that hold them."""
    parts = [("The task of every run", TaskConfig)]
    parts += [(f"`clr-tui {name}`", JOBS[name]) for name in startable_kinds()]
    lines = ["# Settings", "", _MADE, "", INTRODUCTION, ""]
    for heading, config in parts:
        lines += [f"## {heading}", "", "| option | in the form | what it is | may be | default |"]
        lines += ["|---|---|---|---|---|", *map(_row, settings_of(config)), ""]
    return "\n".join(lines)


def _row(setting: Setting) -> str:
    default = "" if setting.default is REQUIRED else write(setting, setting.default)
    allowed = ", ".join(setting.choices) or _within(setting.limits)
    option = f"`{option_of(setting)}`"
    cells = option, setting.title, setting.help, allowed, setting.empty or default
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def _within(limits: Limits) -> str:
    """Both ends: "at least 8 and at most 4096 pixels"; empty if there are none."""
    ends = [f"above {limits.gt:g}"] if limits.gt is not None and limits.ge is None else []
    ends += [f"at least {limits.ge:g}"] if limits.ge is not None else []
    ends += [f"below {limits.lt:g}"] if limits.lt is not None else []
    if (most := limits.le) is not None:
        ends.append(f"at most {most if isinstance(most, int) else f'{most:g}'}")
    return f"{' and '.join(ends)} {limits.unit}".strip()


_MADE = "Made from the code by `make docs`."
PAGES = {"keys.md": keys, "settings.md": settings}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
