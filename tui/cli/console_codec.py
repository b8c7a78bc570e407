"""The characters of the Linux text console as an encoding: of UTF-8 those that its fonts have.

The console takes any UTF-8 and shows a blank for what its font of 256 or 512 characters lacks, such
as braille. Fonts differ; all have those of code page 437, which the kernel's own font consists of.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from typing import TextIO

NAME = "utf-8-console"
"""Begins with `utf`, because Rich draws frames in ASCII for other encodings."""
_HIGHER = bytes(range(128, 256)).decode("cp437")
_LACKING = re.compile(f"[^\0-\x7f{re.escape(_HIGHER)}]+")


def is_console(stream: TextIO) -> bool:
    """Whether a stream writes UTF-8 to the text console of Linux, which calls itself `linux`."""
    is_linux = sys.platform == "linux" and os.environ.get("TERM") == "linux"
    return is_linux and stream.encoding.lower() == "utf-8" and stream.isatty()


def register() -> None:
    """Makes the encoding known to Python's codecs."""
    codecs.register({NAME.replace("-", "_"): _INFO}.get)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    replaced = codecs.lookup_error(errors)

    def of_font(match: re.Match[str]) -> str:
        reason = "the console's font lacks it"
        found, _ = replaced(UnicodeEncodeError(NAME, text, match.start(), match.end(), reason))
        return found if isinstance(found, str) else found.decode()

    return _LACKING.sub(of_font, text).encode(), len(text)


class _IncrementalEncoder(codecs.IncrementalEncoder):
    def encode(self, input: str, final: bool = False) -> bytes:
        return _encode(input, self.errors)[0]


_UTF_8 = codecs.lookup("utf-8")
_INFO = codecs.CodecInfo(
    name=NAME,
    encode=_encode,
    decode=_UTF_8.decode,
    incrementalencoder=_IncrementalEncoder,
    incrementaldecoder=_UTF_8.incrementaldecoder,
    streamreader=_UTF_8.streamreader,
    streamwriter=_UTF_8.streamwriter,
)
