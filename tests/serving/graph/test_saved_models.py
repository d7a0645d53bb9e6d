"""Op libraries are registered for graphs that need them, in a process without them."""

import subprocess
import sys
import textwrap

import pytest

SAVE_SCANN = """
    import sys
    import numpy as np, tensorflow as tf
    from scann.scann_ops.py import scann_ops

    class Nearest(tf.Module):
        def __init__(self):
            vectors = np.eye(16, dtype=np.float32)
            self.searcher = scann_ops.builder(vectors, 2, "dot_product").score_brute_force().build()
            self.module = self.searcher.serialize_to_module()

        @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="query")])
        def serve(self, query):
            return {"nearest": self.module_search(query)}

        def module_search(self, query):
            searcher = scann_ops.searcher_from_module(self.module, None)
            return searcher.search_batched(query)[0]

    nearest = Nearest()
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(nearest, sys.argv[1], signatures=nearest.serve, options=options)
"""

LOAD_SCANN = """
    import pathlib, sys
    import tensorflow as tf
    from serving.server.servable import load_servable

    assert "scann" not in sys.modules
    loaded = load_servable("nearest", 1, pathlib.Path(sys.argv[1]))
    assert "scann" in sys.modules and "tensorflow_text" not in sys.modules
    query = tf.one_hot([5, 11], 16).numpy()
    print(loaded.predict("", {"query": query})["nearest"][:, 0].tolist())
"""

REGISTER = """
    import sys
    from tensorflow.core.protobuf import meta_graph_pb2
    from schema.errors import TandemError
    from serving.graph.saved_models import register_ops

    graph = meta_graph_pb2.MetaGraphDef()
    first, *others = sys.argv[1:]
    graph.graph_def.node.add(name="first", op=first)
    graph.graph_def.node.add(name="loop", op="While").attr["body"].func.name = "body"
    body = graph.graph_def.library.function.add()
    body.signature.name = "body"
    for op in others:
        body.node_def.add(name=op, op=op)
    graph.graph_def.node.add(name="call", op="body")
    try:
        register_ops(graph)
    except TandemError as error:
        sys.exit(str(error))
    print([name for name in ("scann", "tensorflow_text") if name in sys.modules])
"""


def run(script, *arguments, path=()):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), *map(str, arguments)],
        env={"PYTHONPATH": ":".join([*map(str, path), *sys.path]), "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_scann_model_loads_in_a_fresh_process(tmp_path):
    saved = run(SAVE_SCANN, tmp_path / "nearest")
    assert saved.returncode == 0, saved.stderr
    loaded = run(LOAD_SCANN, tmp_path / "nearest")
    # Each row of the identity matrix is nearest to itself.
    assert loaded.stdout == "[5, 11]\n", loaded.stderr


@pytest.mark.parametrize(
    ("ops", "imported"),
    [
        (["MatMul", "Const"], []),
        (["MatMul", "TFText>WhitespaceTokenizeWithOffsetsV2"], ["tensorflow_text"]),
    ],
)
def test_only_required_ops_are_imported(ops, imported):
    completed = run(REGISTER, *ops)
    assert completed.stdout == f"{imported}\n", completed.stderr


def test_unregistered_ops_are_named():
    completed = run(REGISTER, "MatMul", "Acme>Sort")
    assert completed.returncode == 1
    assert "received one with Acme>Sort;" in completed.stderr


def test_a_library_that_does_not_load_is_reported_in_one_sentence(tmp_path):
    """As with a ScaNN built for another TensorFlow: the import fails."""
    (tmp_path / "scann.py").write_text("raise ImportError('undefined symbol: _ZN10tensorflow')")
    completed = run(REGISTER, "Scann>ScannSearchBatched", path=[tmp_path])
    assert completed.returncode == 1
    sentence = "this model needs ScaNN's ops and scann does not load with TensorFlow"
    assert sentence in completed.stderr
    assert "undefined symbol: _ZN10tensorflow" in completed.stderr
    assert "Traceback" not in completed.stderr
