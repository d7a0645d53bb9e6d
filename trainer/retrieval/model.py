"""The retrieval model: its loss, and the popularity prior in its logits."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.config.models import RetrievalConfig
from trainer.data.event_weights import WEIGHT
from trainer.data.popularity import SECONDS_PER_DAY, PopularitySnapshots
from trainer.retrieval.towers import CandidateTower, QueryTower
from trainer.training.distribution import concat_over_replicas, sum_over_replicas
from trainer.training.model import EpochMetricsModel

_NEVER = -1e9  # a logit whose exponential is 0, and whose loss times weight 0 is still 0


@dataclasses.dataclass(frozen=True)
class Positives:
    """`n` queries and the item that each query's user interacted with next."""

    queries: tf.Tensor
    """[n, dim]"""
    items: tf.Tensor
    """[n, dim]"""
    ids: tf.Tensor
    """[n]"""
    timestamps: tf.Tensor
    """[n] time of the interaction; seconds since epoch, UTC."""
    present: tf.Tensor
    """[n] 1, or 0 for a position that is not a positive and only keeps the shape static."""
    weight: tf.Tensor
    """[n] weight in the loss, 0 where not present; `present` itself if all events are alike."""


class RetrievalModel(EpochMetricsModel):
    """Sampled softmax over in-batch and uniform negatives with logQ correction.

    Yang et al., Mixed negative sampling for learning two-tower neural networks in recommendations,
    WWW 2020; Yi et al., Sampling-bias-corrected neural modeling, RecSys 2019. Accidental hits
    are removed. With several replicas the negatives are those of the global batch.

    The logits include the popularity at the event's time, so that the towers learn what popularity
    does not explain, and the model learns the weight of popularity. Uniform negatives are drawn
    from items with training interactions only: other items, new ones above all, would occur only as
    negatives and learn that no user wants them.
    """

    def __init__(
        self,
        query: QueryTower,
        candidate: CandidateTower,
        frequency: np.ndarray,
        refreshes: PopularitySnapshots | None,
        config: RetrievalConfig,
        static_shapes: bool = False,
    ):
        """Creates the loss and the popularity prior around the two towers.

        Args:
            query: the query tower.
            candidate: the candidate tower.
            frequency: [n + 1] share of each item among the training positives.
            refreshes: popularity at moments of the log; None for a model without popularity prior.
            config: hyper-parameters.
            static_shapes: whether every tensor's shape follows from the batch's shape, as XLA and
                the exchange between replicas require; costs a row per position without a positive.
        """
        super().__init__()
        self._temperature = config.temperature
        self._static_shapes = static_shapes
        self.query_tower = query
        self.candidate_tower = candidate
        self._frequency = tf.constant(frequency, tf.float32)
        self._rarest = float(frequency[frequency > 0].min(initial=1.0))
        self.catalogue_size = len(frequency) - 1
        self.trained_items = np.flatnonzero(frequency).astype(np.int32)
        self.popularity_prior = (
            None if refreshes is None else PopularityPrior(refreshes, config.refresh_days)
        )
        self.task = tfrs.tasks.Retrieval(
            temperature=config.temperature, remove_accidental_hits=True, name="retrieval"
        )
        # The task takes Python's `len` of a tensor, which only AutoGraph can translate. Translating
        # Keras's functions too would take longer than an epoch.
        self._call_task = tf.autograph.to_graph(tfrs.tasks.Retrieval.call, recursive=False)

    @property
    def tables(self) -> dict[str, tf.keras.layers.Embedding]:
        """Vocabulary -> embedding layer; row n belongs to the vocabulary's n-th value, from 1."""
        return self.candidate_tower.tables | self.query_tower.tables

    @property
    def popularity_weight(self) -> float:
        """Weight of an item's log popularity in its score; 0 without popularity prior."""
        return 0.0 if self.popularity_prior is None else float(self.popularity_prior.weight.numpy())

    def encode(
        self, batch: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Query vectors [b, t, dim], item vectors [b, t, dim] and vectors of the uniform negatives
        [m, dim].

        The candidate tower runs once per distinct item of the batch, unless shapes are static.
        """
        shape = tf.shape(batch["item_index"])
        indices = tf.concat([tf.reshape(batch["item_index"], [-1]), batch["negatives"]], axis=0)
        if self._static_shapes:
            vectors = self.candidate_tower(indices, training=training)
        else:
            distinct, row = tf.unique(indices)
            vectors = tf.gather(self.candidate_tower(distinct, training=training), row)
        vectors = tf.cast(vectors, tf.float32)
        positions = shape[0] * shape[1]
        items = tf.reshape(vectors[:positions], [shape[0], shape[1], vectors.shape[-1]])
        return self.query_tower(batch, items, training=training), items, vectors[positions:]

    def weighted_loss(
        self, inputs: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum of the weighted losses of this replica's positives, and of their weights."""
        queries, items, negatives = self.encode(inputs, training)
        positives = self._positives(tf.cast(queries, tf.float32), items, inputs)
        drawn = concat_over_replicas(inputs["negatives"])
        ids = tf.concat([concat_over_replicas(positives.ids), drawn], axis=0)
        count = tf.reduce_sum(positives.present)
        log_q = tf.math.log(self._probability(ids, sum_over_replicas(count), tf.size(drawn)))
        present = tf.concat(
            [concat_over_replicas(positives.present), tf.ones(tf.shape(drawn))], axis=0
        )
        vectors = tf.concat(
            [concat_over_replicas(positives.items), concat_over_replicas(negatives)], axis=0
        )
        loss = self._softmax(
            *self._add_popularity(positives, vectors, ids, training),
            tf.where(present > 0, -log_q, _NEVER),
            ids,
        )
        return loss, count if WEIGHT not in inputs else tf.reduce_sum(positives.weight)

    def _positives(
        self, queries: tf.Tensor, items: tf.Tensor, inputs: dict[str, tf.Tensor]
    ) -> Positives:
        target = inputs["target"]
        if self._static_shapes:
            present = tf.cast(tf.reshape(target, [-1]), tf.float32)
            weight = present * tf.reshape(inputs[WEIGHT], [-1]) if WEIGHT in inputs else present
            return Positives(
                tf.reshape(queries, [-1, queries.shape[-1]]),
                tf.reshape(items, [-1, items.shape[-1]]),
                tf.reshape(inputs["item_index"], [-1]),
                tf.reshape(inputs["timestamps"], [-1]),
                present,
                weight,
            )
        queries, items, ids, times = (
            tf.boolean_mask(values, target)
            for values in (queries, items, inputs["item_index"], inputs["timestamps"])
        )
        present = tf.ones(tf.shape(ids))
        weight = tf.boolean_mask(inputs[WEIGHT], target) if WEIGHT in inputs else present
        return Positives(queries, items, ids, times, present, weight)

    def _add_popularity(
        self, positives: Positives, vectors: tf.Tensor, ids: tf.Tensor, training: bool
    ) -> tuple[Positives, tf.Tensor]:
        """Queries and candidates [c, …] with columns that add popularity to their dot product."""
        if self.popularity_prior is None:
            return positives, vectors
        columns = self._temperature * self.popularity_prior.encode_queries(
            positives.timestamps, training
        )
        queries = tf.concat([positives.queries, columns], axis=1)
        return (
            dataclasses.replace(positives, queries=queries),
            tf.concat([vectors, self.popularity_prior.encode_items(ids)], axis=1),
        )

    def _softmax(
        self, positives: Positives, candidates: tf.Tensor, added: tf.Tensor, ids: tf.Tensor
    ) -> tf.Tensor:
        """Sum of the losses over candidates [c, dim]; `added` [c] is added to their logits.

        The addend is passed as an extra column of the vectors: the task's own parameter for
        sampling probabilities clips them at 1e-6, which would make all rare items equal.
        """
        ones = tf.ones_like(positives.queries[:, :1])
        column = self._temperature * tf.pad(added, [(0, 1)], constant_values=_NEVER)
        # The task requires at least one candidate: the last one never counts.
        return self._call_task(
            self.task,
            tf.concat([positives.queries, ones], axis=1),
            tf.concat([tf.pad(candidates, [(0, 1), (0, 0)]), column[:, tf.newaxis]], axis=1),
            sample_weight=positives.weight,
            candidate_ids=tf.pad(ids, [(0, 1)], constant_values=-1),
            compute_metrics=False,
        )

    def _probability(self, ids: tf.Tensor, in_batch: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """[c] probability that a random candidate of the batch, in-batch or uniform, is this item.

        An item without training interactions is treated as the rarest item that has one.
        """
        uniform = tf.cast(uniform, tf.float32)
        share = tf.maximum(tf.gather(self._frequency, ids), self._rarest)
        expected = share * tf.maximum(in_batch, 1.0) + uniform / max(len(self.trained_items), 1)
        return expected / tf.maximum(in_batch + uniform, 1.0)


class PopularityPrior(tf.keras.layers.Layer):
    """weight × log popularity of an item shortly before a query, as a dot product of vectors.

    Served popularity is as old as the last refresh. Training simulates this with an age drawn
    uniformly between 0 and `refresh_days`, so that the weight fits popularity of that age.

    The vectors have one column per refresh: the query's holds the weight at its refresh and 0
    elsewhere, the item's holds its popularity at each. The retrieval task accepts vectors only.
    """

    def __init__(self, refreshes: PopularitySnapshots, refresh_days: float):
        super().__init__(name="present")
        self._oldest = refresh_days * SECONDS_PER_DAY
        self._moments = tf.constant(refreshes.moments)
        self._of_items = tf.constant(refreshes.log_popularity.T)
        self.weight = self.add_weight(
            name="popularity_weight", shape=[], initializer="ones", dtype=tf.float32
        )

    def encode_queries(self, timestamps: tf.Tensor, training: bool) -> tf.Tensor:
        """[n] seconds since epoch, UTC -> [n, refreshes]; a time before the first refresh uses the
        first. Without `training` the latest refresh before the time is used.
        """
        times = tf.cast(timestamps, tf.int64)
        if training:
            age = tf.random.uniform(tf.shape(times), maxval=self._oldest)
            times -= tf.cast(age, tf.int64)
        latest = tf.searchsorted(self._moments, times, side="right") - 1
        return self.weight * tf.one_hot(tf.maximum(latest, 0), tf.size(self._moments))

    def encode_items(self, index: tf.Tensor) -> tf.Tensor:
        """[c] item indices -> [c, refreshes]."""
        return tf.gather(self._of_items, index)
