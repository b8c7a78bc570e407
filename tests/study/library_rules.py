"""What other libraries advise for a sweep: their own code, given its raw losses.

Runs in the environment of the benchmarks, build/bench-venv. Each library smooths as it does by
default and then applies its own rule:

- torch-lr-finder: `LRFinder.plot(suggest_lr=True)`.
- fastai: `lr_find(suggest_funcs=(minimum, steep, valley, slide))`.
- Lightning: `Tuner.lr_find(...).suggestion()`.
- ignite: `FastaiLRFinder.lr_suggestion()`.

    python library_rules.py RESULTS

adds the missing ones to RESULTS/libraries.jsonl, a line for each sweep.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

Advice = Callable[[np.ndarray, np.ndarray, int], "float | None"]
"""(rates, raw losses, planned steps) -> the suggested rate, if there is one."""
FILE = "libraries.jsonl"


def torch_lr_finder(lr: np.ndarray, loss: np.ndarray, _steps: int) -> float | None:
    """The steepest point of losses smoothed as by `LRFinder.range_test`."""
    from matplotlib import pyplot
    from torch_lr_finder import LRFinder

    finder = LRFinder.__new__(LRFinder)  # it needs a model only to train it
    finder.history = {"lr": lr.tolist(), "loss": torch_lr_finder_smoothed(loss)}
    figure, axes = pyplot.subplots()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return float(finder.plot(suggest_lr=True, ax=axes)[1])
    except RuntimeError:  # too few points
        return None
    finally:
        pyplot.close(figure)


def torch_lr_finder_smoothed(loss: np.ndarray, smooth_f: float = 0.05) -> list[float]:
    """The loop of its `range_test`."""
    smoothed = [float(loss[0])]
    for value in loss[1:].tolist():
        smoothed.append(smooth_f * value + (1 - smooth_f) * smoothed[-1])
    return smoothed


def fastai_curve(lr: np.ndarray, loss: np.ndarray, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The rates and smoothed losses that `Learner.lr_find` gives to its rules."""
    from fastai.learner import AvgSmoothLoss

    metric, smoothed = AvgSmoothLoss(), []
    for value in loss.tolist():
        metric.accumulate(SimpleNamespace(loss=torch.tensor(value)))
        smoothed.append(float(metric.value))
    return torch.tensor(lr[steps // 10 : -5].tolist()), torch.tensor(smoothed[steps // 10 : -5])


def _fastai(name: str) -> Advice:
    def suggested(lr: np.ndarray, loss: np.ndarray, steps: int) -> float | None:
        from fastai.callback import schedule

        rates, losses = fastai_curve(lr, loss, steps)
        if name == "valley":  # a double loop over single values, slow on tensors
            rates, losses = rates.tolist(), losses.tolist()
        try:
            return float(getattr(schedule, name)(rates, losses, steps)[0])
        except (IndexError, RuntimeError, ValueError):  # what too short a curve raises
            return None

    return suggested


def lightning(lr: np.ndarray, loss: np.ndarray, steps: int) -> float | None:
    """The steepest point per rate, not per log rate."""
    from lightning.pytorch.tuner.lr_finder import _LRCallback, _LRFinder

    callback = _LRCallback(steps, early_stop_threshold=None)
    for step, value in enumerate(loss.tolist()):
        trainer = SimpleNamespace(
            fit_loop=SimpleNamespace(batch_idx=step),
            accumulate_grad_batches=1,
            global_step=step + 1,  # it is called after the step
            should_stop=False,
            strategy=SimpleNamespace(broadcast=lambda stop: stop),
        )
        callback.on_train_batch_end(trainer, None, torch.tensor(value), None, step)
    finder = _LRFinder("exponential", float(lr[0]), float(lr[-1]), steps)
    finder.results = {"lr": lr.tolist(), "loss": callback.losses}
    found = finder.suggestion()
    return None if found is None else float(found)


def ignite(lr: np.ndarray, loss: np.ndarray, _steps: int) -> float | None:
    """The steepest point before the minimum."""
    from ignite.handlers import FastaiLRFinder

    finder = FastaiLRFinder()
    finder._history = {"lr": [], "loss": []}
    finder._best_loss = None
    for step, (rate, value) in enumerate(zip(lr.tolist(), loss.tolist(), strict=True), 1):
        finder._lr_schedule = SimpleNamespace(get_param=lambda rate=rate: rate)
        trainer = SimpleNamespace(state=SimpleNamespace(output=value, iteration=step))
        trainer.terminate = lambda: None
        finder._log_lr_and_loss(trainer, lambda output: output, 0.05, float("inf"))
    try:
        return float(finder.lr_suggestion())
    except RuntimeError:  # no fall
        return None


RULES: dict[str, Advice] = {
    "torch-lr-finder": torch_lr_finder,
    "fastai minimum": _fastai("minimum"),
    "fastai steep": _fastai("steep"),
    "fastai valley": _fastai("valley"),
    "fastai slide": _fastai("slide"),
    "Lightning": lightning,
    "ignite": ignite,
}


def advice(line: dict[str, Any]) -> dict[str, float | None]:
    """What each library suggests for a sweep of the study, up to its first loss not finite."""
    losses = line["loss"]
    until = losses.index(None) if None in losses else len(losses)
    loss = np.array(losses[:until], dtype=np.float64)
    steps = line["steps"]
    lr = line["start_lr"] * (line["end_lr"] / line["start_lr"]) ** (np.arange(until) / steps)
    found = {name: rule(lr, loss, steps) for name, rule in RULES.items()}
    return {name: lr if lr is None else float(f"{lr:.4g}") for name, lr in found.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    file = folder / FILE
    known = {tuple(json.loads(line)["sweep"]) for line in file.open()} if file.exists() else set()
    with file.open("a") as out:
        for path in sorted(folder.glob("*.jsonl")):
            for line in map(json.loads, path.open() if path.name != FILE else ()):
                key = (path.stem, line.get("steps"), line.get("seed"))
                if line["type"] == "sweep" and key not in known:
                    made = {"sweep": key, "advice": advice(line)}
                    out.write(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
