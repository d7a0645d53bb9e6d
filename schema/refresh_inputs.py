"""Files of a candidates artifact that a refresh needs in addition to the candidates.

`candidate_tower/` is a SavedModel whose function `vectors` maps serialized tf.train.Examples of
items [b], as ingestion writes them, to their vectors [b, dim] without popularity. `dataset.json`
describes the tables that the tower was trained on. `recent_events.parquet` (user_id, item_id,
timestamp in seconds since epoch, UTC) holds the events from which the popularity in the vectors was
computed: each positive event of a catalogue item in the last `retrieval.popularity_days` before the
end of the log's bulk (see `schema.bulk`). The forecast that turns them into popularity is
`popularity_forecast.json` (see `trainer.data.popularity_forecast`).
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
    """Returns the URI of the candidate tower in the artifact at `uri`."""
    return f"{uri}/{_TOWER}"


def locate_weights(uri: str) -> str:
    """Returns the URI of the weights for the next warm start; the artifact may not have any."""
    return f"{uri}/{_WEIGHTS}"


def save(dataset: Dataset, recent: pa.Table, uri: str) -> None:
    """Writes the files except the tower; `recent` has RECENT_EVENTS_SCHEMA."""
    gfile.makedirs(uri)
    with gfile.GFile(f"{uri}/{_DATASET}", "w") as file:
        file.write(dataset.model_dump_json(indent=1))
    save_recent(recent, uri)


def save_recent(recent: pa.Table, uri: str) -> None:
    """Writes the recent events only."""
    sink = io.BytesIO()
    pq.write_table(recent.cast(RECENT_EVENTS_SCHEMA), sink, compression="zstd")
    with gfile.GFile(f"{uri}/{_RECENT}", "wb") as file:
        file.write(sink.getvalue())


def load_recent(uri: str) -> pa.Table:
    """Reads the recent events, with RECENT_EVENTS_SCHEMA."""
    with gfile.GFile(f"{uri}/{_RECENT}", "rb") as file:
        return pq.read_table(io.BytesIO(file.read()), schema=RECENT_EVENTS_SCHEMA)


def load_dataset(uri: str) -> Dataset:
    """Reads the dataset description; raises UsageError if the artifact does not support a
    refresh.
    """
    path = f"{uri}/{_DATASET}"
    if not gfile.exists(path) or not gfile.exists(locate_tower(uri)):
        raise UsageError(
            f"expected the candidate tower of the pushed version in {uri}, received none: it was "
            "pushed by an older Tandem; train and push again with `tandem run`"
        )
    with gfile.GFile(path, "rb") as file:
        return Dataset.model_validate_json(file.read())
