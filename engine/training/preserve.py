"""Restoring everything that a range test changes, so that it can run on a model in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from clr_tui.engine.tasks.model_state import keep_model
from clr_tui.engine.training.optimizers.keeping import keep_optimizer
from clr_tui.engine.training.randomness import global_state, set_global_state
from clr_tui.engine.training.trainee import Trainee


@contextmanager
def left_as_found(trainee: Trainee) -> Iterator[None]:
    """Restores, bit for bit, what training steps can change, however the block ends.

    That is: parameters and buffers (such as batch norm's running statistics; persistent or not,
    made in the block or before), gradients and whether there are any, `requires_grad`, the mode of
    each module, the optimizer's state, rates and other options, the position in the data with its
    generators, and the global generators of torch (CPU and device), Python and numpy. Plain Python
    attributes of modules are not restored.
    """
    with ExitStack() as restore:  # each is restored, even if another fails
        for module in (trainee.model, *trainee.others):
            restore.callback(keep_model(module))
        restore.callback(keep_optimizer(trainee.optimizer, trainee.model))
        restore.callback(trainee.batches.load_state_dict, trainee.batches.state_dict())
        restore.callback(set_global_state, global_state(trainee.device), trainee.device)
        yield
