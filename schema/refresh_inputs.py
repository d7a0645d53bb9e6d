"""What a refresh takes of a candidates artifact, beside the candidates themselves.

`candidate_tower/` is a SavedModel whose `vectors` takes serialized tf.train.Examples of items, as
ingestion writes them [b], and answers their vectors [b, dim] without popularity. `dataset.json`
describes the tables that it was made for. `recent_events.parquet` (user_id, item_id, timestamp in
seconds since epoch, UTC) has what the popularity in the vectors was counted from: each positive
event of an item of the catalogue in the last `retrieval.popularity_days` before the end of the
log's bulk.
"""

import io

import pyarrow as pa
import pyarrow.parquet as pq
from tensorflow.io import gfile

from schema import timeline
from schema.dataset import Dataset
from schema.errors import UsageError

TIMESTAMP = "timestamp"
RECENT_EVENTS_SCHEMA = pa.schema(
    [
        (timeline.USER_ID, pa.large_string()),
        (timeline.ITEM_ID, pa.large_string()),
        (TIMESTAMP, pa.int64()),
    ]
)
_TOWER = "candidate_tower"
_WEIGHTS = "weights"
_DATASET = "dataset.json"
_RECENT = "recent_events.parquet"


def locate_tower(uri: str) -> str:
    """Where the tower lies in the artifact at `uri`."""
    return f"{uri}/{_TOWER}"


def locate_weights(uri: str) -> str:
    """Where the artifact at `uri` has what the next training may begin from, if it has it."""
    return f"{uri}/{_WEIGHTS}"


def save(dataset: Dataset, recent: pa.Table, uri: str) -> None:
    """Writes all but the tower; `recent` is of SCHEMA."""
    gfile.makedirs(uri)
    with gfile.GFile(f"{uri}/{_DATASET}", "w") as file:
        file.write(dataset.model_dump_json(indent=1))
    save_recent(recent, uri)


def save_recent(recent: pa.Table, uri: str) -> None:
    """Writes the events alone."""
    sink = io.BytesIO()
    pq.write_table(recent.cast(RECENT_EVENTS_SCHEMA), sink, compression="zstd")
    with gfile.GFile(f"{uri}/{_RECENT}", "wb") as file:
        file.write(sink.getvalue())


def load_recent(uri: str) -> pa.Table:
    """What `save` was given, of SCHEMA."""
    with gfile.GFile(f"{uri}/{_RECENT}", "rb") as file:
        return pq.read_table(io.BytesIO(file.read()), schema=RECENT_EVENTS_SCHEMA)


def load_dataset(uri: str) -> Dataset:
    """What `save` was given; UsageError where the artifact has nothing to refresh by."""
    path = f"{uri}/{_DATASET}"
    if not gfile.exists(path) or not gfile.exists(locate_tower(uri)):
        raise UsageError(
            f"expected the candidate tower of the pushed version in {uri}, received none: it was "
            "pushed by an older Tandem; train and push again with `tandem run`"
        )
    with gfile.GFile(path, "rb") as file:
        return Dataset.model_validate_json(file.read())
