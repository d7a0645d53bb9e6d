"""Replaces `auto` in the configuration of retrieval by what fits the data."""

import logging
from typing import Literal

import numpy as np

from trainer.config.models import RetrievalConfig
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData

_log = logging.getLogger(__name__)
_ORDERED_EVENTS = 3


def resolve_automatic(config: RetrievalConfig, data: TrainingData) -> RetrievalConfig:
    """The configuration that the model is built with. `refit_epochs` remains, since it depends on
    training.
    """
    found = {"history": _choose_history(data.train), "popularity_prior": data.has_times}
    chosen = {key: value for key, value in found.items() if getattr(config, key) == "auto"}
    if chosen:
        _log.info("retrieval chose %s", " ".join(f"{key}={v}" for key, v in chosen.items()))
    return config.replace_values(**chosen)


def _choose_history(train: Timelines) -> Literal["attention", "mean"]:
    """Attention learns from the order of events, which a history of one event does not have."""
    events = np.diff(train.row_splits)
    return "attention" if np.median(events) >= _ORDERED_EVENTS else "mean"
