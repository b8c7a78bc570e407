"""The data of a user's task, in whatever form it is given, as parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.data_forms import (
    as_rows,
    as_tuple,
    check_rows,
    is_dataset,
    no_data,
    not_rows,
)
from clr_tui.engine.tasks.dataset import Notify, Progress
from clr_tui.engine.tasks.devices import memory_of
from clr_tui.engine.tasks.own_checks import FIELD, check_finite
from clr_tui.engine.tasks.parts import Batch, Part, Rows, Stream, batch_length
from clr_tui.engine.tasks.prefetch import Ahead, moved
from clr_tui.engine.tasks.trees import Tree, tensors, tree_map, tree_to

MEMORY_SHARE = 1 / 2
"""The largest share of the device's memory for a part; larger ones stay in the machine's memory."""
_MAX_WORKERS = 8
_CACHE_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class DataReader:
    """Makes parts of what a task gives as its data."""

    device: torch.device
    batch_size: int
    """The size of batches made of samples; batches that are given are used as they are."""
    keep_last: bool = False
    """Whether samples that do not fill a training batch make a smaller one."""
    split: Callable[[Any], Batch]
    """A batch -> its inputs and targets."""
    augment: Callable[[Any], Any] | None = None
    """Changes training batches on the device, before they are split."""
    collate: Callable[[list[Any]], Any] | None = None
    cache: bool = False
    workers: int | None = None
    progress: Progress
    note: Notify

    def part(self, data: Any, what: str, *, training: bool, steps: int | None = None) -> Part:
        """Makes a part.

        Args:
            data: see `clr_tui.Task.train`.
            what: its name in sentences, such as "train".
            training: whether its samples are shuffled and augmented.
            steps: batches in a pass, if it has no length of its own.

        Raises:
            UserError: it cannot be used, or is empty (field "task").
        """
        rows = as_rows(data)
        if rows is not None:
            return self._rows(rows, what)
        if isinstance(data, tuple):
            raise not_rows(data, what)
        if is_dataset(data):
            if len(data) == 0:
                raise no_data(what)
            if self.cache:
                return self._rows(self._read(data, what), what)
            return self._stream(self._loader(data, training=training), what, training, steps)
        stream = self._stream(data, what, training, steps)
        if training and isinstance(data, list):
            self.note(
                f"each member of {what}, a list, is a batch, the first of {stream.batch_size}:"
                " if they are samples, give a Dataset"
            )
        return stream

    def _rows(self, tree: Tree, what: str) -> Rows:
        check_rows(tree, what)
        inputs, targets = self.split(tree)
        check_finite(tensors(targets), what)
        if sum(tensor.nbytes for tensor in tensors(tree)) > MEMORY_SHARE * memory_of(self.device):
            return Rows(inputs, targets, self.device)
        return Rows(tree_to(inputs, self.device), tree_to(targets, self.device))

    def _loader(self, data: Any, *, training: bool) -> DataLoader[Any]:
        """A loader that is fast on this machine."""
        on_cuda = self.device.type == "cuda"
        workers = self.workers
        if workers is None:  # on the CPU they would take cores from the training
            workers = min(_MAX_WORKERS, usable_cores() - 1) if on_cuda else 0
        return DataLoader(
            data,
            batch_size=min(self.batch_size, len(data)),
            shuffle=training,
            drop_last=training and not self.keep_last,
            collate_fn=self.collate,
            num_workers=workers,
            pin_memory=on_cuda,
            persistent_workers=workers > 0,
        )

    def _read(self, data: Any, what: str) -> Tree:
        """All samples of a data set, as rows."""
        loader: DataLoader[Any] = DataLoader(
            data,
            batch_size=_CACHE_BATCH,
            collate_fn=self.collate,
            num_workers=self.workers or 0,
        )
        batches: list[Tree] = []
        for batch in loader:
            batches.append(as_tuple(batch))
            done = min(len(batches) * _CACHE_BATCH, len(data))
            self.progress(f"reading {what}", done, len(data))
        try:
            return _joined(batches)
        except (RuntimeError, TypeError) as error:
            raise UserError(
                f"{what} cannot be cached, as its samples differ in shape: leave cache out", FIELD
            ) from error

    def _stream(self, source: Any, what: str, training: bool, steps: int | None) -> Stream:
        if isinstance(source, IterableDataset):
            source = DataLoader(source, batch_size=self.batch_size, collate_fn=self.collate)
        generators = [(generator, generator.get_state()) for generator in _generators(source)]
        begin, example, steps, last = self._opened(source, what, training, steps)
        for generator, state in generators:
            generator.set_state(state)

        def convert(batch: Any) -> Batch:
            batch = moved(batch, self.device)
            return self.split(self.augment(batch) if training and self.augment else batch)

        def start() -> Iterator[Batch]:
            batches = iter(begin())
            if self.device.type == "cuda":
                return Ahead(batches, convert, self.device)
            return map(convert, batches)

        first = convert(example)
        size = batch_length(first)
        return Stream(
            open=start,
            steps=steps,
            batch_size=size,
            samples=_samples(source, steps, size, batch_length(convert(last))),
            device=self.device,
            example=first,
            generators=tuple(generators),
        )

    def _opened(
        self, source: Any, what: str, training: bool, steps: int | None
    ) -> tuple[Callable[[], Iterator[Any]], Any, int, Any]:
        """A function that starts a pass, and the result of `_looked_at`."""
        begin: Callable[[], Iterator[Any]]
        begin = source if callable(source) and not hasattr(source, "__iter__") else source.__iter__
        if not isinstance(source, Iterator):
            return begin, *self._looked_at(begin, source, what, steps)
        if steps is None or not training:
            raise UserError(
                f"{what} is an iterator, which can be read only once: give a function that returns"
                " one, or an iterable such as a DataLoader",
                FIELD,
            )
        self.note(
            f"{what} is an iterator, which can be read only once: after a sweep it continues where"
            " the sweep stopped"
        )
        example, steps, last = self._looked_at(begin, source, what, steps)
        whole = chain([example], source)
        return whole.__iter__, example, steps, last

    def _looked_at(
        self, begin: Callable[[], Iterator[Any]], source: Any, what: str, steps: int | None
    ) -> tuple[Any, int, Any]:
        """The first batch, the number of batches in a pass, and the last one if they are counted.

        If they need not be counted, the first one is in place of the last.
        """
        batches = iter(begin())
        example = last = next(batches, None)
        if example is None:
            raise no_data(what)
        if steps is None:
            try:
                steps = len(source)
            except TypeError:
                steps = 1
                for batch in batches:
                    last, steps = batch, steps + 1
                    self.progress(f"counting the batches of {what}", steps, steps + 1)
        return example, steps, last


def _samples(source: Any, steps: int, size: int, last: int) -> int:
    """Samples in a pass; if the source does not say, as if all batches but `last` were full."""
    if isinstance(source, DataLoader) and source.batch_size is not None:
        try:
            return min(len(source.sampler), steps * size)  # type: ignore[arg-type]
        except TypeError:
            pass
    return (steps - 1) * size + last


def _generators(source: Any) -> Iterator[torch.Generator]:
    """The generators that a loader, its samplers and its data set hold."""
    found: list[torch.Generator] = []
    batch_sampler = getattr(source, "batch_sampler", None)
    holders = [source, batch_sampler, getattr(source, "dataset", None)]
    holders += [getattr(one, "sampler", None) for one in (source, batch_sampler)]
    for holder in holders:
        for value in vars(holder).values() if hasattr(holder, "__dict__") else ():
            if isinstance(value, torch.Generator) and not any(value is one for one in found):
                found.append(value)
    yield from found


def _joined(batches: list[Tree]) -> Tree:
    parts = [tensors(batch) for batch in batches]
    joined = iter([torch.cat(column) for column in zip(*parts, strict=True)])
    return tree_map(lambda _: next(joined), batches[0])
