"""`tandem batch` on a planted run, with lists computed by hand.

    item        a   b   c   d   e
    taste       5   4   3   2   1
    popularity  0   0   0   0   9   now
    popularity  0   0   7   0   0   when test began, at 45

A user with history prefers a high taste, one without a low one; popularity is added to both.
"""

import dataclasses
import json
import pathlib

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.ingest.output import counts, histories
from components.ingest.output.counts import Counts
from pipeline.cli import main
from schema import candidates
from schema.storage import object_store
from schema.user_ids import hash_user_id
from serving.graph.export import export_servables
from serving.graph.modules import RecommenderModels
from serving.index.build import save_index
from serving.index.eligibility import save_deny_list
from serving.index.exact import ExactIndex
from serving.server.app import run_server
from serving.versions.local import LocalVersionStore
from tests.pipeline.run_summaries import fill_summary

T_TEST, FIRST_OF_TEST = 40, 45
EVENTS = {
    "ann": [("a", 10), ("b", 50)],
    "bob": [("c", 45)],
    "cid": [("d", 5), ("d", 20)],
}
KEY = "a key of more than sixteen bytes"


class Query(tf.Module):
    """Uses popularity at the beginning of test, and at any time after November 2023."""

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
        empty = tf.fill(tf.shape(inputs["now"]), tf.shape(inputs["history_item_ids"])[1] == 0)
        taste = tf.where(empty, -1.0, 1.0)
        moment = (inputs["now"] == FIRST_OF_TEST) | (inputs["now"] > 1_700_000_000)
        weight = tf.where(moment, 1.0, 0.0)
        return {
            "vector": tf.stack([taste, weight], axis=1),
            "user_index": tf.cast(inputs["user_id"] == "ann", tf.int32),
        }


class Ranking(tf.Module):
    """Relevance increases with the position in the catalogue; b and c are similar, so are the
    others.
    """

    def __init__(self):
        super().__init__()
        self.item_vectors = tf.Variable(tf.one_hot([-1, 0, 1, 1, 0, 0], 2))

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


def lay_events(folder: pathlib.Path, names: dict[str, str]) -> None:
    """Writes the output of ingestion, under the names that the run stores."""
    lists = pa.table(
        {
            "user_id": pa.array([names[user] for user in EVENTS], pa.large_string()),
            "item_ids": pa.array(
                [[item for item, _ in events] for events in EVENTS.values()],
                pa.large_list(pa.large_string()),
            ),
            "timestamps": pa.array(
                [[moment for _, moment in events] for events in EVENTS.values()],
                pa.large_list(pa.int64()),
            ),
            "test_from": [sum(at < T_TEST for _, at in events) for events in EVENTS.values()],
        }
    )
    histories.write(str(folder), 0, 1, iter([lists]))
    counts.write(str(folder), Counts({}, {"t_test": T_TEST}))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """URIs of the trained models and candidates."""
    folder = tmp_path_factory.mktemp("models")
    tf.saved_model.save(Query(), str(folder / "query"))
    tf.saved_model.save(Ranking(), str(folder / "ranking"))
    ids = candidates.to_text_array([b"a", b"b", b"c", b"d", b"e"])
    vectors = np.array([[5, 0], [4, 0], [3, 0], [2, 0], [1, 9]], np.float32)
    at_test = np.array([0, 0, 7, 0, 0], np.float32)
    nothing = np.zeros((0, 2), np.float32)
    candidates.save(
        candidates.Candidates(ids, ids, vectors, at_test, nothing), str(folder / "candidates")
    )
    (folder / "index").mkdir()
    save_deny_list("", str(folder / "index"))
    return {name: str(folder / name) for name in ("query", "ranking", "candidates", "index")}


@pytest.fixture
def finished(tmp_path, models):
    """finished(order, source of the key) -> root of a run."""

    def make(order="retrieval", key_source=None):
        root = tmp_path / "run"
        root.mkdir()
        names = {name: name for name in EVENTS}
        if key_source is not None:
            names = {name: hash_user_id(name, KEY.encode()) for name in EVENTS}
        lay_events(root, names)
        tables = {"interactions": {"path": "i.csv"}, "items": {"path": "c.csv"}}
        config = {
            "data": tables | {"hash_user_ids": key_source},
            "features": {},
            "labels": {},
            "split": {"valid_fraction": 0.1, "test_fraction": 0.1},
            "retrieval": {"history_length": 2},
            "ranking": {"candidates": 3},
        }
        artifacts = models | {"histories": str(root), "interactions": str(root)}
        summary = fill_summary(
            config=config,
            ranking={"order": order},
            artifacts=artifacts,
            servables={"recommender": {"version": 1, "path": "/"}},
        )
        (root / "summary.json").write_text(json.dumps(summary))
        return root

    return make


@pytest.fixture
def batch(tmp_path, capsys):
    """batch(root, user ids or "all", …) -> lists by user, in order, and the printed summary."""

    def run(root, users, *more, k=3):
        source = "all"
        if users != "all":
            source = str(tmp_path / "users.txt")
            pathlib.Path(source).write_bytes("".join(f"{user}\n" for user in users).encode())
        out = tmp_path / "lists.jsonl"
        arguments = ["--root", root, "--users", source, "--k", k, "--out", out, "--json", *more]
        assert main(["batch", *map(str, arguments)]) == 0
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        return (
            [(row["user_id"], "".join(row["item_ids"])) for row in rows],
            json.loads(capsys.readouterr().out),
        )

    return run


NOW = [("ann", "ecd"), ("bob", "eab"), ("cid", "eab")]
AT_TEST = [("ann", "cbd"), ("bob", "ced"), ("cid", "cab")]


def test_all_users_with_all_events(finished, batch):
    lists, summary = batch(finished(), "all")
    assert lists == NOW
    assert (summary["users"], summary["without_history"], summary["stage"]) == (3, 0, "retrieval")


def test_as_of_test_later_events_are_ignored(finished, batch):
    lists, summary = batch(finished(), "all", "--as-of", "test")
    assert lists == AT_TEST
    assert (summary["without_history"], summary["now"]) == (1, FIRST_OF_TEST)


def test_a_file_gives_order_and_new_users_and_each_user_once(finished, batch):
    lists, summary = batch(finished(), ["cid", "zoë ", "", "ann", "cid", "cid"])
    assert lists == [NOW[2], ("zoë", "edc"), NOW[0]]
    assert (summary["users"], summary["without_history"], summary["repeated_lines"]) == (3, 1, 2)


def test_a_file_of_unknown_users(finished, batch):
    lists, _ = batch(finished(), ["x", "y"], k=2)
    assert lists == [("x", "ed"), ("y", "ed")]


def test_final_lists_are_the_retrieved_ones_in_rankings_order(finished, batch):
    root = finished()
    lists, summary = batch(root, "all", "--stage", "final", k=2)
    assert lists == [("ann", "ed"), ("bob", "eb"), ("cid", "eb")]
    assert summary["stage"] == "final"


def test_the_served_stage_is_the_default(finished, batch):
    root = finished("ranking")
    assert batch(root, "all")[1]["stage"] == "final"
    assert batch(root, "all", "--stage", "retrieval")[0] == NOW


DIVERSE = [("ann", "ecd"), ("bob", "eba"), ("cid", "eba")]


@pytest.mark.parametrize("order", ["retrieval", "ranking"])
def test_diverse_lists(finished, batch, order):
    """Half the weight on dissimilarity: after e comes the one of the other two that differs."""
    root = finished(order)
    assert batch(root, "all", "--diversity", "0.5")[0] == DIVERSE
    summary = json.loads((root / "summary.json").read_text())
    summary["config"]["recommend"] = {"diversity": 0.5}
    (root / "summary.json").write_text(json.dumps(summary))
    assert batch(root, "all")[0] == DIVERSE
    plain = {"retrieval": NOW, "ranking": [("ann", "edc"), ("bob", "eba"), ("cid", "eba")]}
    assert batch(root, "all", "--diversity", "0")[0] == plain[order]
    other, stage = ("final", "ranking") if order == "retrieval" else ("retrieval", "retrieval")
    assert batch(root, "all", "--stage", other)[0] == plain[stage]


def test_only_lists_in_the_served_order_are_diversified(finished, tmp_path, capsys):
    arguments = ["--users", "all", "--out", tmp_path / "out", "--diversity", "0.5"]
    message = refused(capsys, finished(), *arguments, "--stage", "final")
    assert "expected no --diversity for --stage final" in message


@pytest.mark.parametrize("wrong", ["-0.1", "1.01", "nan", "much"])
def test_a_diversity_out_of_bounds_is_refused(finished, tmp_path, capsys, wrong):
    arguments = ["--users", "all", "--out", tmp_path / "out", f"--diversity={wrong}"]
    message = refused(capsys, finished(), *arguments)
    assert f"--diversity expects a number from 0 to 1, received {wrong!r}" in message


@pytest.fixture
def stored(finished, bucket, tmp_path):
    """The URL of a run whose artifacts are in a bucket, as after a run on Kubeflow."""

    def put(without=""):
        summary = json.loads((finished() / "summary.json").read_text())
        for name, folder in summary["artifacts"].items():
            if name != without:
                object_store.upload(pathlib.Path(folder), f"{bucket}/artifacts/{name}")
            summary["artifacts"][name] = f"{bucket}/artifacts/{name}"
        path = tmp_path / "stored.json"
        path.write_text(json.dumps(summary))
        object_store.upload_file(path, f"{bucket}/shop/summary.json")
        return f"{bucket}/shop"

    return put


@pytest.mark.parametrize(("more", "lists"), [((), NOW), (("--as-of", "test"), AT_TEST)])
def test_a_run_on_an_object_store_gives_the_same_lists(stored, batch, more, lists):
    assert batch(stored(), "all", *more)[0] == lists


def test_a_missing_object_is_reported(stored, tmp_path, capsys):
    arguments = ["--root", stored(without="query"), "--users", "all", "--out", tmp_path / "lists"]
    assert main(["batch", *map(str, arguments)]) == 2
    assert "expected the artifact query of the run at s3://" in capsys.readouterr().err
    assert not (tmp_path / "lists").exists()


def test_k_beyond_the_catalogue_gives_all_that_is_unseen(finished, batch):
    lists, _ = batch(finished(), ["ann", "bob"], k=100)
    assert lists == [("ann", "ecd"), ("bob", "eabd")]


def test_items_that_may_not_be_recommended_are_in_no_list(finished, batch, models, tmp_path):
    """c is sold out, e is denied; as of test, neither applies yet."""
    root = finished()
    summary = json.loads((root / "summary.json").read_text())
    closed = dataclasses.replace(
        candidates.load(models["candidates"]), available=pa.array([True, True, False, True, True])
    )
    candidates.save(closed, str(tmp_path / "closed"))
    (tmp_path / "index").mkdir()
    save_deny_list("e\nnobody\n", str(tmp_path / "index"))
    changed = {"candidates": str(tmp_path / "closed"), "index": str(tmp_path / "index")}
    summary["artifacts"] |= changed
    (root / "summary.json").write_text(json.dumps(summary))
    everything = ["a", "b", "d"]
    for stage in ("retrieval", "final"):
        lists, _ = batch(root, ["zoë"], "--stage", stage, k=9)
        assert sorted(lists[0][1]) == everything
    assert batch(root, "all", "--as-of", "test")[0] == AT_TEST


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    """Address of a server of the same models, pushed as by a run."""
    folder = tmp_path_factory.mktemp("server")
    items = candidates.load(models["candidates"])
    save_index(ExactIndex(items.vectors), 2, str(folder / "index"))
    query, index, ranking = (
        tf.saved_model.load(path)
        for path in (models["query"], str(folder / "index"), models["ranking"])
    )
    parts = RecommenderModels(query, index, ranking, depth=3)
    export_servables(parts, items, str(folder / "models"))
    named = {name: folder / "models" / name for name in ("retrieval", "ranking", "recommender")}
    LocalVersionStore(folder / "serving").push(named)
    with run_server(folder / "serving") as running:
        yield running.grpc_address


def test_a_server_gives_the_same_lists(finished, batch, server):
    """With a server, the run's own models are not needed."""
    root = finished("ranking")
    summary = json.loads((root / "summary.json").read_text())
    summary["artifacts"] = {"histories": summary["artifacts"]["histories"]}
    (root / "summary.json").write_text(json.dumps(summary))
    lists, text = batch(root, "all", "--server", server, k=2)
    assert lists == [("ann", "ed"), ("bob", "eb"), ("cid", "eb")]
    assert (text["stage"], text["users"]) == ("final", 3)
    assert batch(root, "all", "--server", server, "--diversity", "0.5")[0] == DIVERSE
    lists, text = batch(root, "all", "--server", server, "--stage", "retrieval")
    assert (lists, text["stage"]) == (NOW, "retrieval")
    assert batch(root, ["zoë", "ann"], "--server", server, "--stage", "retrieval")[0] == [
        ("zoë", "edc"),
        NOW[0],
    ]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--as-of", "test"], "expected the current time with --server, received --as-of test"),
        (["--stage", "final"], "received --stage final for models served in retrieval's order"),
        (["--tls-roots", "/no/such.pem"], "expected a readable PEM file at /no/such.pem"),
        ([], "expected a server at 127.0.0.1:1"),
    ],
)
def test_options_that_a_server_does_not_support(finished, tmp_path, capsys, more, complaint):
    out = tmp_path / "lists.jsonl"
    arguments = ["--users", "all", "--out", out, "--server", "127.0.0.1:1", *more]
    assert complaint in refused(capsys, finished(), *arguments)
    assert not out.exists()


def test_hashed_users_are_listed_by_name(finished, batch, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", KEY)
    root = finished(key_source={"key_env": "SHOP_KEY"})
    assert batch(root, ["cid", "ann"])[0] == [NOW[2], NOW[0]]


def test_all_hashed_users_stay_pseudonyms_and_need_no_key(finished, batch, monkeypatch):
    monkeypatch.delenv("SHOP_KEY", raising=False)
    lists, _ = batch(finished(key_source={"key_env": "SHOP_KEY"}), "all")
    assert lists == [(hash_user_id(user, KEY.encode()), ids) for user, ids in NOW]


def refused(capsys, root, *arguments):
    """The one sentence that the command prints on stderr."""
    assert main(["batch", "--root", str(root), *map(str, arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "users.txt: expected user ids, one a line, received none"),
        (b"\n\r\n", "users.txt: expected user ids, one a line, received none"),
        (
            b"ann\nb\xff\n",
            "users.txt: expected user ids in UTF-8, received the byte 0xff in line 2",
        ),
        (None, "received: No such file or directory"),
    ],
)
def test_a_file_that_holds_no_ids(finished, tmp_path, capsys, content, complaint):
    users, out = tmp_path / "users.txt", tmp_path / "lists.jsonl"
    if content is not None:
        users.write_bytes(content)
    assert complaint in refused(capsys, finished(), "--users", users, "--out", out)
    assert not out.exists()


def test_lines_may_end_as_on_windows(finished, tmp_path, capsys):
    users, out = tmp_path / "users.txt", tmp_path / "lists.jsonl"
    users.write_bytes(b"\xef\xbb\xbfann\r\nbob")
    arguments = ["--root", finished(), "--users", users, "--out", out]
    assert main(["batch", *map(str, arguments)]) == 0
    assert capsys.readouterr().out.startswith(f"2 lists (retrieval) in {out}: 0 for users")
    assert [json.loads(line)["user_id"] for line in out.open()] == ["ann", "bob"]


@pytest.mark.parametrize("out", ["missing/lists.jsonl", "folder", "/dev/null"])
def test_an_out_that_cannot_be_written(finished, tmp_path, capsys, out):
    (tmp_path / "folder").mkdir()
    output = refused(capsys, finished(), "--users", "all", "--out", tmp_path / out)
    assert str(tmp_path / out) in output
    assert pathlib.Path("/dev/null").is_char_device()


def test_a_full_disk_leaves_the_old_lists(finished, tmp_path, capsys):
    out = tmp_path / "lists.jsonl"
    out.write_text("old")
    (tmp_path / ".unfinished-lists.jsonl").symlink_to("/dev/full")
    assert "No space left" in refused(capsys, finished(), "--users", "all", "--out", out)
    assert out.read_text() == "old"
    assert not (tmp_path / ".unfinished-lists.jsonl").exists()


def test_k_is_positive(finished, tmp_path, capsys):
    output = refused(capsys, finished(), "--users", "all", "--out", tmp_path / "x", "--k", "0")
    assert "--k expects a positive number, received 0" in output


def test_no_run_at_the_root(tmp_path, capsys):
    output = refused(capsys, tmp_path / "none", "--users", "all", "--out", tmp_path / "x")
    assert "expected a finished run" in output


@pytest.mark.parametrize("change", [None, "/no/such/model"])
def test_a_run_without_its_models(finished, tmp_path, capsys, change):
    root = finished()
    summary = json.loads((root / "summary.json").read_text())
    summary["artifacts"] |= {"query": change}
    if change is None:
        del summary["artifacts"]["query"]
    (root / "summary.json").write_text(json.dumps(summary))
    output = refused(capsys, root, "--users", "all", "--out", tmp_path / "x")
    assert "expected the artifact query of the run" in output


def test_models_that_failed_evaluation_make_no_lists_but_to_be_measured(
    finished, batch, tmp_path, capsys
):
    root = finished()
    summary = json.loads((root / "summary.json").read_text())
    (root / "summary.json").write_text(json.dumps(summary | {"servables": {}}))
    out = tmp_path / "lists.jsonl"
    assert main(["batch", "--root", str(root), "--users", "all", "--out", str(out)]) == 4
    assert "failed evaluation" in capsys.readouterr().err
    assert not out.exists()
    assert batch(root, "all", "--as-of", "test")[0] == AT_TEST


def test_a_missing_key_is_reported(finished, batch, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SHOP_KEY", raising=False)
    users, out = tmp_path / "users.txt", tmp_path / "lists.jsonl"
    users.write_text("ann\n")
    root = finished(key_source={"key_env": "SHOP_KEY"})
    assert "expected a key" in refused(capsys, root, "--users", users, "--out", out)
    assert not out.exists()
