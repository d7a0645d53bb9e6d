"""Combines query model, index and ranking model, and writes the three servables."""

import pathlib
import time
from typing import Any

import tensorflow as tf

from schema import signatures
from schema.candidates import Candidates
from serving.graph.item_table import ItemTable
from serving.graph.list_order import ListOrder
from serving.graph.modules import (
    RankingServable,
    RecommenderModels,
    RecommenderServable,
    RetrievalServable,
    get_query_inputs,
)
from serving.graph.warmup_requests import build_warmup_requests, write_warmup_requests
from serving.index.eligibility import CategoryTable
from serving.protocol import signature_defaults

_K = tf.TensorSpec([None], tf.int32, name=signatures.K)
_EXCLUDED = tf.TensorSpec([None, None], tf.string, name=signatures.EXCLUDED_ITEM_IDS)
_ALLOWED = tf.TensorSpec([None, None], tf.string, name=signatures.ALLOWED_CATEGORIES)
DIVERSITY_INPUT = {
    signatures.DIVERSITY: tf.TensorSpec([None], tf.float32, name=signatures.DIVERSITY)
}
"""What `recommender` has in addition to the inputs of `retrieval`."""
_CANDIDATES = tf.TensorSpec([None, None], tf.string, name=signatures.CANDIDATE_ITEM_IDS)


def export_servables(models: RecommenderModels, candidates: Candidates, uri: str) -> None:
    """Writes one SavedModel per name in `schema.signatures.SERVABLES` below `uri`, each with its
    warmup requests.

    If the candidates have `filters`, requests may restrict lists to categories.
    """
    query = models.query
    items = ItemTable(candidates)
    categories = None if candidates.filters is None else CategoryTable(candidates.filters)
    listing = get_listing_inputs(query, categories is not None)
    scoring = get_query_inputs(query) | {signatures.CANDIDATE_ITEM_IDS: _CANDIDATES}
    order = ListOrder(models.ranking.item_vectors, candidates, models.calibration)
    recommender = RecommenderServable(models, items, order, categories)
    retrieval = RetrievalServable(models, items, categories)
    modules = {
        signatures.RETRIEVAL: (retrieval, listing),
        signatures.RANKING: (RankingServable(query, items, models.ranking), scoring),
        signatures.RECOMMENDER: (recommender, listing | DIVERSITY_INPUT),
    }
    for name, (module, specs) in modules.items():
        folder = pathlib.Path(uri, name)
        _save(module, specs, str(folder))
        signature_defaults.write(folder, signature_defaults.build_defaults(specs, models.diversity))
        requests = build_warmup_requests(name, specs, candidates.item_ids, int(time.time()))
        write_warmup_requests(folder, requests)


def get_listing_inputs(query: Any, filtered: bool = False) -> dict[str, tf.TensorSpec]:
    """Inputs of `retrieval` over a loaded query model, by name; includes `allowed_categories` if
    `filtered`.
    """
    specs = get_query_inputs(query) | {signatures.EXCLUDED_ITEM_IDS: _EXCLUDED, signatures.K: _K}
    return specs | {signatures.ALLOWED_CATEGORIES: _ALLOWED} if filtered else specs


def _save(
    module: RetrievalServable | RankingServable | RecommenderServable,
    specs: dict[str, tf.TensorSpec],
    path: str,
) -> None:
    serve = tf.function(module.serve, input_signature=[specs], autograph=False)
    tf.saved_model.save(
        module,
        path,
        signatures={signatures.SERVING_DEFAULT: serve.get_concrete_function()},
        options=tf.saved_model.SaveOptions(namespace_whitelist=["Scann"]),
    )
