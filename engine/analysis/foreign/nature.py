"""What a file seems to be, in words, for those whose log is of no known format."""

from __future__ import annotations

from clr_tui.engine.analysis.foreign.csv_log import columns_of
from clr_tui.engine.analysis.foreign.json_lines import decoded_row
from clr_tui.engine.words import listed

_MAGIC = (
    (b"PK\x03\x04", "a zip archive, such as a checkpoint of torch"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x93NUMPY", "an array of NumPy"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"\x80\x02", "a pickle, which is never opened"),
    (b"\x80\x03", "a pickle, which is never opened"),
    (b"\x80\x04", "a pickle, which is never opened"),
    (b"\x80\x05", "a pickle, which is never opened"),
)
_SHOWN = 60
_MAX_NAMES = 12


def nature_of(head: bytes) -> str:
    """What a file is by its first bytes, to follow "it is"."""
    if not head:
        return "empty"
    for magic, words in _MAGIC:
        if head.startswith(magic):
            return words
    if b"\0" in head:
        return f"binary and begins with the bytes {head[:8].hex(' ')}"
    line = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0].strip()
    row = decoded_row(line)
    if row is not None:
        return f"JSON with {_names([*row])}" if row else "JSON without any names"
    columns = columns_of(head) if any(mark in line for mark in b",;\t") else []
    if len(columns) > 1 and line[:1] not in (b"{", b"["):
        return f"text with the columns {_names(columns)}, and no numbers below them"
    return f"text that begins with {line[:_SHOWN].decode(errors='replace')!r}"


def _names(names: list[str]) -> str:
    shown = [repr(name) for name in names[:_MAX_NAMES]]
    more = len(names) - len(shown)
    return listed(shown) + (f" and {more} more" if more else "")
