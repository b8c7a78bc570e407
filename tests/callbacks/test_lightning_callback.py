"""The callback for Lightning, in the real Trainer."""

from __future__ import annotations

import csv
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import column, ending, events, names, only_run, order, settings, wait_until
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

lightning = pytest.importorskip("lightning.pytorch")
import clr_tui  # noqa: E402
from clr_tui.callbacks.lightning import ClrTuiCallback  # noqa: E402
from clr_tui.engine.log.commands import Continue, Pause, SetBounds, Stop, send  # noqa: E402
from clr_tui.engine.log.events import BoundsChanged, Continued, Paused  # noqa: E402
from clr_tui.engine.log.rundir import list_runs  # noqa: E402

BATCHES = 6
pytestmark = pytest.mark.filterwarnings("ignore")


def data() -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(BATCHES * 8, 4, generator=generator)
    return DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=8)


class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
    def __init__(self, width: int = 3, between: Callable[[int], None] = lambda batch: None) -> None:
        super().__init__()
        self.save_hyperparameters("width")
        self.net = nn.Linear(4, 1)
        self.between = between
        self.batches = 0
        self.losses: list[float] = []
        self.rates: list[float] = []

    def training_step(self, batch: Any, _: int) -> Tensor:
        self.between(self.batches)
        self.batches += 1
        inputs, targets = batch
        loss = nn.functional.mse_loss(self.net(inputs), targets)
        self.losses.append(float(loss.detach()))
        self.rates.append(self.optimizers().param_groups[0]["lr"])
        self.log(
            "train_mae", (self.net(inputs) - targets).abs().mean(), on_step=True, on_epoch=True
        )
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        inputs, targets = batch
        self.log("val_loss", nn.functional.mse_loss(self.net(inputs), targets))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        scheduler = clr_tui.CLR(optimizer, 0.06, step_size=4)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def trainer(callback: Any, folder: Path, **options: Any) -> Any:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    defaults = {"logger": False, "enable_checkpointing": False, "max_epochs": 2}
    return lightning.Trainer(
        callbacks=[callback],
        default_root_dir=folder,
        num_sanity_val_steps=1,
        **{**quiet, **defaults, **options},
    )


def test_every_step_has_its_rate_and_its_loss(runs: Path, tmp_path: Path) -> None:
    module = Module()
    callback = ClrTuiCallback("houses", config={"batch": 8})
    trainer(callback, tmp_path).fit(module, data(), data())
    run = only_run(runs)
    assert run.id == "houses-1"
    assert column(run, "loss") == dict(enumerate(module.losses))
    assert column(run, "lr") == dict(enumerate(module.rates))
    assert len(module.losses) == 2 * BATCHES
    assert column(run, "epoch") == {0: 0, BATCHES: 1}
    assert settings(run) == {"batch": "8", "width": "3"}
    assert ending(run).outcome == "done"


def test_what_the_module_logs_is_what_other_loggers_get(runs: Path, tmp_path: Path) -> None:
    other = lightning.loggers.CSVLogger(tmp_path / "csv")
    made = trainer(ClrTuiCallback(), tmp_path, logger=other, log_every_n_steps=2)
    made.fit(Module(), data(), data())
    with open(Path(other.log_dir) / "metrics.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    run = only_run(runs)
    for name in ("train_mae_step", "train_mae_epoch", "val_loss"):
        expected = {int(row["step"]): float(row[name]) for row in rows if row[name]}
        assert expected
        assert column(run, name) == pytest.approx(expected)
    assert names(run) == {"lr", "loss", "epoch", "train_mae_step", "train_mae_epoch", "val_loss"}
    assert made.loggers == [other]  # ours has gone with the run


def test_checkpoints_go_where_they_went(runs: Path, tmp_path: Path) -> None:
    trainer(ClrTuiCallback(), tmp_path, enable_checkpointing=True).fit(Module(), data())
    assert len(list((tmp_path / "checkpoints").glob("*.ckpt"))) == 1


def test_accumulated_batches_are_one_step_with_their_mean_loss(runs: Path, tmp_path: Path) -> None:
    module = Module()
    trainer(ClrTuiCallback(), tmp_path, accumulate_grad_batches=3, max_epochs=1).fit(module, data())
    means = [sum(module.losses[i : i + 3]) / 3 for i in (0, 3)]
    assert column(only_run(runs), "loss") == pytest.approx(dict(enumerate(means)))


def test_a_stop_from_the_screen_ends_the_fit(runs: Path, tmp_path: Path) -> None:
    callback = ClrTuiCallback()

    def between(batch: int) -> None:
        if batch == 3:
            order(runs, callback._training, Stop(reason="stopped by request"))

    module, after = Module(between=between), []
    made = trainer(callback, tmp_path, max_epochs=50)
    made.fit(module, data())
    after.append("goes on")
    assert made.should_stop
    assert len(module.losses) < 2 * BATCHES
    assert len(column(only_run(runs), "loss")) == len(module.losses)
    assert ending(only_run(runs)).outcome == "stopped"
    assert after


def test_bounds_and_pauses_from_the_screen(runs: Path, tmp_path: Path) -> None:
    callback = ClrTuiCallback()

    def between(batch: int) -> None:
        if batch == 2:
            order(runs, callback._training, SetBounds(base_lr=0.001, max_lr=0.002))
        if batch == 4:
            order(runs, callback._training, Pause())
            threading.Thread(target=go_on, daemon=True).start()

    def go_on() -> None:
        wait_until(lambda: bool(events(only_run(runs), Paused)))
        send(only_run(runs), Continue())

    module = Module(between=between)
    trainer(callback, tmp_path, max_epochs=1).fit(module, data())
    run = only_run(runs)
    assert len(events(run, Paused)) == len(events(run, Continued)) == 1
    (changed,) = events(run, BoundsChanged)
    assert (changed.base_lr, changed.max_lr, changed.step) == (0.001, 0.002, 3)
    # A cycle of 4 steps up from 0.01 to 0.06; from the fourth step on, between the new bounds.
    expected = [0.01, 0.0225, 0.035, 0.00175, 0.002, 0.00175]
    assert list(column(run, "lr").values()) == pytest.approx(expected)


def test_an_error_fails_the_run_and_is_still_raised(runs: Path, tmp_path: Path) -> None:
    def between(batch: int) -> None:
        if batch == 2:
            raise ZeroDivisionError("no batch")

    with pytest.raises(ZeroDivisionError):
        trainer(ClrTuiCallback(), tmp_path).fit(Module(between=between), data())
    end = ending(only_run(runs))
    assert end.outcome == "failed"
    assert "ZeroDivisionError: no batch" in end.message
    assert len(column(only_run(runs), "loss")) == 2


def test_each_fit_is_a_run_and_a_test_is_none(runs: Path, tmp_path: Path) -> None:
    class Tested(Module):
        test_step = Module.validation_step

    callback = ClrTuiCallback("twice")
    for _ in range(2):
        made = trainer(callback, tmp_path, max_epochs=1)
        made.fit(Tested(), data())
        made.test(Tested(), data(), verbose=False)
    assert sorted(run.id for run in list_runs(runs)) == ["twice-1", "twice-2"]
    assert all(len(column(run, "loss")) == BATCHES for run in list_runs(runs))


def test_a_copy_records_nothing(runs: Path) -> None:
    callback = ClrTuiCallback("a")
    callback._training.begin({})
    assert pickle.loads(pickle.dumps(callback))._training.run is None
    callback._training.end()
