"""A process that decodes images: `python -m clr_tui.engine.tasks.decode_process --fd N`.

Pillow mostly holds Python's lock while it decodes a small image, so threads would hardly help. The
process takes files over the socket N, chunk by chunk, until it is closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.engine.child import Child, connect_to_parent
from clr_tui.engine.tasks.pictures import Large, Picture, read_pictures

MODULE = "clr_tui.engine.tasks.decode_process"


class DecodeProcess:
    """The parent's end of a decoding process, which `close` ends; OSError if it cannot start."""

    def __init__(self) -> None:
        self._child = Child(MODULE)

    def read_pictures(self, files: Sequence[str], size: int) -> list[Picture | Large | str]:
        """Calls `pictures.read_pictures` in the process, or here if the process is lost."""
        try:
            return self._read(files, size, large=False)
        except (EOFError, OSError):
            return read_pictures(files, size)

    def read_large(self, file: str, size: int) -> Picture | str:
        """The same for a large image; never here, where the lack of memory would end the run."""
        try:
            (found,) = self._read([file], size, large=True)
        except (EOFError, OSError):
            return "the process that decoded it was killed: memory may be too small for it"
        assert not isinstance(found, Large), "it was asked for"
        return found

    def _read(self, files: Sequence[str], size: int, large: bool) -> list[Picture | Large | str]:
        self._child.connection.send((files, size, large))
        found: list[Picture | Large | str] = self._child.connection.recv()
        return found

    def close(self) -> None:
        """Kills the process: it holds nothing worth keeping."""
        self._child.connection.close()
        self._child.process.kill()
        self._child.process.wait()


def main() -> None:
    """Decodes requested files until the parent is gone."""
    connection = connect_to_parent()
    while True:
        try:
            connection.send(read_pictures(*connection.recv()))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
