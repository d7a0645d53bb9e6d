"""Puts query model, index and ranking model together and writes the three servables."""

from typing import Any

import tensorflow as tf

from schema import signatures
from schema.candidates import Candidates
from serving.item_table import ItemTable
from serving.servable_modules import (
    RankingServable,
    RecommenderServable,
    RetrievalServable,
    query_inputs,
)

_K = tf.TensorSpec([], tf.int32, name=signatures.K)
_EXCLUDED = tf.TensorSpec([None, None], tf.string, name=signatures.EXCLUDED_ITEM_IDS)
_CANDIDATES = tf.TensorSpec([None, None], tf.string, name=signatures.CANDIDATE_ITEM_IDS)


def export(
    query: Any,
    index: Any,
    ranking: Any,
    candidates: Candidates,
    depth: int,
    rank_order: bool,
    uri: str,
) -> None:
    """Writes one SavedModel per name in `schema.signatures.SERVABLES` below `uri`.

    `query`, `index` and `ranking` are loaded SavedModels; `depth` and `rank_order` as in
    `RecommenderServable`.
    """
    items = ItemTable(candidates)
    listing = listing_inputs(query)
    scoring = query_inputs(query) | {signatures.CANDIDATE_ITEM_IDS: _CANDIDATES}
    recommender = RecommenderServable(query, items, index, ranking, depth, rank_order)
    _save(RetrievalServable(query, items, index), listing, f"{uri}/{signatures.RETRIEVAL}")
    _save(RankingServable(query, items, ranking), scoring, f"{uri}/{signatures.RANKING}")
    _save(recommender, listing, f"{uri}/{signatures.RECOMMENDER}")


def listing_inputs(query: Any) -> dict[str, tf.TensorSpec]:
    """Inputs of `retrieval` and `recommender` over a loaded query model, by name."""
    return query_inputs(query) | {signatures.EXCLUDED_ITEM_IDS: _EXCLUDED, signatures.K: _K}


def _save(
    module: RetrievalServable | RankingServable | RecommenderServable,
    specs: dict[str, tf.TensorSpec],
    path: str,
) -> None:
    serve = tf.function(module.serve, input_signature=[specs])
    tf.saved_model.save(
        module,
        path,
        signatures={signatures.SERVING_DEFAULT: serve.get_concrete_function()},
        options=tf.saved_model.SaveOptions(namespace_whitelist=["Scann"]),
    )
