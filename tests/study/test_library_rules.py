"""The rules of other libraries as the program and the study have them, beside the libraries.

Runs where these are installed: build/bench-venv, which `make study` makes. Elsewhere it skips.
"""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import library_rules
import numpy as np
import pytest
import torch
from made_curves import deserving, rates

from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep import rules

LIBRARIES = ("torch_lr_finder", "fastai", "lightning", "ignite")
pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in LIBRARIES), reason="needs the benchmarks' environment"
)
RESULTS = Path(__file__).with_name("results")
START, END = 1e-7, 1.0


def _curves() -> list[Any]:
    """Twenty curves: the first sweeps of as many settings, and made ones for the rest."""
    found = []
    for path in sorted(RESULTS.glob("*.jsonl")):
        lines = [json.loads(line) for line in path.open()] if path.name != "libraries.jsonl" else []
        for line in lines:
            if line["type"] == "sweep" and line["steps"] == 300 and line["seed"] == 0:
                losses = np.array([x for x in line["loss"] if x is not None])
                lr = line["start_lr"] * (line["end_lr"] / line["start_lr"]) ** (
                    np.arange(len(losses)) / line["steps"]
                )
                found.append(pytest.param((lr, losses), id=path.stem))
    for i, case in enumerate(deserving()[:20]):
        losses = case.losses[0]
        found.append(pytest.param((rates(case.steps)[: len(losses)], losses), id=f"made-{i}"))
    return found[:20]


@pytest.fixture(params=_curves())
def curve(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    return request.param


def test_steepest_is_torch_lr_finders(curve):
    lr, loss = curve
    theirs = library_rules.torch_lr_finder(lr, loss, len(lr))
    assert rules.steepest(lr, smooth(loss)) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("name", ["valley", "slide"])
def test_valley_and_slide_are_fastais(curve, name):
    """On fastai's own smoothing, of a sweep as long as planned: it cuts by the planned length."""
    lr, loss = curve
    rates_, losses = library_rules.fastai_curve(lr, loss, len(lr))
    if name == "slide" and len(losses) <= rules.SLIDE_WIDTH:
        pytest.skip("fastai reads beyond the curve")
    theirs = library_rules.RULES[f"fastai {name}"](lr, loss, len(lr))
    smoothed = _smoothed_as_fastai(loss)
    assert np.allclose(smoothed[len(lr) // 10 : -5], losses.numpy(), rtol=1e-5)
    # Their arithmetic has seven digits, in which neighbours may be equal.
    single = np.concatenate([smoothed[: len(lr) // 10], losses.numpy(), smoothed[-5:]])
    ours = getattr(rules, name)(lr, single.astype(np.float32).astype(np.float64))
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert rates_.numpy() == pytest.approx(rules.fastai_part(lr, loss)[0], rel=1e-6)


def test_a_tenth_of_the_minimum_is_fastais(curve):
    lr, loss = curve
    theirs = library_rules.RULES["fastai minimum"](lr, loss, len(lr))
    part = rules.fastai_part(lr, _smoothed_as_fastai(loss))
    assert rules.minimum_tenth(*part) == pytest.approx(theirs, rel=1e-5)


def _smoothed_as_fastai(loss: np.ndarray, beta: float = 0.98) -> np.ndarray:
    """Smoothing from zero, divided by the weight so far."""
    value, smoothed = 0.0, []
    for count, x in enumerate(loss.tolist(), 1):
        value = beta * value + (1 - beta) * x
        smoothed.append(value / (1 - beta**count))
    return np.array(smoothed)


class TestWholeRangeTests:
    """What the adapters give is what a range test of the library gives that has these losses."""

    LOSS = next(case for case in deserving() if case.steps == 100).losses[0].astype(np.float32)
    STEPS = len(LOSS)

    def test_torch_lr_finder(self):
        from torch_lr_finder import LRFinder

        model, losses = _Scripted(self.LOSS), iter(self.LOSS)
        optimizer = torch.optim.SGD(model.parameters(), lr=START)

        def criterion(outputs: torch.Tensor, _: Any) -> torch.Tensor:
            return outputs.sum() * 0 + next(losses)

        finder = LRFinder(model, optimizer, criterion)
        finder.range_test(_batches(self.STEPS), end_lr=END, num_iter=self.STEPS, diverge_th=1e9)
        from matplotlib import pyplot

        _, theirs = finder.plot(suggest_lr=True, ax=pyplot.subplots()[1])
        lr = np.array(finder.history["lr"])
        assert library_rules.torch_lr_finder(lr, self.LOSS, self.STEPS) == pytest.approx(theirs)

    def test_fastai(self, tmp_path):
        from fastai.callback.schedule import minimum, slide, steep, valley
        from fastai.data.core import DataLoaders
        from fastai.learner import Learner

        losses = iter(self.LOSS)

        def loss(outputs: torch.Tensor, *_: Any) -> torch.Tensor:
            return outputs.sum() * 0 + next(losses)

        data = DataLoaders(_batches(self.STEPS), _batches(1))
        learner = Learner(data, _Scripted(self.LOSS), loss_func=loss, path=tmp_path)
        with learner.no_bar():
            found = learner.lr_find(
                START,
                END,
                self.STEPS,
                stop_div=False,
                show_plot=False,
                suggest_funcs=(minimum, steep, valley, slide),
            )
        lr = np.array(learner.recorder.lrs)
        for name in ("minimum", "steep", "valley", "slide"):
            ours = library_rules.RULES[f"fastai {name}"](lr, self.LOSS, self.STEPS)
            assert ours == pytest.approx(getattr(found, name), rel=1e-5), name

    def test_lightning(self, tmp_path):
        import lightning
        from lightning.pytorch.tuner import Tuner

        losses = iter(self.LOSS)

        class Module(lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.lr, self.layer = START, torch.nn.Linear(1, 1)

            def training_step(self, batch: Any, _: int) -> torch.Tensor:
                return self.layer(batch[0]).sum() * 0 + next(losses)

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.SGD(self.parameters(), lr=self.lr)

        trainer = lightning.Trainer(
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
            accelerator="cpu",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            finder = Tuner(trainer).lr_find(
                Module(),
                train_dataloaders=_batches(self.STEPS + 1),
                min_lr=START,
                max_lr=END,
                num_training=self.STEPS,
                early_stop_threshold=None,
                update_attr=False,
            )
        lr = np.array(finder.results["lr"])[: self.STEPS]
        ours = library_rules.lightning(lr, self.LOSS[: len(lr)], self.STEPS)
        assert ours == pytest.approx(finder.suggestion(), rel=1e-5)

    def test_ignite(self):
        from ignite.engine import Engine
        from ignite.handlers import FastaiLRFinder

        losses = iter(self.LOSS)
        model = _Scripted(self.LOSS)
        optimizer = torch.optim.SGD(model.parameters(), lr=START)
        trainer = Engine(lambda *_: float(next(losses)))
        finder = FastaiLRFinder()
        with finder.attach(
            trainer,
            to_save={"model": model, "optimizer": optimizer},
            end_lr=END,
            num_iter=self.STEPS - 1,
            diverge_th=1e9,
        ) as attached:
            attached.run(_batches(self.STEPS))
        history = finder.get_results()
        lr, count = np.array(history["lr"]), len(history["lr"])
        ours = library_rules.ignite(lr, self.LOSS[:count], count)
        assert ours == pytest.approx(finder.lr_suggestion())


class _Scripted(torch.nn.Linear):
    def __init__(self, losses: np.ndarray) -> None:
        super().__init__(1, 1)


def _batches(count: int) -> Any:
    data = torch.utils.data.TensorDataset(torch.zeros(count, 1), torch.zeros(count, 1))
    return torch.utils.data.DataLoader(data, batch_size=1)
