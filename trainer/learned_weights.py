"""What a retrieval model has learned, on disk, so that a later training can begin from it.

`<candidates artifact>/weights/` holds `vocabularies.parquet` (name, ids: the values of each
vocabulary in their order), and for each a `table.<name>.npy` [n + 1, width], whose row 0 belongs
to the unknown value and row i to the i-th; `other.<variable>.npy` of every other variable; and
`learned_until.npy`.
"""

import dataclasses
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tensorflow.io import gfile

from schema import refresh_inputs
from schema.candidates import to_text_array
from schema.errors import TandemError
from trainer.data.preprocessing import ITEM_VOCABULARY
from trainer.data.training_data import TrainingData
from trainer.retrieval.model import RetrievalModel
from trainer.training import checkpoints as training_state

_VOCABULARIES = "vocabularies.parquet"
_TABLE, _OTHER, _UNTIL, _ARRAY = "table.", "other.", "learned_until", ".npy"


@dataclasses.dataclass(frozen=True)
class Table:
    """The rows of an embedding and what each belongs to."""

    ids: pa.Array
    """[n] large_binary, each once."""
    rows: np.ndarray
    """[n + 1, width]; row 0 is that of the unknown value."""


@dataclasses.dataclass(frozen=True)
class LearnedWeights:
    """All variables of the two towers and the weight of popularity."""

    tables: dict[str, Table]
    """By vocabulary."""
    others: dict[str, np.ndarray]
    """By the variable's name."""
    learned_until: int
    """Latest event that the model learned from; seconds since epoch, UTC."""


def of(model: RetrievalModel, data: TrainingData, before: int = 0) -> LearnedWeights:
    """Those of a model that has learned the train split of `data`, and events until `before`."""
    tables = {
        name: Table(vocabulary(data, name), layer.embeddings.numpy())
        for name, layer in model.tables.items()
    }
    until = max(before, int(data.train.timestamps[data.train.own].max()))
    return LearnedWeights(tables, {n: v.numpy() for n, v in others(model).items()}, until)


def vocabulary(data: TrainingData, name: str) -> pa.Array:
    """[n] the values of a vocabulary in their order, large_binary."""
    if name == ITEM_VOCABULARY:
        return to_text_array(data.catalogue.item_ids[1:])
    graphs = (data.items_graph, data.timelines_graph)
    graph = next(graph for graph in graphs if graph.vocabulary_file_by_name(name))
    return to_text_array(pa.array(graph.vocabulary_by_name(name), pa.binary()))


def others(model: RetrievalModel) -> dict[str, Any]:
    """Variables of the model that are no tables, by names that are the same in each run."""
    tables = {id(layer.embeddings) for layer in model.tables.values()}
    rest = [weight for weight in training_state.weights_of(model) if id(weight) not in tables]
    named = {weight.name.partition(":")[0].replace("/", "."): weight for weight in rest}
    if len(named) < len(rest):
        raise TandemError(
            f"expected variables of different names, received {sorted(w.name for w in rest)}; "
            "give the layers names of their own"
        )
    return named


def save(weights: LearnedWeights, uri: str) -> None:
    """Writes them into the candidates artifact at `uri`."""
    folder = refresh_inputs.locate_weights(uri)
    gfile.makedirs(folder)
    arrays = {f"{_TABLE}{name}": table.rows for name, table in weights.tables.items()}
    arrays |= {f"{_OTHER}{name}": values for name, values in weights.others.items()}
    arrays[_UNTIL] = np.array(weights.learned_until)
    for name, values in arrays.items():
        with gfile.GFile(f"{folder}/{name}{_ARRAY}", "wb") as file:
            np.save(file, values)
    ids = [table.ids for table in weights.tables.values()]
    ends = np.cumsum([0, *map(len, ids)])
    lists = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.concat_arrays(ids))
    columns = {"name": pa.array(weights.tables), "ids": lists}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    with gfile.GFile(f"{folder}/{_VOCABULARIES}", "wb") as file:
        file.write(sink.getvalue())


def load(uri: str) -> LearnedWeights | None:
    """What `save` wrote; None where the artifact has no weights."""
    folder = refresh_inputs.locate_weights(uri)
    if not gfile.exists(f"{folder}/{_VOCABULARIES}"):
        return None
    with gfile.GFile(f"{folder}/{_VOCABULARIES}", "rb") as file:
        known = pq.read_table(io.BytesIO(file.read()))
    names, ids = known["name"].to_pylist(), known["ids"].combine_chunks()
    tables = {
        name: Table(ids[place].values, _array(f"{folder}/{_TABLE}{name}{_ARRAY}"))
        for place, name in enumerate(names)
    }
    files = [name.rstrip("/") for name in gfile.listdir(folder)]
    rest = [file for file in files if file.startswith(_OTHER)]
    return LearnedWeights(
        tables,
        {
            file.removeprefix(_OTHER).removesuffix(_ARRAY): _array(f"{folder}/{file}")
            for file in rest
        },
        int(_array(f"{folder}/{_UNTIL}{_ARRAY}")),
    )


def _array(path: str) -> np.ndarray:
    with gfile.GFile(path, "rb") as file:
        return np.load(io.BytesIO(file.read()))
