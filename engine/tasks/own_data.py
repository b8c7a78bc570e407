"""The data of a user's task, in whatever form it is given, as parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.dataset import Notify, Progress
from clr_tui.engine.tasks.devices import memory_of
from clr_tui.engine.tasks.own_checks import FIELD, check_finite
from clr_tui.engine.tasks.parts import Batch, Part, Rows, Stream, batch_length
from clr_tui.engine.tasks.prefetch import Ahead, from_numpy, moved
from clr_tui.engine.tasks.trees import Tree, tensors, tree_map, tree_to
from clr_tui.engine.tasks.trees import rows as take_rows

TARGETS = ("target", "targets", "label", "labels")
"""Keys of a dict that hold the targets, in any capitalisation."""
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
        if is_dataset(data):
            if len(data) == 0:
                raise _empty(what)
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
            batches.append(_as_tuple(batch))
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
        once = isinstance(source, Iterator)
        if once and (steps is None or not training):
            raise UserError(
                f"{what} is an iterator, which can be read only once: give a function that returns"
                " one, or an iterable such as a DataLoader",
                FIELD,
            )
        generators = [(generator, generator.get_state()) for generator in _generators(source)]
        begin: Callable[[], Iterator[Any]]
        begin = source if callable(source) and not hasattr(source, "__iter__") else source.__iter__
        example, steps, last = self._looked_at(begin, source, what, steps)
        for generator, state in generators:
            generator.set_state(state)
        if once:
            whole = chain([example], source)
            begin = whole.__iter__
            self.note(
                f"{what} is an iterator, which can be read only once: after a sweep it continues"
                " where the sweep stopped"
            )

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

    def _looked_at(
        self, begin: Callable[[], Iterator[Any]], source: Any, what: str, steps: int | None
    ) -> tuple[Any, int, Any]:
        """The first batch, the number of batches in a pass, and the last one if they are counted.

        If they need not be counted, the first one is in place of the last.
        """
        batches = iter(begin())
        example = last = next(batches, None)
        if example is None:
            raise _empty(what)
        if steps is None:
            try:
                steps = len(source)
            except TypeError:
                steps = 1
                for batch in batches:
                    last, steps = batch, steps + 1
                    self.progress(f"counting the batches of {what}", steps, steps + 1)
        return example, steps, last


def as_rows(data: Any) -> Tree | None:
    """A tree of tensors with one sample per row, if `data` is one, or a `TensorDataset`."""
    if isinstance(data, TensorDataset):
        return data.tensors
    if isinstance(data, Subset) and isinstance(data.dataset, TensorDataset):
        chosen = torch.as_tensor(list(data.indices))
        return tuple(tensor[chosen] for tensor in data.dataset.tensors)
    return _as_tensors(data)


def _as_tensors(data: Any) -> Tree | None:
    if isinstance(data, Tensor):
        return data if data.dim() else None
    if isinstance(data, np.ndarray):
        return from_numpy(data) if data.ndim and data.dtype.kind in "biufc" else None
    if isinstance(data, dict) and data:
        members = {key: _as_tensors(member) for key, member in data.items()}
        return None if any(m is None for m in members.values()) else members
    if isinstance(data, tuple) and data:
        made = tuple(_as_tensors(member) for member in data)
        return None if any(m is None for m in made) else made
    return None


def check_rows(tree: Tree, what: str) -> None:
    """Raises a UserError if the tensors have no rows, or not as many each."""
    lengths = sorted({len(tensor) for tensor in tensors(tree)})
    if len(lengths) > 1:
        numbers = " and ".join(map(str, lengths))
        raise UserError(f"the tensors of {what} have {numbers} rows: give as many of each", FIELD)
    if lengths == [0]:
        raise _empty(what)


def is_dataset(data: Any) -> bool:
    """Whether it gives samples by index: a `Dataset`, an object like one, or a list of samples."""
    if isinstance(data, list):
        return bool(data) and not all(_may_be_batch(member) for member in data[:2])
    if isinstance(data, (str, Mapping, DataLoader, IterableDataset)):
        return False
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


def _may_be_batch(member: Any) -> bool:
    """Whether a list's member may be a batch: all it holds has the same number of rows."""
    counts = set(_row_counts(member))
    return len(counts) == 1 and None not in counts


def _row_counts(tree: Any) -> Iterator[int | None]:
    """The rows of each tensor and the length of each list of other things; None: it has neither."""
    if isinstance(tree, (Tensor, np.ndarray)):
        yield len(tree) if tree.ndim else None
    elif callable(getattr(tree, "to", None)):  # packed sequences, graphs
        return
    elif isinstance(tree, list) and not any(
        isinstance(each, (Tensor, np.ndarray)) for each in tree
    ):
        yield len(tree)
    elif isinstance(tree, (Mapping, tuple, list)):
        for member in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _row_counts(member)
    else:
        yield None


def split_batch(batch: Any) -> Batch:
    """A batch as inputs and targets; see `clr_tui.Task.train`.

    Raises:
        UserError: it has no targets.
    """
    if isinstance(batch, Mapping):
        key = next((key for key in batch if str(key).lower() in TARGETS), None)
        if key is None:
            raise UserError(
                f"a batch is a dict with the keys {', '.join(map(str, batch))}: name the targets "
                "target or label, or write a step(model, batch)",
                FIELD,
            )
        return {name: value for name, value in batch.items() if name != key}, batch[key]
    if isinstance(batch, (tuple, list)) and len(batch) > 1:
        *inputs, targets = batch
        return (tuple(inputs) if len(inputs) > 1 else _as_tuple(inputs[0])), targets
    kind = type(batch).__name__
    raise UserError(
        f"a batch is a {kind} without targets: give (inputs, targets), or write a "
        "step(model, batch)",
        FIELD,
    )


def _as_tuple(tree: Tree) -> Tree:
    """A list as a tuple, whose members are arguments of the model."""
    return tuple(tree) if isinstance(tree, list) else tree


def held_out(data: Any, seed: int, share: float = 0.1) -> tuple[Any, Any] | None:
    """Samples divided at random into training and validation data; None if `data` is batches."""
    rows = as_rows(data)
    if rows is None and not is_dataset(data):
        return None
    if rows is not None:
        check_rows(rows, "train")
    n = len(tensors(rows)[0]) if rows is not None else len(data)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    count = max(1, round(share * n))
    kept, held = order[count:], order[:count]
    if rows is not None:
        return take_rows(rows, kept), take_rows(rows, held)
    samples = cast("Dataset[Any]", data)
    return Subset(samples, kept.tolist()), Subset(samples, held.tolist())


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


def _empty(what: str) -> UserError:
    return UserError(f"{what} has no data", FIELD)
