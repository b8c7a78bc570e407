"""Runs the study: adds a line to results/SETTING.jsonl for each sweep and each training.

    make study            (or python tests/study/run.py [--results DIR] [--only NAME,NAME])

A run that was ended goes on where it was. Each of two processes computes with one thread; on a GPU
both use it. Photographs of flowers by class are expected in ../shared/data/flowers or
$CLR_TUI_STUDY_DATA; settings that need them are left out where there are none.

Lines of a file, each with its `type`:

- `setting`, the first: what it is, its metric, how many samples it has, and for an error the
  `constant`, the loss of the best constant guess on validation and test part together.
- `sweep`: `steps` planned, `seed`, and the raw losses. Step i is at
  start_lr * (end_lr / start_lr) ** (i / steps); null is not finite; `diverged`: ended early.
- `accuracy`: the metric during a sweep, by `lr`.
- `training`: `value`, the final metric at max_lr `lr` on validation and test part together; null if
  the loss was not finite.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":  # before torch starts its threads; importers keep their own number
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

from pieces import Piece, do, prepare, start_process  # noqa: E402
from plan import Results, next_pieces, stored_lines  # noqa: E402
from points import Line  # noqa: E402
from suite import SUITE, Setting  # noqa: E402
from workloads import lacks  # noqa: E402

Work = dict["Future[Line]", tuple[Setting, Piece]]


class Store:
    """The results: one file for each setting, one line for each piece of work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def lines(self, setting: Setting) -> list[Line]:
        """All lines of a setting. What an interrupted run left of a last line is removed.

        Raises:
            SystemExit: the file is that of a setting defined otherwise.
        """
        path = self._path(setting)
        if not path.exists():
            return []
        lines = stored_lines(path, setting)
        text = path.read_text()
        if (whole := text[: text.rfind("\n") + 1]) != text:
            path.write_text(whole)
        return lines

    def add(self, setting: Setting, line: Line) -> None:
        """Appends a line in one write."""
        with self._path(setting).open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def _path(self, setting: Setting) -> Path:
        return self._folder / f"{setting.name}.jsonl"


class Study:
    """Hands pieces of work to the pool, and their results to the store."""

    def __init__(self, settings: list[Setting], store: Store, pool: ProcessPoolExecutor) -> None:
        self._settings = settings
        self._store = store
        self._pool = pool
        self._lines = {setting.name: store.lines(setting) for setting in settings}
        self._running: Work = {}
        self._left_out: set[str] = set()
        """Names of settings of which a piece of work failed."""

    def run(self, processes: int) -> None:
        """Works until nothing is left."""
        while True:
            for setting, piece in self._waiting():
                if len(self._running) >= processes:
                    break
                self._running[self._pool.submit(do, setting, piece)] = setting, piece
            if not self._running:
                return
            ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in ended:
                setting, piece = self._running.pop(future)
                self._take(setting, future)
                print(time.strftime("%H:%M:%S"), setting.name, *piece.key, flush=True)

    def _waiting(self) -> Iterator[tuple[Setting, Piece]]:
        """Pieces that can be done now, in the order of the suite; long sweeps last."""
        for long in (False, True):
            for setting in self._settings:
                for piece in self._next(setting, long=long):
                    if (setting, piece) not in self._running.values():
                        yield setting, piece

    def _next(self, setting: Setting, *, long: bool) -> list[Piece]:
        if not self._lines[setting.name] and setting.name not in self._left_out:
            self._take(setting, self._pool.submit(prepare, setting))
        if setting.name in self._left_out:
            return []
        lines = self._lines[setting.name]
        return next_pieces(Results(setting, lines), long=long)

    def _take(self, setting: Setting, future: Future[Line]) -> None:
        """Stores a line of results. What failed is said, and its setting left out from then on.

        Raises:
            BrokenExecutor: a process of the pool was killed.
        """
        error = future.exception()
        if isinstance(error, BrokenExecutor):
            raise error
        if error is not None:
            traceback.print_exception(error)
            print(f"{setting.name} is left out: {error}", flush=True)
            self._left_out.add(setting.name)
            return
        self._store.add(setting, future.result())
        self._lines[setting.name].append(future.result())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--only", help="names of settings, such as digits-sgd-b64")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0, help="added to their niceness")
    arguments = parser.parse_args()
    names = {setting.name for setting in SUITE}
    wanted = set(arguments.only.split(",")) if arguments.only else names
    if unknown := wanted - names:
        parser.error(f"no setting is called {', '.join(sorted(unknown))}: see tests/study/suite.py")
    settings = []
    for setting in SUITE:
        if setting.name in wanted and (missing := lacks(setting.kind)):
            print(f"{setting.name} is left out: it needs {missing}")
        elif setting.name in wanted:
            settings.append(setting)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        arguments.processes, context, start_process, (arguments.nice,)
    ) as pool:
        Study(settings, Store(arguments.results), pool).run(arguments.processes)


if __name__ == "__main__":
    main()
