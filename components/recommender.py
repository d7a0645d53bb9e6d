"""TFX component: combines query model, index and ranking model into the three servables."""

import json
import pathlib
from typing import Any

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from schema import candidates as candidate_files
from schema.recommend import Recommend
from schema.signatures import RANKING, RECOMMENDER
from serving.graph.export import export_servables
from serving.graph.modules import RecommenderModels
from serving.graph.saved_models import load_saved_model
from serving.versions.origin import write_index_measurements
from trainer.config.models import RankingConfig
from trainer.ranking.serving_order import read_serving_order


@component
@use_local_copies
def Recommender(
    query: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    index: InputArtifact[standard_artifacts.Model],
    ranking: InputArtifact[standard_artifacts.Model],
    servables: OutputArtifact[standard_artifacts.Model],
    ranking_config: Parameter[str],
    recommend: Parameter[str],
) -> None:
    """Exports one SavedModel for each name of `schema.signatures.SERVABLES`, and stores the index
    measurements with the recommender.

    Args:
        query: Query model.
        candidates: Candidates of the query model.
        index: Index of the candidates.
        ranking: Ranking model.
        servables: Receives the servables.
        ranking_config: JSON of RankingConfig.
        recommend: JSON of `schema.recommend.Recommend`.
    """
    folder = path_utils.serving_model_dir(servables.uri)
    settings = Recommend.model_validate_json(recommend)
    ranking_dir = path_utils.serving_model_dir(ranking.uri)
    models = RecommenderModels(
        _load_model(query),
        _load_model(index),
        _load_model(ranking),
        depth=RankingConfig.model_validate_json(ranking_config).candidates,
        rank_order=read_serving_order(ranking_dir) == RANKING,
        repeats=settings.repeats,
        diversity=settings.diversity,
        calibration=settings.calibration,
    )
    export_servables(models, candidate_files.load(candidates.uri), folder)
    measured = json.loads(index.get_string_custom_property("measured"))
    write_index_measurements(measured, pathlib.Path(folder, RECOMMENDER))


def _load_model(model: standard_artifacts.Model) -> Any:
    folder = pathlib.Path(path_utils.serving_model_dir(model.uri))
    return load_saved_model(folder)
