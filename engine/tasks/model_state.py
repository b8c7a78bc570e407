"""Keeping everything of a model that training can change, to put it back."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

GENERATORS = (torch.Generator, np.random.Generator, random.Random)
"""The kinds of generators that a module or a data set may hold."""


def keep_model(model: nn.Module) -> Callable[[], None]:
    """Copies the state of `model`, and returns the function that puts it back, bit for bit.

    The state is: the set of parameters and buffers, persistent or not, and their values; gradients
    and whether they exist; `requires_grad`; the mode of each module; the state of generators that
    are attributes of modules. Other Python attributes are not kept.
    """
    modes = [(module, module.training) for module in model.modules()]
    # A module may replace its tensors, or add new ones.
    places = [
        (slots, dict(slots))
        for module in model.modules()
        for slots in (module._parameters, module._buffers)
    ]
    tensors = [
        (tensor, tensor.detach().clone())
        for _, kept in places
        for tensor in kept.values()
        if tensor is not None
    ]
    gradients = [
        (p, p.requires_grad, p.grad, None if p.grad is None else p.grad.clone())
        for p in model.parameters()
    ]
    generators = [keep_generator(generator) for generator in _generators(model)]

    @torch.no_grad()
    def put_back() -> None:
        for restore in generators:
            restore()
        for tensor, value in tensors:
            tensor.copy_(value)
        for slots, kept in places:
            slots.clear()
            slots.update(kept)  # type: ignore[arg-type]
        for p, requires_grad, gradient, gradient_value in gradients:
            p.requires_grad_(requires_grad)
            if gradient is not None and gradient_value is not None:
                gradient.copy_(gradient_value)
            p.grad = gradient
        for module, training in modes:
            module.training = training

    return put_back


def _generators(model: nn.Module) -> Iterator[Any]:
    """The generators that modules hold as attributes."""
    for module in model.modules():
        yield from (value for value in vars(module).values() if isinstance(value, GENERATORS))


def hidden_state(model: nn.Module) -> dict[str, Any]:
    """What training can change in a model that its state dict lacks: plain values and tensors.

    That is: buffers that are not persistent, and generators that are attributes of modules.
    """
    shown = model.state_dict().keys()
    return {
        "buffers": {name: one for name, one in model.named_buffers() if name not in shown},
        "generators": [_state_of(generator) for generator in _generators(model)],
    }


@torch.no_grad()
def set_hidden_state(model: nn.Module, state: dict[str, Any]) -> None:
    """Restores what `hidden_state` returned of the same model."""
    for name, value in state["buffers"].items():
        owner, _, leaf = name.rpartition(".")
        slots = model.get_submodule(owner)._buffers
        found = slots.get(leaf)
        slots[leaf] = value if found is None else value.to(found.device)
    for generator, value in zip(_generators(model), state["generators"], strict=True):
        if isinstance(generator, torch.Generator):
            generator.set_state(value)
        elif isinstance(generator, random.Random):
            generator.setstate(value)
        else:
            bits = generator.bit_generator
            bits.state = _like(bits.state, value)


def _state_of(generator: torch.Generator | np.random.Generator | random.Random) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    return _listed(generator.bit_generator.state)


def _listed(value: Any) -> Any:
    """The state of a generator of numpy with lists in place of arrays."""
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _like(model: Any, value: Any) -> Any:
    """The inverse of `_listed`, by a state of the same generator."""
    if isinstance(model, dict):
        return {name: _like(one, value[name]) for name, one in model.items()}
    return np.array(value, dtype=model.dtype) if isinstance(model, np.ndarray) else value


def keep_generator(
    generator: torch.Generator | np.random.Generator | random.Random,
) -> Callable[[], object]:
    """Copies the state of a generator, and returns the function that puts it back."""
    if isinstance(generator, torch.Generator):
        return partial(generator.set_state, generator.get_state())
    if isinstance(generator, random.Random):
        return partial(generator.setstate, generator.getstate())
    bits = generator.bit_generator
    return partial(setattr, bits, "state", copy.deepcopy(bits.state))
