"""Fitting a state dict to a model: names, the head, and what does not fit, in one sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isqrt

import torch
from torch import Size, Tensor, nn
from torch.nn import functional

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.weights import Weights
from clr_tui.engine.words import many

Shapes = Mapping[str, Size]
"""The shape of each tensor in a state dict."""
_WRAPPERS = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""The parts that torch.compile, FSDP and activation checkpointing add to names."""
_RENAMED = (
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)"), r"\1"),
    (re.compile(r"\.mlp\.linear_1\."), ".mlp.0."),
    (re.compile(r"\.mlp\.linear_2\."), ".mlp.3."),
)
"""Names in files that torchvision publishes, which its densenets and transformers have changed."""
_POSITIONS = ("pos_embedding", "pos_embed")
_TRAINING_ONLY = ("aux1.", "aux2.", "AuxLogits.")
"""Extra outputs of GoogLeNet and Inception, which are used in training only, and here never."""


@dataclass(frozen=True)
class Fitted:
    """The tensors of a state dict under the model's names, and what users should know."""

    state: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)


def head_of(build: Callable[[int], nn.Module]) -> frozenset[str]:
    """The names of the tensors whose shapes depend on the number of classes.

    Args:
        build: makes the model for a number of classes.
    """
    two, three = shapes_of(build(2)), shapes_of(build(3))
    return frozenset(name for name in two if three.get(name) != two[name])


def shapes_of(model: nn.Module) -> dict[str, Size]:
    """The shapes of the tensors in the model's state dict."""
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def fitted(
    weights: Weights, wanted: Shapes, head: Iterable[str], model: str, *, keep_head: bool = True
) -> Fitted:
    """Finds the model's tensors in a state dict.

    Names may have prefixes (`module.`, `model.`), or the marks of torch.compile and others in them.
    Everything but the model's head must be there. Tensors of the head that fit are used too.

    Args:
        weights: the state dict.
        wanted: the shapes of the model's tensors.
        head: see `head_of`.
        model: its name, for messages.
        keep_head: False leaves out the tensors of `head`, even if they fit.

    Raises:
        UserError: they do not fit (field "weights").
    """
    wrapped = "net." if all(name.startswith("net.") for name in wanted) else ""
    inner = {name[len(wrapped) :]: shape for name, shape in wanted.items()}
    last = {name[len(wrapped) :] for name in head}
    # The whole module of the last layer: vgg's three linear layers, or a replaced fc.
    tops = tuple({f"{name.partition('.')[0]}." for name in last})
    state, notes = _under_its_names(weights, inner, tops, model)
    notes += _resize_positions(state, inner)
    if misfit := _first_misfit(state, inner, tops):
        raise _misfit(weights, model, misfit)
    fits = {
        name: tensor
        for name, tensor in state.items()
        if inner.get(name) == tensor.shape and (keep_head or name not in last)
    }
    if lost := [name for name in inner if name.startswith(tops) and name not in fits]:
        there = any(name.startswith(tops) for name in state)
        notes.append(_lost_head(weights, lost[0], there=there))
    return Fitted({wrapped + name: tensor for name, tensor in fits.items()}, notes)


def check_values(weights: Weights, state: Mapping[str, Tensor], model: nn.Module) -> None:
    """Refuses what the model could only use by changing its meaning, and what is not finite.

    Args:
        weights: where they are from.
        state: those of them that the model takes, by its names.
        model: it may be without values, on the device `meta`.

    Raises:
        UserError: integers, complex or quantised numbers are given for floating-point ones, or some
            of its parameters are not finite (field "weights").
    """
    parameters = {name for name, _ in model.named_parameters()}
    for name, own in model.state_dict().items():
        given = state.get(name)
        if given is None or not own.is_floating_point():
            continue
        if not given.is_floating_point():
            kind = str(given.dtype).removeprefix("torch.")
            raise UserError(
                f"the weights '{weights.name}' hold '{name}' as {kind}, but the model computes with"
                " floating-point numbers: give weights that were not converted",
                "weights",
            )
        if name in parameters and not given.isfinite().all():
            raise UserError(
                f"the weights '{weights.name}' hold values in '{name}' that are not finite: give"
                " those of a training that did not diverge",
                "weights",
            )


def _first_misfit(state: Mapping[str, Tensor], wanted: Shapes, tops: tuple[str, ...]) -> str:
    """The first tensor outside the head that is unknown, of another shape or missing; or ""."""
    for name, tensor in state.items():
        if name.startswith((*tops, *_TRAINING_ONLY)):
            continue
        if name not in wanted:
            return f"it has no '{name}'"
        if tensor.shape != wanted[name]:
            return f"'{name}' is {tuple(tensor.shape)} instead of {tuple(wanted[name])}"
    for name in wanted:
        if name in state or name.startswith(tops) or name.endswith("num_batches_tracked"):
            continue
        return f"'{name}' is missing"
    return ""


def _under_its_names(
    weights: Weights, wanted: Shapes, tops: tuple[str, ...], model: str
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors by the model's own names, with notes on what was left out."""
    clean = {_clean(name, wanted): tensor for name, tensor in weights.state.items()}
    prefixes = Counter(
        name[: len(name) - len(rest)] for name in clean for rest in _endings(name) if rest in wanted
    )
    if not prefixes:
        return _by_order(weights, wanted, tops, model)
    prefix = prefixes.most_common(1)[0][0]
    state = {name[len(prefix) :]: t for name, t in clean.items() if name.startswith(prefix)}
    others = [name for name in clean if not name.startswith(prefix)]
    if not others:
        return state, []
    what = f"{many(len(others), 'tensor')} outside of '{prefix}', such as '{others[0]}'"
    return state, [f"the weights '{weights.name}' hold {what}: not used"]


def _resize_positions(state: dict[str, Tensor], wanted: Shapes) -> list[str]:
    """Interpolates a transformer's position embeddings, (1, n, width), to its image size.

    Like torchvision's `interpolate_embeddings`: bicubic, all but those of the class tokens.
    """
    notes = []
    for name in [each for each in state if each.endswith(_POSITIONS)]:
        old, shape = state[name], wanted.get(name, state[name].shape)
        if old.ndim != 3 or len(shape) != 3 or old.shape == shape or old.shape[2] != shape[2]:
            continue
        sides = [
            (tokens, isqrt(old.shape[1] - tokens), isqrt(shape[1] - tokens))
            for tokens in (1, 0, 2)
            if isqrt(old.shape[1] - tokens) ** 2 + tokens == old.shape[1]
            and isqrt(shape[1] - tokens) ** 2 + tokens == shape[1]
        ]
        if sides:
            tokens, side, new = sides[0]
            grid = old[:, tokens:].transpose(1, 2).reshape(1, -1, side, side)
            grid = functional.interpolate(grid, size=new, mode="bicubic", align_corners=True)
            state[name] = torch.cat([old[:, :tokens], grid.flatten(2).transpose(1, 2)], 1)
            notes.append(f"'{name}' is interpolated from {side}x{side} to {new}x{new} patches")
    return notes


def _clean(name: str, wanted: Shapes) -> str:
    name = ".".join(part for part in name.split(".") if part not in _WRAPPERS)
    if name not in wanted:
        for old, new in _RENAMED:
            name = old.sub(new, name)
    return name


def _endings(name: str) -> Iterable[str]:
    """ "a.b.c", "b.c" and "c" of the name "a.b.c"."""
    parts = name.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))


def _by_order(
    weights: Weights, wanted: Shapes, tops: tuple[str, ...], model: str
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors in the model's order, if their kinds and shapes are the model's there.

    Another implementation of the same model has other names, but usually the same layers.
    """
    equal = len(weights.state) == len(wanted) and all(
        theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        and (tensor.shape == shape or ours.startswith(tops))
        for (theirs, tensor), (ours, shape) in zip(
            weights.state.items(), wanted.items(), strict=True
        )
    )
    if not equal:
        raise _misfit(weights, model, "no name is one of its names")
    return dict(zip(wanted, weights.state.values(), strict=True)), [
        f"the weights '{weights.name}' have other names than {model}, but the same kinds and"
        f" shapes of tensors in the same order: all {len(wanted)} are taken in that order"
    ]


def _lost_head(weights: Weights, lost: str, *, there: bool) -> str:
    said = f"the weights '{weights.name}'"
    words = f"the head in {said} does not fit and is left out" if there else f"{said} have no head"
    return f"{words}: '{lost}' and what belongs to it start at random"


def _misfit(weights: Weights, model: str, why: str) -> UserError:
    said = f"the weights '{weights.name}' do not fit {model}: {why}"
    if weights.model and weights.model != model:
        return UserError(f"{said}; they are of the model {weights.model}", "weights")
    name, tensor = next(iter(weights.state.items()))
    count = many(len(weights.state), "tensor")
    return UserError(f"{said}; they hold {count}, from '{name}' {tuple(tensor.shape)}", "weights")
