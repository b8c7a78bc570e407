"""`new-task`: writes a task file to start from."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from clr_tui.engine.errors import UserError

KINDS = ("image", "tabular", "sequence", "regression")
TEMPLATES = Path(__file__).with_name("templates")
HIDEABLE = frozenset({"clr_tui", "numpy", "torch", "torchvision", *sys.stdlib_module_names})
"""Modules that a task file of that name would hide, since its folder comes first on sys.path."""
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)


def kind_named(text: str) -> str:
    """Returns `text` if it is one of `KINDS`; raises UserError if not."""
    if text not in KINDS:
        from clr_tui.engine.settings.limits import choice_mistake  # late: --help loads this file

        raise choice_mistake("kind", text, KINDS, "kind of task")
    return text


def write_task(name: str, kind: str) -> Path:
    """Writes a new task file of one of `KINDS`.

    Returns:
        Its path, as given, with `~` expanded.

    Raises:
        UserError: the name does not fit, the file exists, or it cannot be written.
    """
    path = Path(name).expanduser()
    if path.suffix != ".py" or path.stem.startswith("."):
        raise UserError(f"'{name}' is not the name of a Python file: give FILE.py")
    if path.stem in HIDEABLE:
        raise UserError(
            f"'{path.name}' would hide the module '{path.stem}' that other code imports:"
            " choose another name"
        )
    text = (TEMPLATES / f"{kind}.py").read_text(encoding="utf-8")
    if _PLAIN.fullmatch(name):  # else it might end the string that it is in
        text = text.replace("FILE.py", name)
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"'{name}' exists already: give the name of a new file") from None
    except OSError as error:
        raise UserError(f"cannot write '{name}': {error.strerror}") from error
    return path
