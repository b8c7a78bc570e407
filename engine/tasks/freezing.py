"""Freezing the first layers of any model, or all but its last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import nn

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.catalogue import ALL_BUT_LAST
from clr_tui.engine.tasks.trees import Tree


class PartlyFrozen(nn.Module):
    """A model whose frozen layers always stay in evaluation mode, with their statistics.

    A layer is frozen if it has parameters and all of them are; the layers in it, such as dropout,
    are frozen with it.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self._frozen = [module for module in net.modules() if _is_frozen(module)]
        self.train(net.training)

    def forward(self, *inputs: Tree, **named: Tree) -> Tree:
        """What the model returns."""
        outputs: Tree = self.net(*inputs, **named)
        return outputs

    def train(self, mode: bool = True) -> PartlyFrozen:
        """Sets the mode of all layers but the frozen ones."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def _is_frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(p.requires_grad for p in parameters)


def frozen(net: nn.Module, freeze: str, head: Iterable[str], model: str) -> nn.Module:
    """Freezes layers of a model.

    Args:
        net: the model, which is changed.
        freeze: `all-but-last`, or the name of a layer: it and all before it, in the order of
            `named_modules`.
        head: the names of the last layer's parameters.
        model: its name, for messages.

    Raises:
        UserError: there is no such layer, or nothing would be frozen or left to train (field
            "freeze").
    """
    if freeze == ALL_BUT_LAST:
        last = set(head)
        chosen = [p for name, p in net.named_parameters() if name not in last]
    else:
        chosen = list(_up_to(net, freeze, model))
    for parameter in chosen:
        parameter.requires_grad_(False)
    if not any(p.requires_grad for p in net.parameters()):
        raise UserError(f"freeze '{freeze}' leaves nothing of {model} to train", "freeze")
    if not chosen:
        raise UserError(f"freeze '{freeze}' freezes nothing of {model}", "freeze")
    return PartlyFrozen(net)


def _up_to(net: nn.Module, layer: str, model: str) -> Iterator[nn.Parameter]:
    names = [name for name, _ in net.named_modules() if name]
    if layer not in names:
        outer = ", ".join(name for name, _ in net.named_children())
        near = did_you_mean(layer, names) or f": its layers are {outer}, and those in them"
        raise UserError(f"{model} has no layer '{layer}'{near}", "freeze")
    inside = False
    for name, module in net.named_modules():
        if name == layer or name.startswith(f"{layer}."):
            inside = True
        elif inside:
            return
        yield from module.parameters(recurse=False)
