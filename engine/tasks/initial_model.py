"""The model of a task before training: its construction, weights and frozen layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.catalogue import (
    IMAGENET,
    NO_FREEZING,
    NO_WEIGHTS,
    Model,
    model_named,
)
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.dataset import Notify, Progress
from clr_tui.engine.tasks.fitted_weights import check_values, fitted, head_of, shapes_of
from clr_tui.engine.tasks.freezing import frozen
from clr_tui.engine.tasks.published_weights import IMAGENET_MEAN, PublishedWeights
from clr_tui.engine.tasks.weights import Weights, read_weights

_TWO = ("0", "1")
"""Classes for a first look, before the data is read."""


@dataclass(frozen=True)
class InitialModel:
    """A model as it is before training, for images of one size."""

    name: str
    entry: Model
    size: int
    """Side of the images, pixels."""
    freeze: str
    """What to freeze; empty: nothing beyond what the model itself freezes."""
    weights: Weights | None
    normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None
    """Mean and standard deviation that the weights expect, one value per channel; None: those of
    the data."""
    note: Notify

    def builder(self, channels: int, classes: Sequence[str]) -> Callable[[], nn.Module]:
        """The function that builds the model on the CPU, drawing tensors without given weights.

        Raises:
            UserError: the weights do not fit (field "weights").
        """
        return partial(self._built, channels, len(classes), *self._fitted(channels, classes))

    def check(self, channels: int) -> None:
        """Finds what does not fit together, without the data.

        Raises:
            UserError: the model does not take images of this size, there is no such layer to
                freeze, or the weights do not fit (fields "image_size", "freeze" and "weights").
        """
        try:
            outline = self._outline(channels, len(_TWO))
            with torch.device("meta"):
                outline.eval()(torch.empty(2, channels, self.size, self.size))
        except NotImplementedError:  # it does something that only real numbers allow
            pass
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._wrong_size(error) from error
        _, head = self._fitted(channels, _TWO, silent=True)
        if self.freeze:
            frozen(self._outline(channels, len(_TWO)), self.freeze, head, self.name)

    def _fitted(
        self, channels: int, classes: Sequence[str], *, silent: bool = False
    ) -> tuple[Mapping[str, Tensor], frozenset[str]]:
        """The weights under the model's names, and the names of its head's."""
        if self.weights is None and not self.freeze:
            return {}, frozenset()
        head = head_of(partial(self._outline, channels))
        if self.weights is None:
            return {}, head
        outline = self._outline(channels, len(classes))
        wanted = shapes_of(outline)
        theirs = self.weights.classes
        found = fitted(
            self.weights,
            wanted,
            head,
            self.name,
            keep_head=not theirs or theirs == tuple(classes),
        )
        check_values(self.weights, found.state, outline)
        # A library's own weights always have another head.
        if not silent and self.weights.name != IMAGENET:
            for text in found.notes:
                self.note(text)
        return found.state, head

    def _outline(self, channels: int, classes: int) -> nn.Module:
        """The model without values: its layers, names and shapes. Changes no global generator."""
        with torch.random.fork_rng(devices=[]):
            try:
                with torch.device("meta"):
                    return self._drawn(channels, classes)
            except NotImplementedError:  # torchvision's regnets compute their widths with tensors
                return self._drawn(channels, classes).to("meta")

    def _drawn(self, channels: int, classes: int) -> nn.Module:
        build = named(self.entry.build)
        if self.entry.library_name:
            build = partial(build, self.entry.library_name)
        model: nn.Module = build(channels, self.size, classes)
        return model

    def _built(
        self, channels: int, classes: int, state: Mapping[str, Tensor], head: frozenset[str]
    ) -> nn.Module:
        model = self._drawn(channels, classes)
        if state:
            # All of it, as load_state_dict of some models asks for the versions in a state dict.
            whole = model.state_dict()
            whole.update(state)
            model.load_state_dict(whole)
        if hasattr(model, "transform_input"):
            # GoogLeNet and Inception turn ImageNet's normalisation into their own.
            mean = self.normalisation and self.normalisation[0]
            setattr(model, "transform_input", mean == IMAGENET_MEAN)  # noqa: B010 - no Module's own
        return frozen(model, self.freeze, head, self.name) if self.freeze else model

    def _wrong_size(self, error: Exception) -> UserError:
        why = str(error).partition("\n")[0]
        return UserError(
            f"{self.name} does not take images of {self.size}x{self.size} pixels ({why}): choose"
            f" another image size, such as {self.entry.image_size}",
            "image_size",
        )


def initial_model(config: TaskConfig, size: int, progress: Progress, note: Notify) -> InitialModel:
    """The model that `config` asks for, with its weights, for images of `size` pixels.

    Args:
        progress: called while weights are downloaded.
        note: takes sentences for the user.

    Raises:
        UserError: there is no such model, or its weights cannot be read; and see
            `InitialModel.check`.
    """
    entry = model_named(config.model, config.freeze)
    freeze = "" if config.freeze == NO_FREEZING else config.freeze
    model = InitialModel(config.model, entry, size, freeze, None, None, note)
    if entry.rgb or freeze:
        model.check(3)  # before the weights, which may be a large download
    published = _published(entry, size)
    weights = _weights(config.weights, published, progress)
    if weights is None:
        if entry.frozen or freeze:
            words = "its frozen layers are random, so it learns little"
            note(f"{config.model} without weights: {words}")
        return model
    normalisation = None
    if weights.mean:
        normalisation = weights.mean, weights.std
    elif published is not None:
        normalisation = published.mean, published.std
    model = replace(model, weights=weights, normalisation=normalisation)
    if entry.rgb:
        model.check(3)
    return model


def _published(entry: Model, size: int) -> PublishedWeights | None:
    if not entry.published:
        return None
    found: PublishedWeights = named(entry.published)(entry.library_name, size)
    return found


def _weights(asked: str, published: PublishedWeights | None, progress: Progress) -> Weights | None:
    if asked == IMAGENET:
        return published.read(progress) if published else None
    return None if asked == NO_WEIGHTS else read_weights(Path(asked))
