"""TFX component: builds the nearest-neighbour index and measures it."""

import json

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from schema import candidates as candidate_files
from serving.config import IndexConfig
from serving.index.build import build_index, measure_index, require_recall, save_index
from serving.index.eligibility import Eligibility, count_ineligible, parse_deny_list, save_deny_list


@component
@use_local_copies
def Indexer(
    candidates: InputArtifact[Candidates],
    index: OutputArtifact[standard_artifacts.Model],
    config: Parameter[str],
    denied: Parameter[str],
) -> None:
    """Writes the index; its measurements are the artifact's property `measured`.

    Args:
        candidates: Item vectors and sample queries.
        index: Receives the index and the deny list.
        config: JSON of IndexConfig.
        denied: Content of the deny list, one item id per line.
    """
    stored = candidate_files.load(candidates.uri)
    settings = IndexConfig.model_validate_json(config)
    vectors, queries = stored.vectors, stored.sample_queries
    denied_ids = parse_deny_list(denied)
    eligible = Eligibility.of(stored, denied_ids)
    built = build_index(vectors, eligible, queries, settings)
    measured = measure_index(built, vectors, eligible, queries)
    measured |= count_ineligible(stored, denied_ids)
    require_recall(measured, settings)
    save_index(built.index, vectors.shape[1], path_utils.serving_model_dir(index.uri))
    save_deny_list(denied, index.uri)
    index.set_string_custom_property("measured", json.dumps(measured))
