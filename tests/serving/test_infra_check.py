"""A planted bad model of each kind is refused before it is pushed; a good one passes."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from schema import candidates, signatures
from schema.errors import TandemError
from serving import infra_check
from serving.index.exact import ExactIndex
from serving.protocol import signature_defaults
from tests.serving.planted_servables import (
    IDS,
    VECTORS,
    build_candidates,
    export_and_load,
    save_parts,
)

CATALOGUE = build_candidates(IDS, VECTORS)


@pytest.fixture(scope="module")
def good_models(tmp_path_factory):
    """The three servables for a catalogue of five items."""
    folder = tmp_path_factory.mktemp("sound")
    export_and_load(
        folder, save_parts(folder, ExactIndex(VECTORS), 3), build_candidates(IDS, VECTORS)
    )
    return folder


@pytest.fixture
def servables(good_models, tmp_path):
    """A copy of `good_models` for a test to corrupt."""
    return shutil.copytree(good_models, tmp_path / "models")


class NanRanking(tf.Module):
    """Scores every candidate NaN."""

    @tf.function
    def serve(self, **inputs):
        items = inputs["candidate_item_ids"]
        return {"relevance": tf.fill(tf.shape(items), np.nan)}


class Listing(tf.Module):
    """Answers each request with the same items and scores."""

    def __init__(self, ids, scores):
        super().__init__()
        self.ids, self.scores = tf.constant([ids]), tf.constant([scores])

    @tf.function
    def serve(self, **inputs):
        del inputs
        return {
            "item_ids": self.ids,
            "scores": self.scores,
            "stages": tf.fill(tf.shape(self.ids), "retrieval"),
            "known_user": tf.constant([False]),
        }


def replace(folder, name, module):
    """Replaces a servable by `module`, with the same inputs."""
    old = tf.saved_model.load(str(folder / name)).signatures["serving_default"]
    specs = old.structured_input_signature[1]
    call = module.serve.get_concrete_function(**specs)
    del old
    shutil.rmtree(folder / name)
    tf.saved_model.save(module, str(folder / name), signatures={"serving_default": call})
    signature_defaults.write(folder / name, signature_defaults.build_defaults(specs))


def test_good_servables_pass(servables):
    listed: Any = infra_check.check(servables, CATALOGUE)["listed"]
    assert set(listed) == {signatures.RETRIEVAL, signatures.RECOMMENDER}
    assert set(listed[signatures.RETRIEVAL]) == set(IDS)


def test_the_command_of_the_component_passes(good_models, tmp_path):
    """In a fresh process, with the catalogue as the artifact stores it."""
    candidates.save(build_candidates(IDS, VECTORS), str(tmp_path / "candidates"))
    command = [
        sys.executable,
        "-m",
        "serving.infra_check",
        str(good_models),
        str(tmp_path / "candidates"),
        '{"repeats": "exclude"}',
    ]
    completed = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr[-1000:]
    assert set(json.loads(completed.stdout)["listed"]["retrieval"]) == set(IDS)


@pytest.mark.parametrize("name", signatures.SERVABLES)
def test_a_model_that_does_not_load_is_refused(servables, name):
    (servables / name / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(TandemError, match=name):
        infra_check.check(servables, CATALOGUE)


def test_a_model_without_the_signature_is_refused(servables):
    shutil.rmtree(servables / "ranking")
    tf.saved_model.save(tf.Module(), str(servables / "ranking"))
    with pytest.raises(TandemError, match="ranking.*serving_default"):
        infra_check.check(servables, CATALOGUE)


def test_ranking_scores_that_are_nan_are_refused(servables):
    replace(servables, "ranking", NanRanking())
    with pytest.raises(TandemError, match="ranking: expected .* finite scores.*nan"):
        infra_check.check(servables, CATALOGUE)


@pytest.mark.parametrize("name", [signatures.RETRIEVAL, signatures.RECOMMENDER])
def test_listed_scores_that_are_nan_are_refused(servables, name):
    replace(servables, name, Listing(["a", "b"], [1.0, np.nan]))
    with pytest.raises(TandemError, match=f"{name}: expected finite scores.*nan"):
        infra_check.check(servables, CATALOGUE)


@pytest.mark.parametrize("name", [signatures.RETRIEVAL, signatures.RECOMMENDER])
def test_an_item_that_the_catalogue_lacks_is_refused(servables, name):
    replace(servables, name, Listing(["a", "ghost"], [2.0, 1.0]))
    with pytest.raises(TandemError, match=f"{name}: expected items of the catalogue.*ghost"):
        infra_check.check(servables, CATALOGUE)


def test_an_item_listed_twice_is_refused(servables):
    replace(servables, "retrieval", Listing(["a", "a"], [2.0, 1.0]))
    with pytest.raises(TandemError, match="retrieval: expected distinct items"):
        infra_check.check(servables, CATALOGUE)


def test_an_excluded_item_that_comes_back_is_refused(servables):
    replace(servables, "retrieval", Listing(["a", "b"], [2.0, 1.0]))
    with pytest.raises(TandemError, match="retrieval: expected none of the excluded"):
        infra_check.check(servables, CATALOGUE)


@pytest.fixture(scope="module")
def repeating(tmp_path_factory):
    """The three servables, which list only items of the history."""
    folder = tmp_path_factory.mktemp("reminding")
    parts = save_parts(folder, ExactIndex(VECTORS), 3)
    export_and_load(folder, parts, build_candidates(IDS, VECTORS), repeats="only")
    return folder


def test_servables_that_only_list_repeats_are_checked_with_a_history(repeating):
    listed: Any = infra_check.check(repeating, CATALOGUE, "only")["listed"]
    assert set(listed[signatures.RETRIEVAL]) == set(IDS)


def test_servables_that_list_repeats_are_refused_unless_configured(tmp_path):
    parts = save_parts(tmp_path, ExactIndex(VECTORS), 3)
    export_and_load(tmp_path, parts, build_candidates(IDS, VECTORS), repeats="allow")
    with pytest.raises(TandemError, match="retrieval: expected none of the history"):
        infra_check.check(tmp_path, CATALOGUE, "exclude")


def test_servables_that_exclude_the_history_are_refused_where_only_it_is_listed(good_models):
    with pytest.raises(TandemError, match="retrieval: expected distinct items"):
        infra_check.check(good_models, CATALOGUE, "only")
