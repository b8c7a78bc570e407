"""A process that decodes images: `python -m clr_tui.engine.tasks.decode_process --fd N`.

Much of what Pillow does to a small image holds Python's lock, so that threads hardly share the
work. The process takes files over the socket N, part by part, until that is closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.engine.child import Child, connect_to_parent
from clr_tui.engine.tasks.pictures import read_pictures

MODULE = "clr_tui.engine.tasks.decode_process"


class DecodeProcess:
    """The parent's end of such a process, which `close` ends.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._child = Child(MODULE)

    def read_pictures(self, files: Sequence[str], size: int) -> list[bytes | str]:
        """Does what the function of that name does, which is called if the process is lost."""
        try:
            self._child.connection.send((files, size))
            found: list[bytes | str] = self._child.connection.recv()
        except (EOFError, OSError):
            return read_pictures(files, size)
        return found

    def close(self) -> None:
        """Ends it, whatever it is doing: it keeps nothing."""
        self._child.connection.close()
        self._child.process.kill()
        self._child.process.wait()


def main() -> None:
    """Decodes what is asked for until the parent is gone."""
    connection = connect_to_parent()
    while True:
        try:
            connection.send(read_pictures(*connection.recv()))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
