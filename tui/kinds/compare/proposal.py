"""The comparison proposed after a run: the article's optimizers against the run's own."""

from __future__ import annotations

from msgspec.structs import replace

from clr_tui.engine.settings.config import Compare, OptimizerConfig, Option, Policy, Train
from clr_tui.engine.settings.entries import article_entries, parse_entries
from clr_tui.engine.words import exact_lr


def after_range_test(
    optimizer: OptimizerConfig | None, bounds: tuple[float, float] | None
) -> Compare:
    """The article's optimizers, and the swept one cycling between `bounds` (base_lr, max_lr).

    Args:
        optimizer: None for one that a user's task made itself: comparisons cannot name it.
    """
    if optimizer is None or bounds is None:
        return Compare(entries=article_entries())
    return _against(_text(optimizer, "triangular", *bounds), optimizer)


def after_training(job: Train, *, own_optimizer: bool = False) -> Compare:
    """The article's optimizers, and the trained one with its bounds and policy; same length.

    Args:
        own_optimizer: whether a user's task made the optimizer itself: comparisons cannot name it.
    """
    if own_optimizer:
        proposed = Compare(entries=article_entries())
    else:
        text = _text(job.optimizer, job.policy, job.base_lr, job.max_lr)
        proposed = _against(text, job.optimizer)
    return replace(
        proposed,
        epochs=job.epochs,
        whole_cycles=job.whole_cycles,
        step_size_epochs=job.step_size_epochs,
        gamma=job.gamma,
    )


def _against(text: str, optimizer: OptimizerConfig) -> Compare:
    """The article's optimizers and the one in `text`, which replaces theirs if it is SGD."""
    others = [
        entry.label
        for entry in article_entries()
        if entry.optimizer.name != optimizer.name or optimizer.name != "sgd"
    ]
    return Compare(entries=parse_entries(", ".join([*others, text])))


def _text(optimizer: OptimizerConfig, policy: Policy, base_lr: float, max_lr: float) -> str:
    options: dict[str, Option] = dict(optimizer.options)
    if optimizer.name == "sgd":
        options["momentum"] = optimizer.momentum
    if optimizer.weight_decay:
        options["weight_decay"] = optimizer.weight_decay
    options["lr"] = float(exact_lr(max_lr))
    if policy != "constant":
        options["base_lr"] = float(exact_lr(base_lr))
    written = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"{optimizer.name}({written})" + ("" if policy == "constant" else f"+{policy}")
