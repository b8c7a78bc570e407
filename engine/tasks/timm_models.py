"""Classifiers of timm, if it is installed, and the weights that it publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.catalogue import IMAGENET, TIMM
from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.published_weights import PublishedWeights, downloaded
from clr_tui.engine.tasks.weights import Weights


def build_timm(name: str, _channels: int, size: int, classes: int) -> nn.Module:
    """One of timm's classifiers, drawn at random.

    Raises:
        UserError: timm has no such model (field "model").
    """
    import timm

    settings = _settings(name)
    made: nn.Module = timm.create_model(name, num_classes=classes, **_sized(settings, size))
    return made


def published_by_timm(name: str, size: int) -> PublishedWeights:
    """timm's weights of a model, for images of `size` pixels.

    Raises:
        UserError: timm has no such model (field "model").
    """
    import timm

    settings = _settings(name)

    def read(progress: Progress) -> Weights:
        file = _file(name, settings, progress)
        made = timm.create_model(
            name, pretrained=True, pretrained_cfg_overlay={"file": file}, **_sized(settings, size)
        )
        return Weights(IMAGENET, made.state_dict())

    return PublishedWeights(tuple(settings.mean), tuple(settings.std), read)


def _settings(name: str) -> Any:
    """timm's settings of a model's weights, such as the normalisation that they expect."""
    import timm

    if not timm.is_model(name):
        near = did_you_mean(name, timm.list_models())
        raise UserError(f"timm has no model '{name}'{near or ': see timm.list_models()'}", "model")
    return timm.get_pretrained_cfg(name)


def _sized(settings: Any, size: int) -> dict[str, Any]:
    """The option for models that are made for one image size, such as transformers."""
    return {"img_size": size} if settings.fixed_input_size else {}


def _file(name: str, settings: Any, progress: Progress) -> Path:
    """The file of a model's weights: from the Hugging Face cache, or downloaded.

    Downloaded by ourselves: huggingface_hub tries for 47 s without a network, and shows no progress
    that we could pass on.
    """
    if not settings.has_weights:
        raise UserError(
            f"timm publishes no weights for {name}: give --weights none, or a file", "weights"
        )
    if settings.url and not settings.hf_hub_id:
        return downloaded(settings.url, TIMM + name, progress)
    file = settings.hf_hub_filename or "model.safetensors"
    if kept := _in_hub_cache(settings.hf_hub_id, file):
        return kept
    url = f"https://huggingface.co/{settings.hf_hub_id}/resolve/main/{file}"
    saved_as = f"{settings.hf_hub_id.replace('/', '--')}--{file}"
    return downloaded(url, TIMM + name, progress, saved_as)


def _in_hub_cache(repository: str, file: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:  # timm works without
        return None
    found = try_to_load_from_cache(repository, file)
    return Path(found) if isinstance(found, str) else None
