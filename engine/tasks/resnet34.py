"""ResNet34 for transfer learning: a new head on frozen features (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HIDDEN = 256
DROPOUT = 0.5


class TransferResNet34(nn.Module):
    """A ResNet34 of which only the last residual block and the head are trained.

    The batch norms of all other layers stay in evaluation mode, whatever `train` is called with:
    their statistics belong to their weights.

    Args:
        classes: logits that the model gives.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        # Imported here: it takes a second, which the CNN need not wait for.
        from torchvision.models import resnet34

        net = resnet34(weights=None)
        net.fc = nn.Sequential(
            nn.Linear(net.fc.in_features, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, classes),
        )
        self.net: nn.Module = net
        trained = (net.layer4[-1], net.fc)
        self._frozen = [
            module
            for module in net.modules()
            if not any(module in part.modules() for part in trained)
            and not any(part in module.modules() for part in trained)
        ]
        for module in self._frozen:
            module.requires_grad_(False)

    def forward(self, batch: Tensor) -> Tensor:
        """Images (n, 3, height, width) to logits (n, classes)."""
        logits: Tensor = self.net(batch)
        return logits

    def train(self, mode: bool = True) -> TransferResNet34:
        """As of any module, but the frozen layers stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def build_resnet34(weights: Mapping[str, Tensor] | None, classes: int) -> nn.Module:
    """A ResNet34 on `weights`, its head (and, without weights, everything) drawn at random.

    Args:
        weights: as `read_weights` returns them.
        classes: logits that the model gives.
    """
    model = TransferResNet34(classes)
    if weights is not None:
        model.net.load_state_dict(weights, strict=False)
    return model.train()
