"""Text and tables as GitHub-flavoured Markdown, in which no text can be markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\`*_|<>\[\]&~$])")
_REFERENCE = re.compile(r"(@(?=\w)|#(?=\d)|(?<=\w)://|www(?=\.))")
"""What GitHub makes links of: people, issues, addresses."""
_BLOCK = re.compile(r"^(\s*\d*)([-+=#.)])")
"""What makes a heading, a list or a rule at the start of a line."""
_NOTHING = "<!-- -->"


def escaped(text: str) -> str:
    """`text`, one line, without meaning in Markdown or HTML, and without references to anybody."""
    shown = _MARKUP.sub(r"\\\1", text)
    return _REFERENCE.sub(lambda found: f"{found[1]}{_NOTHING}", shown)


def paragraph(text: str) -> str:
    """`text`, one line, as a paragraph, whatever it begins with."""
    return _BLOCK.sub(lambda found: f"{found[1]}\\{found[2]}", escaped(text))


def verbatim(text: str) -> str:
    """`text`, one line, as code, in which nothing has a meaning; bars are escaped for tables."""
    if not text.strip():
        return text
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", "\\|")


def fenced(lines: Sequence[str]) -> list[str]:
    """The lines as a block of code, whatever is in them."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}text", *lines, fence]


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()
) -> list[str]:
    """A table; its cells are Markdown."""
    aligned = ["--:" if place in right else ":--" for place in range(len(columns))]
    return [_row(columns), _row(aligned), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(re.sub(r' {2,}', ' ', cell) for cell in cells)} |"
