"""One variant of retrieval, trained and measured in this process; prints its metrics as JSON."""

import json
import logging
import pathlib
import shutil
import sys
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from benchmarks.quality.ablation import Variant, find_variant
from pipeline.config.config import Config
from pipeline.metadata import RunMetadata
from pipeline.run_root import RunRoot
from schema import candidates
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData, TransformLocations, load_training_data
from trainer.metrics.ranking import find_hits, summarise_lists
from trainer.metrics.top_k import rank_nearest
from trainer.retrieval import build as retrieval_fitting
from trainer.retrieval.artifacts import RetrievalOutputs
from trainer.retrieval.export import encode_queries
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.stage import train_retrieval
from trainer.training.context import TrainingContext
from trainer.training.distribution import create_hardware

_DEPTH = 100
_ON_VALID = ("valid_recall@10", "valid_ndcg@10", "valid_recall@100")


class Uncorrected(RetrievalModel):
    """Assumes that every candidate is equally likely to be in a batch."""

    def _probability(self, ids: tf.Tensor, in_batch: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(ids))


class WithAccidentalHits(RetrievalModel):
    """Uses a positive as its own negative if it is also another query's positive in the batch."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.task = tfrs.tasks.Retrieval(temperature=self._temperature, name="retrieval")


class Plain(Uncorrected, WithAccidentalHits):
    """Without logQ correction, and with accidental hits."""


def model_class(variant: Variant) -> type[RetrievalModel]:
    """The product's model without the parts of the loss that the variant leaves out."""
    if variant.log_q:
        return RetrievalModel if variant.without_accidental_hits else WithAccidentalHits
    return Uncorrected if variant.without_accidental_hits else Plain


def load_data(root: pathlib.Path, config: Config, variant: Variant) -> TrainingData:
    """The training data of the run at `root`, with only the variant's item features."""
    metadata = RunMetadata(RunRoot(root).metadata, config.name)
    runs = [metadata.find_latest_run(f"Transform.{table}") for table in ("interactions", "items")]
    if None in runs:
        sys.exit(f"expected the data stages of a run at {root}, found none; run it first")
    keys = ("transformed_examples", "transform_graph")
    uris = [run.outputs[key].uri for run in runs if run is not None for key in keys]
    dataset = config.dataset
    retained = variant.features(dataset.features.items)
    features = dataset.features.model_copy(update={"items": retained})
    return load_training_data(
        TransformLocations(*uris), dataset.model_copy(update={"features": features})
    )


def train_variant(
    data: TrainingData, config: Config, variant: Variant, folder: pathlib.Path
) -> dict[str, float]:
    """Trains in `folder`, or resumes there after an interruption; returns metrics on valid and
    test.
    """
    held_out, final = (
        RetrievalOutputs(str(folder / name / "model"), str(folder / name / "candidates"))
        for name in ("held-out", "final")
    )
    context = TrainingContext(
        data,
        config.retrieval,
        config.seed,
        str(folder / "log"),
        f"{held_out.model_uri}.checkpoints",
        create_hardware(config.trainer),
    )
    # The product has no switch for parts of its loss: one that nobody should use would be a trap.
    with mock.patch.object(retrieval_fitting, "RetrievalModel", model_class(variant)):
        fitted = train_retrieval(context, held_out, final)
    query, items = tf.saved_model.load(final.model_uri), candidates.load(final.candidates_uri)
    on_valid = {name: fitted[name] for name in _ON_VALID}
    length = config.retrieval.history_length
    return on_valid | measure_on_test(data, query, items.vectors_at_test(), length)


def measure_on_test(
    data: TrainingData, query: Any, vectors: np.ndarray, history_length: int
) -> dict[str, float]:
    """Metrics on the test queries, built as in the pipeline's evaluator. `vectors` [n, dim + 1] are
    those at the test cut.
    """
    queries = build_queries(data.test, data.moment(data.test), data.repeats)
    query_vectors = encode_queries(query.positions, queries, history_length)
    at_test = np.pad(vectors, [(1, 0), (0, 0)])
    lists = rank_nearest(query_vectors, at_test, queries.interacted, _DEPTH, queries.repeats)
    counts = data.clock(data.train, data.valid).counts(queries.now)
    result = summarise_lists(lists, queries.relevant, data.catalogue.size)
    return result | new_items_recall(lists, queries.relevant, counts)


def new_items_recall(
    lists: np.ndarray, relevant: list[np.ndarray], counts: np.ndarray
) -> dict[str, float]:
    """`new_items_recall@100`: over all users, the share of relevant items without an event before
    the cut that are in the user's list; empty if no relevant item is new. `counts` [n + 1] are
    events before the cut.
    """
    new = [items[counts[items] == 0] for items in relevant]
    total = sum(map(len, new))
    if not total:
        return {}
    hits = find_hits(lists[:, :_DEPTH], new)
    return {"new_items_recall@100": float(hits.sum() / total)}


def main(name: str, config: str, root: str, folder: str) -> None:
    """`config` is JSON, `root` is the run whose data stages are used, `folder` is temporary."""
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="%(message)s")
    logging.getLogger("trainer").setLevel(logging.INFO)
    settings, variant = Config.model_validate_json(config), find_variant(name)
    data = load_data(pathlib.Path(root), settings, variant)
    result = train_variant(data, settings, variant, pathlib.Path(folder))
    shutil.rmtree(folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
