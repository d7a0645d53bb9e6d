"""Builds the nearest-neighbour index and measures it."""

import json

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from schema import candidates as candidate_files
from serving import deny_list, index_export
from serving.config import IndexConfig
from serving.index import build, eligibility
from serving.index.eligibility import Eligibility


@component
@use_local_copies
def Indexer(
    candidates: InputArtifact[Candidates],
    index: OutputArtifact[standard_artifacts.Model],
    config: Parameter[str],
    denied: Parameter[str],
) -> None:
    """`config` is the JSON of IndexConfig, `denied` the text of its deny list. The measurements are
    the artifact's property `measured`.
    """
    stored = candidate_files.load(candidates.uri)
    settings = IndexConfig.model_validate_json(config)
    vectors, queries = stored.vectors, stored.sample_queries
    denied_ids = deny_list.ids(denied)
    eligible = Eligibility.of(stored, denied_ids)
    built = build.build(vectors, eligible, queries, settings)
    measured = build.measure(built, vectors, eligible, queries)
    measured |= eligibility.left_out(stored, denied_ids)
    build.require(measured, settings)
    index_export.save(built.index, vectors.shape[1], path_utils.serving_model_dir(index.uri))
    deny_list.save(denied, index.uri)
    index.set_string_custom_property("measured", json.dumps(measured))
