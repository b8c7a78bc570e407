"""The callback for Transformers, in the real Trainer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import column, ending, events, only_run, order, settings
from torch import Tensor, nn

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
import clr_tui  # noqa: E402
from clr_tui.callbacks.transformers import ClrTuiCallback  # noqa: E402
from clr_tui.engine.log.commands import SetBounds, Stop  # noqa: E402
from clr_tui.engine.log.events import BoundsChanged  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def data(count: int = 64) -> list[dict[str, Tensor]]:
    inputs = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    return [{"inputs": row, "labels": row.sum()} for row in inputs]


class Model(nn.Module):
    def __init__(self, between: Callable[[int], None] = lambda step: None) -> None:
        super().__init__()
        self.net = nn.Linear(4, 1)
        self.between = between
        self.steps = 0

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Any:
        if self.training:
            self.between(self.steps)
            self.steps += 1
        logits = self.net(inputs).squeeze(1)
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.mse_loss(logits, labels), "logits": logits}


def trainer(callback: Any, folder: Path, model: nn.Module, **options: Any) -> Any:
    optimizers = options.pop("optimizers", (None, None))
    defaults: dict[str, Any] = {
        "per_device_train_batch_size": 8,
        "max_steps": 20,
        "logging_steps": 4,
        "learning_rate": 0.02,
        "eval_strategy": "steps",
        "eval_steps": 8,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
    }
    return transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(str(folder / "out"), **{**defaults, **options}),
        train_dataset=data(),
        eval_dataset=data(16),
        callbacks=[callback],
        optimizers=optimizers,
    )


def test_the_run_has_what_the_trainer_logs_and_the_rate_of_every_step(
    runs: Path, tmp_path: Path
) -> None:
    made = trainer(ClrTuiCallback("bert", config={"corpus": "none"}), tmp_path, Model())
    made.train()
    run = only_run(runs)
    assert run.id == "bert-1"
    for name in ("loss", "grad_norm", "eval_loss", "train_loss"):
        expected = {e["step"]: e[name] for e in made.state.log_history if name in e}
        assert expected
        assert column(run, name) == pytest.approx(expected)
    rates = column(run, "lr")
    assert list(rates) == list(range(1, 21))
    assert rates == pytest.approx({step: 0.02 * (21 - step) / 20 for step in range(1, 21)})
    epochs = {e["step"]: e["epoch"] for e in made.state.log_history if "loss" in e}
    assert column(run, "epoch") == pytest.approx(epochs)
    assert ending(run).outcome == "done"
    shown = settings(run)
    assert shown["corpus"] == "none"
    assert (shown["learning_rate"], shown["max_steps"]) == ("0.02", "20")
    assert "output_dir" not in shown
    assert "weight_decay" not in shown  # the default


def test_a_stop_from_the_screen_ends_the_training(runs: Path, tmp_path: Path) -> None:
    callback = ClrTuiCallback()

    def between(step: int) -> None:
        if step == 5:
            order(runs, callback._training, Stop(reason="stopped by request"))

    made = trainer(callback, tmp_path, Model(between), max_steps=500)
    made.train()
    assert made.state.global_step == 6
    assert list(column(only_run(runs), "lr")) == list(range(1, 7))
    assert ending(only_run(runs)).outcome == "stopped"


def test_bounds_from_the_screen_move_a_scheduler_that_takes_them(
    runs: Path, tmp_path: Path
) -> None:
    callback = ClrTuiCallback()

    def between(step: int) -> None:
        if step == 2:
            order(runs, callback._training, SetBounds(base_lr=0.001, max_lr=0.002))

    model = Model(between)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = clr_tui.CLR(optimizer, 0.06, step_size=4)
    trainer(callback, tmp_path, model, optimizers=(optimizer, scheduler), max_steps=6).train()
    assert len(events(only_run(runs), BoundsChanged)) == 1
    expected = [0.01, 0.0225, 0.035, 0.00175, 0.002, 0.00175]
    assert list(column(only_run(runs), "lr").values()) == pytest.approx(expected)


def test_an_evaluation_after_the_training_is_no_part_of_it(
    runs: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    made = trainer(ClrTuiCallback(), tmp_path, Model(), eval_strategy="no", max_steps=4)
    made.train()
    made.evaluate()
    assert column(only_run(runs), "eval_loss") == {}
    assert not [one for one in recwarn if "clr-tui" in str(one.message)]
