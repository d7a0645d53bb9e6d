"""Trains the two towers."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import training_inputs
from components.artifact_types import Candidates
from components.local_artifacts import on_local_disk
from schema import object_store
from trainer import fingerprint, retrieval, strategy
from trainer.config import RetrievalConfig, TrainerConfig
from trainer.retrieval import Outputs


@component
@on_local_disk
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
) -> None:
    """`model` is the query model, `held_out_model` the one that has not learned valid; `config` the
    JSON of RetrievalConfig but for its `epochs`, `hardware` of TrainerConfig.

    Every worker of a cluster runs this; one of them writes.
    """
    devices = strategy.of(TrainerConfig.model_validate_json(hardware))
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    settings = RetrievalConfig.model_validate_json(config).changed(epochs=epochs)
    with object_store.written(tensorboard) as log_dir:
        measured = retrieval.train(
            data,
            settings,
            seed,
            Outputs(path_utils.serving_model_dir(held_out_model.uri), held_out_candidates.uri),
            Outputs(path_utils.serving_model_dir(model.uri), candidates.uri),
            log_dir,
            f"{checkpoints}/{fingerprint.of(data, seed, settings.model_dump_json())}",
            devices,
        )
    for name, value in measured.items():
        model.set_float_custom_property(name, float(value))
