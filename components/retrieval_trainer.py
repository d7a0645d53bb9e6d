"""Trains the two towers."""

import json
import logging

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts import training_inputs
from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from components.evaluator import NEWEST
from components.pushed.warm_start import WarmStartDecision, decide_warm_start
from schema.storage import object_store
from serving.versions.origin import find_newest_version
from trainer.config.models import RetrievalConfig, TrainerConfig
from trainer.retrieval.stage import RetrievalOutputs, train_retrieval
from trainer.training.context import TrainingContext
from trainer.training.distribution import create_hardware
from trainer.training.fingerprint import compute_fingerprint

WARM_START = "warm_start"
"""Property of the model: JSON of the version that it was begun from, or why of none."""
_log = logging.getLogger(__name__)


@component
@use_local_copies
def RetrievalTrainer(
    timelines: InputArtifact[standard_artifacts.Examples],
    timelines_graph: InputArtifact[standard_artifacts.TransformGraph],
    items: InputArtifact[standard_artifacts.Examples],
    items_graph: InputArtifact[standard_artifacts.TransformGraph],
    held_out_model: OutputArtifact[standard_artifacts.Model],
    held_out_candidates: OutputArtifact[Candidates],
    model: OutputArtifact[standard_artifacts.Model],
    candidates: OutputArtifact[Candidates],
    dataset: Parameter[str],
    config: Parameter[str],
    epochs: Parameter[int],
    seed: Parameter[int],
    hardware: Parameter[str],
    tensorboard: Parameter[str],
    checkpoints: Parameter[str],
    serving_dir: Parameter[str],
    pushed: Parameter[str],
) -> None:
    """`model` is the query model, `held_out_model` the one that has not learned valid; `config` the
    JSON of RetrievalConfig but for its `epochs`, `hardware` of TrainerConfig. `pushed` is the
    version below `serving_dir` that a warm start begins from: a number, `newest`, or "" for none.

    Every worker of a cluster runs this; one of them writes.
    """
    devices = create_hardware(TrainerConfig.model_validate_json(hardware))
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    settings = RetrievalConfig.model_validate_json(config).changed(epochs=epochs)
    version = find_newest_version(serving_dir) if pushed == NEWEST else pushed
    begun = decide_warm_start(data, serving_dir, version) if settings.warm_start else None
    kept = compute_fingerprint(data, seed, settings.model_dump_json(), _get_version(begun))
    with object_store.open_output_folder(tensorboard) as log_dir:
        context = TrainingContext(
            data, settings, seed, log_dir, f"{checkpoints}/{kept}", devices, begun and begun.start
        )
        measured = train_retrieval(
            context,
            RetrievalOutputs(
                path_utils.serving_model_dir(held_out_model.uri), held_out_candidates.uri
            ),
            RetrievalOutputs(path_utils.serving_model_dir(model.uri), candidates.uri),
        )
    if begun is not None:
        _log.info("retrieval warm start %s", begun.describe())
        model.set_string_custom_property(WARM_START, json.dumps(begun.describe()))
    for name, value in measured.items():
        model.set_float_custom_property(name, float(value))


def _get_version(begun: WarmStartDecision | None) -> str:
    """That the weights are of, "" where they are nobody's: a checkpoint belongs to them."""
    return "" if begun is None else begun.version
