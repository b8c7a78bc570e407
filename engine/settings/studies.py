"""The two studies of the article "Adaptive - and Cyclical Learning Rates using PyTorch" (2019).

In both, Adagrad, Adadelta, RMSprop, Adam and Adamax run at torch's default rates. SGD without
momentum cycles (triangular, half a cycle being 4 epochs) between a rate that its own range test
finds, from 1e-7 upward over two epochs, and a sixth of it. Tuning only one of the six is the
article's choice, and the report says so; with rates "tuned" all are tuned.

One difference: the article's sweep ended at 0.1, ours continues to 10 unless the loss diverges
first, since the minimum of SGD without momentum may be beyond 0.1. Neither study's length is a
whole number of cycles, and neither is rounded to one.
"""

from __future__ import annotations

from clr_tui.engine.settings.catalogue import MODELS, STUDIES
from clr_tui.engine.settings.config import FACTOR, Compare
from clr_tui.engine.settings.entries import article_entries
from clr_tui.engine.settings.limits import choice_mistake

SEEDS = 3
"""Three runs each, as the article says. Its published logs of the ResNet34 hold two; but a 95%
interval from two runs is some 9 standard deviations to either side (2.5 from three), too wide to
distinguish anything."""


def study(name: str) -> tuple[dict[str, str], Compare]:
    """The task settings and the comparison of the article's study of the model `name`.

    Raises:
        UserError: (field `study`) there is no such study.
    """
    if name not in STUDIES:
        raise choice_mistake("study", name, STUDIES)
    job = Compare(
        entries=article_entries(),
        seeds=SEEDS,
        epochs=MODELS[name].study_epochs,
        whole_cycles=False,
        rates="default",
        factor=FACTOR,
        step_size_epochs=4.0,
        study=name,
    )
    return {"model": name}, job
