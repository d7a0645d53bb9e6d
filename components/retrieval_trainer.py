"""TFX component: trains the two-tower retrieval model."""

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
from trainer.retrieval.artifacts import RetrievalOutputs
from trainer.retrieval.stage import train_retrieval
from trainer.training.context import TrainingContext
from trainer.training.distribution import create_hardware
from trainer.training.fingerprint import compute_fingerprint

WARM_START = "warm_start"
"""Property of the model: JSON of the version that training started from, or why from none."""
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
    """Trains the query model and the candidates; measurements are properties of `model`.

    In a cluster every worker runs this, and one of them writes.

    Args:
        timelines: Transformed timelines.
        timelines_graph: Transform graph of the timelines.
        items: Transformed catalogue.
        items_graph: Transform graph of the catalogue.
        held_out_model: Receives the query model that is not trained on valid.
        held_out_candidates: Receives the candidates of `held_out_model`.
        model: Receives the final query model.
        candidates: Receives the candidates of `model`.
        dataset: JSON of `schema.dataset.Dataset`.
        config: JSON of RetrievalConfig without `epochs`.
        epochs: Maximum number of epochs.
        seed: Seed of all random numbers.
        hardware: JSON of TrainerConfig.
        tensorboard: Folder or URL of the TensorBoard logs.
        checkpoints: Folder or URL of the checkpoints.
        serving_dir: Folder or URL of the pushed versions.
        pushed: Version that a warm start begins from: a number, `newest`, or "" for none.
    """
    devices = create_hardware(TrainerConfig.model_validate_json(hardware))
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    settings = RetrievalConfig.model_validate_json(config).replace_values(epochs=epochs)
    version = find_newest_version(serving_dir) if pushed == NEWEST else pushed
    warm = decide_warm_start(data, serving_dir, version) if settings.warm_start else None
    fingerprint = compute_fingerprint(data, seed, settings.model_dump_json(), _get_version(warm))
    with object_store.open_output_folder(tensorboard) as log_dir:
        context = TrainingContext(
            data,
            settings,
            seed,
            log_dir,
            f"{checkpoints}/{fingerprint}",
            devices,
            warm and warm.start,
        )
        measured = train_retrieval(
            context,
            RetrievalOutputs(
                path_utils.serving_model_dir(held_out_model.uri), held_out_candidates.uri
            ),
            RetrievalOutputs(path_utils.serving_model_dir(model.uri), candidates.uri),
        )
    if warm is not None:
        _log.info("retrieval warm start %s", warm.describe())
        model.set_string_custom_property(WARM_START, json.dumps(warm.describe()))
    for name, value in measured.items():
        model.set_float_custom_property(name, float(value))


def _get_version(warm: WarmStartDecision | None) -> str:
    """Version of the initial weights, "" for none; checkpoints of other weights do not apply."""
    return "" if warm is None else warm.version
