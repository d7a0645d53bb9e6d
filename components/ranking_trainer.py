"""TFX component: trains the ranking model on the candidates of the retrieval model."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts import training_inputs
from components.artifacts.local_copies import find_stored_uri, use_local_copies
from components.artifacts.types import Candidates
from schema.storage import object_store
from trainer.config.models import RankingConfig, RetrievalConfig, TrainerConfig
from trainer.ranking.stage import RetrievalArtifacts, train_ranking
from trainer.retrieval.artifacts import RetrievalOutputs
from trainer.training.context import TrainingContext
from trainer.training.distribution import create_hardware
from trainer.training.fingerprint import compute_fingerprint


@component
@use_local_copies
def RankingTrainer(
    timelines: InputArtifact[standard_artifacts.Examples],
    timelines_graph: InputArtifact[standard_artifacts.TransformGraph],
    items: InputArtifact[standard_artifacts.Examples],
    items_graph: InputArtifact[standard_artifacts.TransformGraph],
    query: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    served_candidates: InputArtifact[Candidates],
    model: OutputArtifact[standard_artifacts.Model],
    dataset: Parameter[str],
    retrieval_config: Parameter[str],
    config: Parameter[str],
    epochs: Parameter[int],
    seed: Parameter[int],
    hardware: Parameter[str],
    tensorboard: Parameter[str],
    checkpoints: Parameter[str],
) -> None:
    """Trains the ranking model; its measurements are properties of the artifact `model`.

    Args:
        timelines: Transformed timelines.
        timelines_graph: Transform graph of the timelines.
        items: Transformed catalogue.
        items_graph: Transform graph of the catalogue.
        query: Query model that was not trained on valid.
        candidates: Candidates of `query`.
        served_candidates: Candidates of the final query model, which this model will rank.
        model: Receives the ranking model.
        dataset: JSON of `schema.dataset.Dataset`.
        retrieval_config: JSON of RetrievalConfig.
        config: JSON of RankingConfig without `epochs`.
        epochs: Maximum number of epochs.
        seed: Seed of all random numbers.
        hardware: JSON of TrainerConfig.
        tensorboard: Folder or URL of the TensorBoard logs.
        checkpoints: Folder or URL of the checkpoints.
    """
    devices = create_hardware(TrainerConfig.model_validate_json(hardware))
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    settings = RankingConfig.model_validate_json(config).replace_values(epochs=epochs)
    candidates_uri = find_stored_uri(candidates.uri)
    fingerprint = compute_fingerprint(data, seed, candidates_uri, settings.model_dump_json())
    retrieval = RetrievalArtifacts(
        RetrievalOutputs(path_utils.serving_model_dir(query.uri), candidates.uri),
        served_candidates.uri,
        RetrievalConfig.model_validate_json(retrieval_config),
    )
    with object_store.open_output_folder(tensorboard) as log_dir:
        context = TrainingContext(
            data, settings, seed, log_dir, f"{checkpoints}/{fingerprint}", devices
        )
        measured = train_ranking(context, retrieval, path_utils.serving_model_dir(model.uri))
    for name, value in measured.items():
        model.set_float_custom_property(name, float(value))
