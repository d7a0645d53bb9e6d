"""All timelines of one split as flat arrays: no object per user and no copy of a history.

`split_halves` divides a split by time: ranking trains on the earlier half, and the later half
selects the serving order.
"""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from trainer.data.preprocessing import ITEM_VOCABULARY
from trainer.data.shown_items import ShownItems
from trainer.data.transformed_examples import build_dense, read_batches


@dataclasses.dataclass(frozen=True)
class Timelines:
    """`u` timelines with `e` events in total; timeline i has the events
    row_splits[i]:row_splits[i + 1].
    """

    user_ids: np.ndarray
    """[u] bytes objects."""
    user_index: np.ndarray
    """[u] int32, 0 for a user that is not in the vocabulary."""
    row_splits: np.ndarray
    """[u + 1] int64."""
    target_from: np.ndarray
    """[u] int64: first position that belongs to the split."""
    item_index: np.ndarray
    """[e] int32, 0 for an item outside the catalogue."""
    timestamps: np.ndarray
    """[e] int64, seconds since epoch, UTC."""
    positive: np.ndarray
    """[e] bool."""
    labels: dict[str, np.ndarray]
    """By name: [e] float32, NaN where the log has no value."""
    context: dict[str, np.ndarray]
    """By name: [e]."""
    users: dict[str, np.ndarray]
    """By name: [u] or [u, width]."""
    weight: np.ndarray | None = None
    """[e] float32 weight of each event in the losses; None if all are alike."""
    shown: ShownItems | None = None
    """Of each event; None for a log without impressions."""

    def __len__(self) -> int:
        """Number of timelines."""
        return len(self.user_index)

    @property
    def rows(self) -> np.ndarray:
        """[e] index of each event's timeline."""
        return np.repeat(np.arange(len(self)), np.diff(self.row_splits))

    @property
    def own(self) -> np.ndarray:
        """[e] bool: the event belongs to the split itself, not to the history before it."""
        start = np.repeat(self.row_splits[:-1] + self.target_from, np.diff(self.row_splits))
        return np.arange(len(self.item_index)) >= start


def restrict_from(timelines: Timelines, moment: int) -> Timelines:
    """The same timelines with the split beginning at `moment`; earlier events become history."""
    rows, history = timelines.rows, timelines.timestamps < moment
    before = np.bincount(rows, weights=history, minlength=len(timelines)).astype(np.int64)
    return dataclasses.replace(timelines, target_from=np.maximum(timelines.target_from, before))


def concat_timelines(first: Timelines, second: Timelines) -> Timelines:
    """The timelines of both, without shown items; a user of both has two, each with its own events
    to learn from.
    """

    def both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.concatenate([one, other])

    def all_of(name: str) -> dict[str, np.ndarray]:
        one, other = getattr(first, name), getattr(second, name)
        return {key: both(values, other[key]) for key, values in one.items()}

    weight = None
    if first.weight is not None and second.weight is not None:
        weight = both(first.weight, second.weight)
    return Timelines(
        user_ids=both(first.user_ids, second.user_ids),
        user_index=both(first.user_index, second.user_index),
        row_splits=both(first.row_splits, first.row_splits[-1] + second.row_splits[1:]),
        target_from=both(first.target_from, second.target_from),
        item_index=both(first.item_index, second.item_index),
        timestamps=both(first.timestamps, second.timestamps),
        positive=both(first.positive, second.positive),
        labels=all_of("labels"),
        context=all_of("context"),
        users=all_of("users"),
        weight=weight,
    )


def build_item_table(graph: tft.TFTransformOutput) -> tf.lookup.StaticHashTable:
    """Item id -> index in the catalogue minus 1: -1 for an id outside the catalogue."""
    initializer = tf.lookup.TextFileInitializer(
        graph.vocabulary_file_by_name(ITEM_VOCABULARY),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticHashTable(initializer, default_value=-1)


def load_timelines(
    uri: str,
    split: str,
    graph: tft.TFTransformOutput,
    items: tf.lookup.StaticHashTable,
    dataset: Dataset,
) -> Timelines:
    """Reads one split of transformed timelines into memory.

    Args:
        uri: TransformedExamples artifact of the timelines.
        split: name of the split.
        graph: the timelines' Transform.
        items: `build_item_table` of the catalogue's Transform.
        dataset: declares labels and features.
    """
    columns: dict[str, list] = {}
    for batch in read_batches(uri, split, graph):
        batch["item_index"] = items.lookup(batch[timeline.ITEM_IDS].flat_values) + 1
        batch["lengths"] = batch[timeline.ITEM_IDS].row_lengths()
        if timeline.SHOWN in batch:
            batch[timeline.SHOWN] = items.lookup(batch[timeline.SHOWN].flat_values) + 1
        for key, values in batch.items():
            columns.setdefault(key, []).append(values)
    return Timelines(
        user_ids=_concat(columns[timeline.USER_ID]),
        user_index=_concat(columns["user_index"]).astype(np.int32),
        row_splits=np.concatenate([[0], np.cumsum(_concat(columns["lengths"]))]),
        target_from=_concat(columns[timeline.TARGET_FROM]),
        item_index=_concat(columns["item_index"]).astype(np.int32),
        timestamps=_concat_flat(columns[timeline.TIMESTAMPS]),
        positive=_concat_flat(columns[timeline.POSITIVE]).astype(bool),
        labels={n: _concat_flat(columns[timeline.name_label(n)]) for n in dataset.labels.ranking},
        context={
            n: _concat_flat(columns[timeline.name_context(n)]) for n in dataset.features.context
        },
        users={
            n: build_dense(columns[timeline.name_user_feature(n)]) for n in dataset.features.users
        },
        weight=_concat_flat(columns[timeline.WEIGHT]) if dataset.labels.has_weights else None,
        shown=_build_shown(columns) if dataset.data.has_impressions else None,
    )


def _build_shown(columns: dict[str, list]) -> ShownItems:
    counts = _concat_flat(columns[timeline.SHOWN_COUNTS])
    items = _concat(columns[timeline.SHOWN]).astype(np.int32)
    return ShownItems(items, np.concatenate([[0], np.cumsum(counts)]))


def _concat(batches: list[tf.Tensor]) -> np.ndarray:
    return np.concatenate([batch.numpy() for batch in batches])


def _concat_flat(batches: list[tf.RaggedTensor]) -> np.ndarray:
    values = np.concatenate([batch.flat_values.numpy() for batch in batches])
    return values


def split_halves(split: Timelines, has_clock: bool = True) -> tuple[Timelines, Timelines]:
    """Splits own events at their median time; the earlier half is history in the later half.

    Where no event is before the median, and in a split without a clock (the number of an event in
    its sequence is not a time), the halves are alternate timelines instead. In each half the
    events of the other one are not positive and have no labels.
    """
    middle = int(np.median(split.timestamps[split.own]))
    before = split.timestamps < middle
    if not has_clock or not (split.own & before).any():
        even = split.rows % 2 == 0
        return _mask_events(split, even), _mask_events(split, ~even)
    return _mask_events(split, before), restrict_from(split, middle)


def _mask_events(split: Timelines, chosen: np.ndarray) -> Timelines:
    labels = {name: np.where(chosen, v, np.float32(np.nan)) for name, v in split.labels.items()}
    return dataclasses.replace(split, positive=split.positive & chosen, labels=labels)
