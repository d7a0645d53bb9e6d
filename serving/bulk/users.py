"""Batches of users with their events and features as columns, for which lists are computed."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from schema import signatures, timeline
from schema.recommend import Repeats

_MISSING: dict[tf.DType, Any] = {tf.string: b"", tf.float32: np.nan, tf.int64: 0}


@dataclasses.dataclass(frozen=True)
class UserBatch:
    """`u` users with `e` events in total. The events of a user are sorted from oldest to latest;
    those from `stop` on are in the future and not used.
    """

    user_ids: np.ndarray
    """[u] bytes objects, as stored by the run."""
    item_ids: np.ndarray
    """[e + 1] bytes objects; the last is "", for positions without an event."""
    timestamps: np.ndarray
    """[e] int64, seconds since epoch, UTC."""
    row_splits: np.ndarray
    """[u + 1] int64: events of user i begin at row_splits[i]."""
    stop: np.ndarray
    """[u] int64: one past the last known event of each user."""
    features: dict[str, pa.Array]
    """Columns `user_<name>` [u], null for unknown values; other features are missing."""

    def __len__(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def lengths(self) -> np.ndarray:
        """[u] number of known events of each user."""
        return self.stop - self.row_splits[:-1]

    def requests(
        self,
        rows: np.ndarray,
        length: int,
        now: int,
        declared: dict[str, tf.TensorSpec],
        repeats: Repeats = "exclude",
    ) -> dict[str, np.ndarray]:
        """Builds the inputs of one call for users with at least `length` known events each.

        The latest `length` events are what the query model reads, and no row of them is padded.
        Earlier events are sent only where lists depend on them: their items are excluded, or, where
        lists hold `only` items of the history, precede it.

        Args:
            rows: Positions of the users in the batch [r].
            length: Number of events that the query model reads.
            now: Time of the request, seconds since epoch, UTC.
            declared: Inputs of the model by name; the features among them are added.
            repeats: Whether lists hold items of the history.
        """
        sent = int(self.lengths[rows].max(initial=0)) if repeats == "only" else length
        later = self._latest(rows, sent)
        earlier = self._earlier(rows, length) if repeats == "exclude" else later[:, :0]
        common = {
            signatures.USER_ID: self.user_ids[rows],
            signatures.HISTORY_ITEM_IDS: self.item_ids[later],
            signatures.HISTORY_TIMESTAMPS: np.append(self.timestamps, 0)[later],
            signatures.NOW: np.full(len(rows), now, np.int64),
            signatures.EXCLUDED_ITEM_IDS: self.item_ids[earlier],
        }
        wanted = {name: spec for name, spec in declared.items() if name not in common}
        return common | {
            name: get_feature_values(self.features.get(name), spec, rows)
            for name, spec in wanted.items()
        }

    def _latest(self, rows: np.ndarray, width: int) -> np.ndarray:
        """[r, width] positions of the latest known events, padded in front with e."""
        at = self.stop[rows, np.newaxis] - width + np.arange(width)
        return np.where(at < self.row_splits[rows, np.newaxis], len(self.timestamps), at)

    def _earlier(self, rows: np.ndarray, length: int) -> np.ndarray:
        """[r, width] positions of the events before the latest `length`, padded with e."""
        begin, end = self.row_splits[rows], self.stop[rows] - length
        return _build_positions(begin, end, int((end - begin).max(initial=0)), len(self.timestamps))


def build_user_batch(table: pa.Table, as_of_test: bool = False) -> UserBatch:
    """Builds a batch from the columns `user_id`, `item_ids`, `timestamps` and `user_<name>`.

    All events are known, or those before the test split, whose number is in the column `test_from`.
    A null list means a user without events.
    """
    items, times = (
        table[name].combine_chunks() for name in (timeline.ITEM_IDS, timeline.TIMESTAMPS)
    )
    offsets = items.offsets.to_numpy().astype(np.int64)
    begin, end = offsets[0], offsets[-1]
    stop = offsets[1:] - begin
    if as_of_test:
        before = pc.fill_null(table[timeline.TEST_FROM].combine_chunks(), 0)
        stop = offsets[:-1] - begin + before.to_numpy()
    prefix = timeline.name_user_feature("")
    return UserBatch(
        user_ids=to_bytes_array(table[timeline.USER_ID].combine_chunks()),
        item_ids=np.append(to_bytes_array(items.values[begin:end]), b""),
        timestamps=times.values[begin:end].to_numpy(),
        row_splits=offsets - begin,
        stop=stop,
        features={
            name: table[name].combine_chunks()
            for name in table.column_names
            if name.startswith(prefix) and name != timeline.USER_ID
        },
    )


def to_bytes_array(texts: pa.Array) -> np.ndarray:
    """[n] bytes objects, b"" for null."""
    filled = pc.fill_null(texts, "").cast(pa.large_binary())
    return filled.to_numpy(zero_copy_only=False)


def get_feature_values(
    column: pa.Array | None, spec: tf.TensorSpec, rows: np.ndarray
) -> np.ndarray:
    """[r] or [r, width] values of one feature; "", NaN or 0 for unknown values."""
    missing = _MISSING[spec.dtype]
    kind = object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
    width = spec.shape[1] if spec.shape.rank == 2 else None
    if column is None:
        return np.full([len(rows), *([width or 0] if spec.shape.rank == 2 else [])], missing, kind)
    chosen = column.take(pa.array(rows))
    if spec.shape.rank == 1:
        return _to_flat_array(chosen, missing).astype(kind)
    offsets = chosen.offsets.to_numpy()
    values = np.append(_to_flat_array(chosen.values, missing), missing)
    most = width or int(np.diff(offsets).max(initial=0))
    return values[_build_positions(offsets[:-1], offsets[1:], most, len(values) - 1)].astype(kind)


def _to_flat_array(values: pa.Array, missing: Any) -> np.ndarray:
    if pa.types.is_large_string(values.type) or pa.types.is_string(values.type):
        return to_bytes_array(values)
    return pc.fill_null(values, missing).to_numpy(zero_copy_only=False)


def _build_positions(begin: np.ndarray, end: np.ndarray, width: int, padding: int) -> np.ndarray:
    """[r, width] positions from `begin` to `end` of each row, followed by `padding`."""
    at = begin[:, np.newaxis] + np.arange(width)
    return np.where(at < end[:, np.newaxis], at, padding)
