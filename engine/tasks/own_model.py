"""Making a user's model again for each trial."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from clr_tui.engine.tasks.dataset import Notify
from clr_tui.engine.tasks.model_state import keep_model
from clr_tui.engine.tasks.own_checks import task_mistake
from clr_tui.engine.words import type_in_words


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds every global generator that a model may draw its weights from, and restores them."""
    before, numpy_before = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=_cuda_devices()):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(before)
            np.random.set_state(numpy_before)


def _cuda_devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []


class ModelMaker:
    """Makes models that are the same each time, except for weights that a factory draws at random.

    A model that is given itself, or that a factory returns each time, is copied. One that cannot be
    copied is put back to its first state and used again: then only the model made last is valid.

    Args:
        given: a model, or a function that makes one.
        materialise: gives lazy modules their parameters.
        note: takes sentences for the user.
    """

    def __init__(
        self,
        given: nn.Module | Callable[[], nn.Module],
        materialise: Callable[[nn.Module], None],
        note: Notify,
    ) -> None:
        self._given = given
        self._materialise = materialise
        self._note = note
        self._first: tuple[nn.Module, Callable[[], None]] | None = None
        """The model that the function made first, and how to put it back, until it made another."""
        self._makes_new = False
        self._repeat: Callable[[], nn.Module] | None = None
        """Makes what is given as a model itself."""

    def __call__(self) -> nn.Module:
        """Makes a model, drawing its weights from the global generators.

        Raises:
            UserError: the function returns something else (field "task").
        """
        if self._repeat is not None:
            return self._repeat()
        if isinstance(self._given, nn.Module):
            self._prepare(self._given)
            self._repeat = self._repeater(self._given, keep_model(self._given))
            return self._repeat()
        made = self._given()
        if not isinstance(made, nn.Module):
            raise task_mistake(
                f"the task's model() returned {type_in_words(made)}, not a torch.nn.Module"
            )
        if self._first is not None and made is self._first[0]:
            self._first[1]()
            self._repeat = self._repeater(*self._first)
            return self._repeat()
        self._prepare(made)
        self._makes_new = self._makes_new or self._first is not None
        self._first = None if self._makes_new else (made, keep_model(made))
        return made

    def _prepare(self, model: nn.Module) -> None:
        if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
            self._materialise(model)

    def _repeater(self, model: nn.Module, put_back: Callable[[], None]) -> Callable[[], nn.Module]:
        try:
            pristine = copy.deepcopy(model)
        except Exception as error:  # noqa: BLE001 - a user's class may raise anything
            self._note(
                f"{type(model).__name__} cannot be copied ({type(error).__name__}): its weights and"
                " buffers are put back for each trial, other attributes are not"
            )

            def reset() -> nn.Module:
                put_back()
                return model

            return reset
        self._note(
            "the task gives a model, not a function that makes one: all seeds start with its"
            " weights"
        )
        return lambda: copy.deepcopy(pristine)
