"""The configuration of one run: the compiled one with the run's parameters applied."""

from pipeline.config.config import Config
from pipeline.config.run_parameters import RunParameters
from trainer.blessing_config import THRESHOLDS


def of(compiled: str, given: RunParameters) -> Config:
    """`compiled` is the JSON of Config; the span stands in no configuration."""
    config = Config.model_validate_json(compiled)
    thresholds = THRESHOLDS.validate_json(str(given.thresholds))
    return config.changed(
        retrieval=config.retrieval.changed(epochs=given.retrieval_epochs),
        ranking=config.ranking.changed(epochs=given.ranking_epochs),
        blessing=config.blessing.changed(thresholds=thresholds),
    )
