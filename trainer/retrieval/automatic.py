"""Replaces `auto` in the configuration of retrieval by what fits the data."""

import logging

from trainer.config.models import RetrievalConfig
from trainer.data.training_data import TrainingData

_log = logging.getLogger(__name__)


def resolve_automatic(config: RetrievalConfig, data: TrainingData) -> RetrievalConfig:
    """The configuration that the model is built with: popularity is part of the score where the
    log has times. `refit_epochs` remains, since it depends on training.
    """
    if config.popularity_prior != "auto":
        return config
    _log.info("retrieval chose popularity_prior=%s", data.has_times)
    return config.replace_values(popularity_prior=data.has_times)
