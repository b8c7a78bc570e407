"""Training with cyclical learning rates (L. N. Smith 2017, section 3)."""

from __future__ import annotations

from clr_tui.engine.settings.config import Train
from clr_tui.engine.training.keepers import OnDisk
from clr_tui.engine.training.session import Result, Session, Trial, Work
from clr_tui.engine.training.training import Training


def run_training_job(work: Work) -> Result:
    """The training that a run asks for."""
    return run_training(work.session(), work.config.asked(Train))


def run_training(session: Session, config: Train) -> Result:
    """Trains, validates after each epoch, and tests the last and the best model at the end.

    Writes `checkpoints/last.pt` after each epoch and when stopped, `checkpoints/best.pt` after
    each epoch that is the best so far on the validation part.
    """
    trial = Trial(number=0, seed=session.config.task.seed, label=config.policy)
    keeper = OnDisk(session.folder, session.emit, session.task.device)
    return Training(session, config, trial, keeper).run()
