"""Warm start: training from the weights of an earlier model with different vocabularies.

`<candidates artifact>/weights/` contains `vocabularies.parquet` (name, ids: the values of each
vocabulary in order); for each vocabulary a `table.<name>.npy` [n + 1, width], whose row 0 belongs
to the unknown value and row i to the i-th value; `other.<variable>.npy` for every other variable;
and `learned_until.npy`.
"""

import dataclasses
import io
import logging
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tensorflow.io import gfile

from schema import refresh_inputs
from schema.candidates import to_text_array
from schema.errors import TandemError
from trainer.data.preprocessing import ITEM_VOCABULARY
from trainer.data.training_data import TrainingData
from trainer.retrieval.model import RetrievalModel
from trainer.training.checkpoints import list_weights

_log = logging.getLogger(__name__)
_VOCABULARIES = "vocabularies.parquet"
_TABLE, _OTHER, _UNTIL, _ARRAY = "table.", "other.", "learned_until", ".npy"


@dataclasses.dataclass
class CarryOver:
    """Which weights of an earlier model could be reused."""

    rows: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    """Vocabulary -> number of values `carried` over, and number of `new` values."""
    random: list[str] = dataclasses.field(default_factory=list)
    """Tables and variables without earlier weights of the same shape: they start at random."""


@dataclasses.dataclass(frozen=True)
class EmbeddingTable:
    """The rows of an embedding and the value that each belongs to."""

    ids: pa.Array
    """[n] large_binary, distinct."""
    rows: np.ndarray
    """[n + 1, width]; row 0 belongs to the unknown value."""


@dataclasses.dataclass(frozen=True)
class LearnedWeights:
    """All variables of the two towers and the weight of popularity."""

    tables: dict[str, EmbeddingTable]
    """By vocabulary."""
    others: dict[str, np.ndarray]
    """By the variable's name."""
    learned_until: int
    """Latest event that the model learned from; seconds since epoch, UTC."""


class WarmStart:
    """The weights of an earlier model, for a model of these `data`."""

    def __init__(self, weights: LearnedWeights, data: TrainingData):
        self._weights = weights
        self._data = data
        self.carried = CarryOver()
        """Which weights were reused, after `assign_to`."""

    @property
    def learned_until(self) -> int:
        """Latest event that the earlier model learned from; seconds since epoch, UTC."""
        return self._weights.learned_until

    def assign_to(self, model: RetrievalModel) -> None:
        """Replaces the model's weights; its variables must exist."""
        self.carried = CarryOver()
        for name, layer in model.tables.items():
            self._assign_rows(name, layer)
        for name, variable in list_other_variables(model).items():
            learned = self._weights.others.get(name)
            if learned is None or learned.shape != tuple(variable.shape):
                self.carried.random.append(name)
            else:
                variable.assign(learned)
        rows = " ".join(
            f"{name}={counts['carried']}+{counts['new']}"
            for name, counts in self.carried.rows.items()
        )
        _log.info("retrieval warm start carried+new %s random=%s", rows, self.carried.random)

    def _assign_rows(self, name: str, layer: Any) -> None:
        learned = self._weights.tables.get(name)
        own = layer.embeddings.numpy()
        if learned is None or learned.rows.shape[1] != own.shape[1]:
            self.carried.random.append(name)
            return
        ids = read_vocabulary(self._data, name)
        rows, count = carry_over_rows(own, ids, learned)
        layer.embeddings.assign(rows)
        self.carried.rows[name] = {"carried": count, "new": len(ids) - count}


def carry_over_rows(
    own: np.ndarray, ids: pa.Array, learned: EmbeddingTable
) -> tuple[np.ndarray, int]:
    """`own` [n + 1, width] with the learned rows for the `ids` [n] that the earlier model knew, and
    the number of these ids. The unknown value's row is always carried over; new ids keep their rows
    of `own`.
    """
    index = pc.index_in(ids, value_set=learned.ids)
    known = pc.is_valid(index).to_numpy(zero_copy_only=False)
    rows = own.copy()
    rows[0] = learned.rows[0]
    rows[1 + np.flatnonzero(known)] = learned.rows[1 + index.drop_null().to_numpy()]
    return rows, int(known.sum())


def collect_weights(model: RetrievalModel, data: TrainingData, before: int = 0) -> LearnedWeights:
    """The weights of a model trained on the train split of `data`, and before on events until
    `before` (seconds since epoch, UTC).
    """
    tables = {
        name: EmbeddingTable(read_vocabulary(data, name), layer.embeddings.numpy())
        for name, layer in model.tables.items()
    }
    until = max(before, int(data.train.timestamps[data.train.own].max()))
    return LearnedWeights(
        tables, {n: v.numpy() for n, v in list_other_variables(model).items()}, until
    )


def read_vocabulary(data: TrainingData, name: str) -> pa.Array:
    """[n] the values of a vocabulary in order, large_binary."""
    if name == ITEM_VOCABULARY:
        return to_text_array(data.catalogue.item_ids[1:])
    graphs = (data.items_graph, data.timelines_graph)
    graph = next(graph for graph in graphs if graph.vocabulary_file_by_name(name))
    return to_text_array(pa.array(graph.vocabulary_by_name(name), pa.binary()))


def list_other_variables(model: RetrievalModel) -> dict[str, Any]:
    """Variables of the model other than tables, by names that are the same in every run."""
    tables = {id(layer.embeddings) for layer in model.tables.values()}
    rest = [weight for weight in list_weights(model) if id(weight) not in tables]
    named = {weight.name.partition(":")[0].replace("/", "."): weight for weight in rest}
    if len(named) < len(rest):
        raise TandemError(
            f"expected variables with distinct names, received {sorted(w.name for w in rest)}; "
            "give each layer a distinct name"
        )
    return named


def save_weights(weights: LearnedWeights, uri: str) -> None:
    """Writes the weights into the candidates artifact at `uri`."""
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


def load_weights(uri: str) -> LearnedWeights | None:
    """The weights in the candidates artifact at `uri`; None if it has none."""
    folder = refresh_inputs.locate_weights(uri)
    if not gfile.exists(f"{folder}/{_VOCABULARIES}"):
        return None
    with gfile.GFile(f"{folder}/{_VOCABULARIES}", "rb") as file:
        vocabularies = pq.read_table(io.BytesIO(file.read()))
    names, ids = vocabularies["name"].to_pylist(), vocabularies["ids"].combine_chunks()
    tables = {
        name: EmbeddingTable(ids[index].values, _read_array(f"{folder}/{_TABLE}{name}{_ARRAY}"))
        for index, name in enumerate(names)
    }
    files = [name.rstrip("/") for name in gfile.listdir(folder)]
    rest = [file for file in files if file.startswith(_OTHER)]
    return LearnedWeights(
        tables,
        {
            file.removeprefix(_OTHER).removesuffix(_ARRAY): _read_array(f"{folder}/{file}")
            for file in rest
        },
        int(_read_array(f"{folder}/{_UNTIL}{_ARRAY}")),
    )


def _read_array(path: str) -> np.ndarray:
    with gfile.GFile(path, "rb") as file:
        return np.load(io.BytesIO(file.read()))
