"""The defaults and choices that the help tells: those of `engine.settings.config` and `.studies`.

They stand here once more, and a test holds them to their originals, because the originals are
msgspec's: loading that takes longer than all else that a `--help` does.
"""

from __future__ import annotations

from types import SimpleNamespace

TASK = SimpleNamespace(
    data="digits", model="cnn", weights="imagenet", batch_size=64, seed=0, device="auto"
)
OPTIMIZER = SimpleNamespace(name="sgd", momentum=0.9)
RANGE_TEST = SimpleNamespace(start_lr=1e-7, end_lr=1.0, epochs=2.0, seeds=1)
TRAIN = SimpleNamespace(policy="triangular", step_size_epochs=4.0, epochs=16, gamma=0.99994)
COMPARE = SimpleNamespace(seeds=3, epochs=16, threads=1)

POLICIES = (
    "triangular",
    "triangular2",
    "exp-range",
    "exp-range-amplitude",
    "linear-decay",
    "one-cycle",
    "constant",
)
MODELS = ("cnn", "resnet34")
RATES = ("default", "tuned")
STUDIES = ("cnn", "resnet34")
SEEDS = 3
"""Of a study."""
