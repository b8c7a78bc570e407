"""ResNet34 for transfer learning: a new head on frozen features (He et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clr_tui.engine.tasks.features import Unaugmented

HIDDEN = 256
DROPOUT = 0.5


class TransferResNet34(nn.Module):
    """A ResNet34 that trains only its last residual block and its head, of `classes` logits.

    All other layers are a `FrozenTrunk`. Their batch norms always stay in evaluation mode: their
    statistics belong to their weights.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        # Imported here, as it takes a second that the CNN need not wait for.
        from torchvision.models import resnet34

        net = resnet34(weights=None)
        net.fc = nn.Sequential(
            nn.Linear(net.fc.in_features, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, classes),
        )
        self.net: nn.Module = net
        stages = (net.layer1, net.layer2, net.layer3, *net.layer4[:-1])
        self._trunk: list[nn.Module] = [net.conv1, net.bn1, net.relu, net.maxpool, *stages]
        self._head: list[nn.Module] = [net.layer4[-1], net.avgpool, nn.Flatten(), net.fc]
        self._trunk_modules = [module for layer in self._trunk for module in layer.modules()]
        for layer in self._trunk:
            layer.requires_grad_(False)

    def forward(self, batch: Tensor | Unaugmented) -> Tensor:
        """Images (n, 3, height, width), or a batch of cached features, to logits (n, classes).

        Cached features come from `trunk` too, so the results are equal.
        """
        features = batch.features(self) if isinstance(batch, Unaugmented) else self.trunk(batch)
        return self.head(features)

    @torch.no_grad()
    def trunk(self, images: Tensor) -> Tensor:
        """Images (n, 3, height, width) to features (n, 512, height / 32, width / 32)."""
        for layer in self._trunk:
            images = layer(images)
        return images

    def head(self, features: Tensor) -> Tensor:
        """Features from `trunk` to logits (n, classes)."""
        for layer in self._head:
            features = layer(features)
        return features

    def trunk_state(self) -> list[Tensor]:
        """All weights and statistics of the frozen layers."""
        # Called at each step: `parameters()` and `buffers()` would take several times as long.
        return [
            tensor
            for module in self._trunk_modules
            for tensor in (*module._parameters.values(), *module._buffers.values())
            if tensor is not None
        ]

    def train(self, mode: bool = True) -> TransferResNet34:
        """Sets the mode of all layers but the frozen ones, which stay in evaluation mode."""
        super().train(mode)
        for layer in self._trunk:
            layer.eval()
        return self


def build_resnet34(_name: str, _channels: int, _size: int, classes: int) -> nn.Module:
    """A ResNet34, drawn at random, with a head of `classes` logits."""
    return TransferResNet34(classes).train()
