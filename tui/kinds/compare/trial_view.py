"""A trial of a comparison as a training of its own: its settings and its title."""

from __future__ import annotations

import math
import re

from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.policies import shape_of
from clr_tui.engine.settings.config import Compare, EntryConfig, RunConfig, Train
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.names import model_name


def trial_config(config: RunConfig, history: RunHistory, trial: TrialHistory) -> RunConfig:
    """A training like `trial`, at the rates chosen for its entry; NaN if unknown (imported)."""
    compare = config.asked(Compare)
    entry = entry_of(compare, trial)
    rate = history.rates.get(trial.entry) if trial.entry is not None else None
    max_lr = rate.lr if rate is not None else (compare.lr_of(entry) or math.nan)
    base_lr = rate.base_lr if rate is not None else entry.base_lr
    name = re.sub(r"[^\w.]+", "-", plain(entry.label)).strip("-._")
    return replace(
        config,
        id=f"{config.id}-{name}-seed-{trial.seed}",
        task=replace(config.task, seed=trial.seed),
        job=Train(
            base_lr=max_lr if base_lr is None else base_lr,
            max_lr=max_lr,
            policy=entry.policy,
            step_size_epochs=compare.step_size_epochs,
            epochs=trial.total_epochs or planned_epochs(compare),
            whole_cycles=False,
            **shape_of(compare),
            scheduler=entry.scheduler,
            min_momentum=entry.min_momentum,
            optimizer=entry.optimizer,
        ),
    )


def entry_of(compare: Compare, trial: TrialHistory) -> EntryConfig:
    """The entry of the trial, found by its number or else by its label."""
    if trial.entry is not None and 0 <= trial.entry < len(compare.entries):
        return compare.entries[trial.entry]
    unknown = EntryConfig(label=trial.label or f"trial {trial.trial}", optimizer=Train.optimizer)
    return next((entry for entry in compare.entries if entry.label == trial.label), unknown)


def trial_title(config: RunConfig, history: RunHistory, label: str) -> str:
    """The trial, its data and its model: "trial  adam, seed 1 · flowers · CNN"."""
    task = history.task
    name = task.name if task is not None else config.task.data_name
    model = task.model if task is not None else config.task.model_name
    parts = [f"{label}, seed {config.task.seed}", name, model_name(model)]
    return "trial  " + " · ".join(plain(part) for part in parts if part)
