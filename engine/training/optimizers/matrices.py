"""Optimizers of matrices, such as Muon: the other parameters are trained by AdamW beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

MATRIX_RATE = 0.02
"""The rate of Muon in its authors' examples (K. Jordan 2024, and torch's documentation)."""
ADAMW_SHARE = 3e-4 / MATRIX_RATE
"""AdamW's rate there, relative to that of Muon."""


def split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The trainable matrices and kernels of a model, and its other parameters.

    Embeddings are among the others, as they are tables of vectors.
    """
    embeddings = {
        id(weight)
        for module in model.modules()
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag))
        for weight in module.parameters()
    }
    trainable = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trainable if p.ndim >= 2 and id(p) not in embeddings]
    chosen = {id(p) for p in matrices}
    return matrices, [p for p in trainable if id(p) not in chosen]


class MatricesAndAdamW(Optimizer):
    """Steps an optimizer of matrices, and AdamW for all other parameters.

    Args:
        matrices: at least two-dimensional parameters.
        others: all other parameters; may be empty.
        make: makes the optimizer of matrices over a list of parameters.
        flat: whether it takes two-dimensional ones only: then that of a convolution is seen as
            (outputs, inputs * height * width).
        adamw: options of AdamW, with its `lr`.
    """

    def __init__(
        self,
        matrices: list[nn.Parameter],
        others: list[nn.Parameter],
        make: Callable[[list[nn.Parameter]], Optimizer],
        *,
        flat: bool,
        adamw: dict[str, Any],
    ) -> None:
        self._flattened = [p for p in matrices if flat and p.ndim > 2]
        self._flat = [nn.Parameter(p.detach().flatten(1)) for p in self._flattened]
        own = {id(p): q for p, q in zip(self._flattened, self._flat, strict=True)}
        self.parts = [make([own.get(id(p), p) for p in matrices])] if matrices else []
        if others:
            self.parts.append(AdamW(others, **adamw))
        # The groups are shared with the parts, which step by them.
        super().__init__([{"params": [*matrices, *others]}], {})
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Updates all parameters by their gradients."""
        for p, q in zip(self._flattened, self._flat, strict=True):
            q.data = p.detach().flatten(1)  # a view, unless the kernels lie channels last
            q.grad = None if p.grad is None else p.grad.flatten(1)
        for part in self.parts:
            part.step()
        for p, q in zip(self._flattened, self._flat, strict=True):
            if not p.is_contiguous():  # it was no view
                p.copy_(q.view_as(p))
            q.grad = None

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters."""
        for p in self._flattened:
            p.grad = None
        for part in self.parts:
            part.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def flagged_groups(
    matrices: Iterable[Tensor], others: Iterable[Tensor], lr: float
) -> list[dict[str, Any]]:
    """The groups of a class that does both itself, such as K. Jordan's, marked by `use_muon`."""
    groups: list[dict[str, Any]] = [
        {"params": list(matrices), "use_muon": True, "lr": lr},
        {"params": list(others), "use_muon": False},
    ]
    return [group for group in groups if group["params"]]
