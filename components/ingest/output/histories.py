"""All accepted events of each user, and the items from before the log, as Parquet files sharded by
user id. They are in time order; with the splits `random` and `files` those of train come first,
then those of valid and of test, and each split is in time order.

Columns: `user_id`, then lists of equal length `item_ids`, `timestamps` (seconds since epoch, UTC)
and `context_<name>`, and `user_<name>` as in the user table.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from components.ingest.output import shards
from schema import timeline
from schema.storage import plain_path

_USERS_PER_ROW_GROUP = 1024
_CONTEXT = timeline.name_context("")
_USER = timeline.name_user_feature("")


@dataclasses.dataclass(frozen=True)
class History:
    """The history of one user; the lists have the order of this module."""

    user_id: str
    item_ids: list[str]
    timestamps: list[int]
    """Seconds since epoch, UTC."""
    context: dict[str, list]
    """By feature, one value per event; a missing one is "", NaN (number) or 0 (timestamp)."""
    user: dict[str, Any]
    """By feature: a value, a list (set, vector), or None."""


def locate_shard(uri: str, shard: int, count: int) -> str:
    """Returns the path of the file of one shard."""
    return FileSystems.join(uri, f"histories-{shard:05d}-of-{count:05d}.parquet")


def write(uri: str, shard: int, count: int, batches: Iterator[pa.Table]) -> None:
    """Writes the file of one shard, sorted by user id; there is no file without users.

    Args:
        uri: URI of the histories.
        shard: Number of the shard, from 0.
        count: Number of shards.
        batches: Users with the columns of this module, sorted by user id.
    """
    first = next(batches, None)
    if first is None:
        return
    with (
        FileSystems.create(locate_shard(uri, shard, count)) as handle,
        pq.ParquetWriter(handle, first.schema) as writer,
    ):
        for batch in itertools.chain([first], batches):
            writer.write_table(batch, row_group_size=_USERS_PER_ROW_GROUP)


def look_up(uri: str, user_id: str) -> History | None:
    """Returns the history of one user, or None for a user without events. It reads only a part of
    one file.

    Raises FileNotFoundError if there are no histories at `uri`.
    """
    count = int(_list_paths(uri)[0].rsplit("-of-", 1)[1].removesuffix(".parquet"))
    file = locate_shard(uri, shards.assign(user_id, count), count)
    if not FileSystems.exists(file):
        return None
    with FileSystems.open(file) as handle:
        parquet = pq.ParquetFile(handle)
        for group in range(parquet.num_row_groups):
            if _may_hold(parquet, group, user_id):
                table = parquet.read_row_group(group)
                rows = table.filter(pc.equal(table[timeline.USER_ID], user_id))
                if rows.num_rows:
                    return _build_histories(rows)[0]
    return None


def load(uri: str, user_ids: pa.Array) -> pa.Table:
    """Returns one row for each of `user_ids` (large_string, distinct), in order, with the columns
    of `read_tables`; for a user without events, all other columns are null. It reads every shard;
    use `look_up` for one user.
    """
    rows = pa.concat_tables(
        part.filter(pc.is_in(part[timeline.USER_ID], value_set=user_ids))
        for part in read_tables(uri, _USERS_PER_ROW_GROUP)
    )
    present = rows[timeline.USER_ID].combine_chunks()
    rows = rows.take(pc.index_in(user_ids, value_set=present))
    return rows.set_column(rows.column_names.index(timeline.USER_ID), timeline.USER_ID, user_ids)


def read_tables(uri: str, batch: int) -> Iterator[pa.Table]:
    """Yields all histories as tables of at most `batch` users; by shard, and by user id within a
    shard.
    """
    for file in _list_paths(uri):
        with FileSystems.open(file) as handle:
            for rows in pq.ParquetFile(handle).iter_batches(batch_size=batch):
                yield pa.Table.from_batches([rows])


def iterate(uri: str, batch: int) -> Iterator[list[History]]:
    """Like `read_tables`, with one object per user."""
    for rows in read_tables(uri, batch):
        yield _build_histories(rows)


def _list_paths(uri: str) -> list[str]:
    [match] = FileSystems.match(
        [FileSystems.join(plain_path.link(uri), "histories-*-of-*.parquet")]
    )
    if not match.metadata_list:
        raise FileNotFoundError(f"expected histories-*.parquet in {uri}, found none")
    return sorted(file.path for file in match.metadata_list)


def _may_hold(parquet: pq.ParquetFile, group: int, user_id: str) -> bool:
    """False if the user id is outside the range of ids in the row group."""
    statistics = parquet.metadata.row_group(group).column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return statistics.min <= user_id <= statistics.max


def _build_histories(table: pa.Table) -> list[History]:
    return [
        History(
            user_id=row[timeline.USER_ID],
            item_ids=row[timeline.ITEM_IDS],
            timestamps=row[timeline.TIMESTAMPS],
            context=_select_prefix(row, _CONTEXT),
            user={k: v for k, v in _select_prefix(row, _USER).items() if k != "id"},
        )
        for row in table.to_pylist()
    ]


def _select_prefix(row: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): row[name] for name in row if name.startswith(prefix)}
