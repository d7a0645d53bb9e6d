"""Models with an exact or an inverted index, in a process that has only TensorFlow: they load,
return the results computed by hand, and contain only TensorFlow's own ops.

    item        15 others  a  b  c  d  e
    first               0  5  4  3  0  0    preferences of `ann`
    second              0  0  0  0  1  2    preferences of all others
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pipeline.cli import main
from schema.candidates import Candidates, to_text_array
from serving.graph.export import export_servables
from serving.graph.modules import RecommenderModels
from serving.index.build import save_index
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.scann import ScannIndex
from serving.versions.local import LocalVersionStore

OTHERS = [f"other {number}" for number in range(15)]  # ScaNN needs 16 items
TASTES = [[5, 0], [4, 0], [3, 0], [0, 1], [0, 2]]
VECTORS = np.array([[0, 0]] * len(OTHERS) + TASTES, np.float32)
ELIGIBLE = Eligibility.of_all(len(VECTORS))
FORMS = {
    "exact": lambda vectors: ExactIndex(vectors, ELIGIBLE),
    "ivf": lambda vectors: IvfIndex(vectors, ELIGIBLE, 2, 2),
    "ivf of bytes": lambda vectors: IvfIndex(vectors, ELIGIBLE, 2, 2, "int8"),
    "scann": lambda vectors: ScannIndex(vectors, ELIGIBLE, 2, 2, 5),
}
STOCK = ["exact", "ivf", "ivf of bytes"]
MODELS = ("ranking", "recommender", "retrieval")

QUERY_SCRIPT = """
import json, sys
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

models = {}
for root in sys.argv[1:]:
    models[root] = {}
    for name in ("retrieval", "recommender", "ranking"):
        folder = f"{root}/serving/{name}/1"
        graph = saved_model_pb2.SavedModel()
        graph.ParseFromString(open(f"{folder}/saved_model.pb", "rb").read())
        graph_def = graph.meta_graphs[0].graph_def
        parts = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
        ops = {node.op for part in parts for node in part}
        ops -= {function.signature.name for function in graph_def.library.function}
        unknown = sorted(op for op in ops if op_def_registry.get(op) is None)
        inputs = {
            "user_id": tf.constant(["ann", "new"]),
            "history_item_ids": tf.constant([["a"], [""]]),
            "history_timestamps": tf.zeros([2, 1], tf.int64),
            "now": tf.ones([2], tf.int64),
        }
        if name == "ranking":
            inputs["candidate_item_ids"] = tf.constant([["b", "e"], ["zz", "d"]])
        else:
            inputs |= {"excluded_item_ids": tf.constant([[""], ["d"]]), "k": tf.constant([2])}
        if name == "recommender":
            inputs["diversity"] = tf.constant([0.0])
        answer = tf.saved_model.load(folder).signatures["serving_default"](**inputs)
        key = "relevance" if name == "ranking" else "item_ids"
        values = answer[key].numpy().tolist()
        rows = [[x.decode() if isinstance(x, bytes) else x for x in row] for row in values]
        models[root][name] = {"ops": sorted(ops), "unknown": unknown, "rows": rows}
more = [m for m in sys.modules if m.partition(".")[0] in ("scann", "tensorflow_text", "serving")]
print(json.dumps({"models": models, "imported": more}))
"""


class Query(tf.Module):
    """`ann` prefers the first dimension, all others the second."""

    @tf.function(
        input_signature=[
            {
                "user_id": tf.TensorSpec([None], tf.string, name="user_id"),
                "history_item_ids": tf.TensorSpec([None, None], tf.string, name="history_item_ids"),
                "history_timestamps": tf.TensorSpec(
                    [None, None], tf.int64, name="history_timestamps"
                ),
                "now": tf.TensorSpec([None], tf.int64, name="now"),
            }
        ]
    )
    def query(self, inputs):
        known = inputs["user_id"] == "ann"
        return {
            "vector": tf.where(known[:, tf.newaxis], [[1.0, 0.0]], [[0.0, 1.0]]),
            "user_index": tf.cast(known, tf.int32),
        }


class Ranking(tf.Module):
    """An item's relevance is its position in the catalogue."""

    def __init__(self):
        super().__init__()
        self.item_vectors = tf.Variable(np.pad(VECTORS[:, :-1], [(1, 0), (0, 0)]))

    @tf.function(
        input_signature=[
            {
                "vector": tf.TensorSpec([None, 2], tf.float32, name="vector"),
                "user_index": tf.TensorSpec([None], tf.int32, name="user_index"),
                "candidates": tf.TensorSpec([None, None], tf.int32, name="candidates"),
                "log_popularity": tf.TensorSpec([None, None], tf.float32, name="log_popularity"),
            }
        ]
    )
    def score(self, inputs):
        return {"relevance": tf.cast(inputs["candidates"], tf.float32)}


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    """pushed(form) -> root of a run, with models that use this index."""

    def push(form):
        folder = tmp_path_factory.mktemp("stock")
        tf.saved_model.save(Query(), str(folder / "query"))
        tf.saved_model.save(Ranking(), str(folder / "ranking"))
        save_index(FORMS[form](VECTORS), 2, str(folder / "index"))
        query, index, ranking = (
            tf.saved_model.load(str(folder / name)) for name in ("query", "index", "ranking")
        )
        ids = to_text_array([*OTHERS, "a", "b", "c", "d", "e"])
        nothing = np.zeros(len(VECTORS), np.float32)
        candidates = Candidates(ids, ids, VECTORS, nothing, np.zeros((0, 2), np.float32))
        parts = RecommenderModels(query, index, ranking, depth=3)
        export_servables(parts, candidates, str(folder / "models"))
        models = {name: folder / "models" / name for name in MODELS}
        LocalVersionStore(folder / "root" / "serving").push(models)
        return folder / "root"

    return push


@pytest.fixture(scope="module")
def in_plain_tensorflow(pushed, tmp_path_factory):
    """The outputs of the models with each index of STOCK, all of one process."""
    roots = {form: str(pushed(form)) for form in STOCK}
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", QUERY_SCRIPT, *roots.values()],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    output = json.loads(completed.stdout)
    assert output["imported"] == []
    return {form: output["models"][root] for form, root in roots.items()}


@pytest.mark.parametrize("form", STOCK)
def test_plain_tensorflow_loads_and_runs_the_models(in_plain_tensorflow, form):
    models = in_plain_tensorflow[form]
    # a is in ann's history: b and c are the nearest; d is excluded for the other user: e is left.
    assert models["retrieval"]["rows"][0] == ["b", "c"]
    assert models["retrieval"]["rows"][1][0] == "e"
    # Of retrieval's three candidates, the last one of the catalogue comes first.
    assert models["recommender"]["rows"][0] == ["c", "b"]
    assert models["recommender"]["rows"][1][0] == "e"
    (b, e), _ = models["ranking"]["rows"]
    assert b < e
    for name in ("retrieval", "recommender"):
        assert "TopKV2" in models[name]["ops"]
    assert [model["unknown"] for model in models.values()] == [[], [], []]


def list_ops(root):
    """`tandem ops --json`, in its own process as a shell starts it."""
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pipeline.cli", "ops", "--root", root, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


def test_ops_lists_ops_that_are_not_tensorflows(pushed):
    ops = list_ops(str(pushed("scann")))
    assert sorted(ops) == list(MODELS)
    for name in ("recommender", "retrieval"):
        assert ops[name]["version"] == 1
        assert ops[name]["others"]
        assert all(op.startswith("Scann>") for op in ops[name]["others"])
        assert "TopKV2" in ops[name]["tensorflow"]
    assert ops["ranking"]["others"] == []


def test_a_pushed_scann_model_is_loaded_with_its_ops(pushed):
    """Even if the search is inside a loop, in a process that has not imported scann."""
    folder = pushed("scann") / "serving" / "recommender" / "1"
    script = (
        "import pathlib, sys; from serving.server.servable import load_servable\n"
        "assert 'scann' not in sys.modules\n"
        "load_servable('recommender', 1, pathlib.Path(sys.argv[1]))\n"
        "assert 'scann' in sys.modules"
    )
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


def test_ops_reports_that_a_stock_server_can_load_the_model(pushed, capsys):
    assert main(["ops", "--root", str(pushed("exact"))]) == 0
    output = capsys.readouterr().out
    assert output.count("of others: none: a stock TensorFlow Serving loads it") == 3
    assert "recommender 1: " in output
    assert "TopKV2" in output


def test_a_directory_without_pushed_models_is_refused(tmp_path, capsys):
    assert main(["ops", "--root", str(tmp_path)]) == 2
    assert "expected pushed models in" in capsys.readouterr().err
