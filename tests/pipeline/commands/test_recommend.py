"""Whom a run that hashed its user ids is asked about. What the server answers: tests/e2e."""

import hashlib
import hmac
import json

import pytest

from pipeline.commands import recommend
from pipeline.commands.recommend import ServerAddress
from pipeline.report import recommendations
from schema.run_summary import UserRecommendations
from serving.client.connection import PLAIN
from tests.pipeline.run_summaries import fill_summary

SERVER = ServerAddress("host:1", PLAIN)
KEY = "a key of more than sixteen bytes"


@pytest.fixture
def asked(monkeypatch):
    """The users that reach the server, which is not what is tested here."""
    users = []

    def answer(_address, _artifacts, named, _k, _categories, _security):
        users.extend(named)
        return [
            UserRecommendations(user_id=user, known_user=True, history=[], recommendations=[])
            for user in named
        ]

    monkeypatch.setattr(recommendations, "recommend_users", answer)
    return users


def finished_run(root, hash_user_ids):
    summary = fill_summary(config={"data": {"hash_user_ids": hash_user_ids}})
    (root / "summary.json").write_text(json.dumps(summary))
    return root


def test_a_hashed_user_is_queried_by_pseudonym_and_answered_by_name(tmp_path, monkeypatch, asked):
    monkeypatch.setenv("SHOP_KEY", KEY)
    root = finished_run(tmp_path, {"key_env": "SHOP_KEY", "key_file": None})
    answer = recommend.recommend(str(root), "anna", 5, SERVER)
    name = hmac.new(KEY.encode(), b"anna", hashlib.sha256).hexdigest()[:24]
    proof = hmac.new(KEY.encode(), f"tandem/pseudonym:{name}".encode(), hashlib.sha256)
    assert asked == [name + proof.hexdigest()[:16]]
    assert answer.user_id == "anna"


def test_without_hashing_the_id_is_the_id(tmp_path, asked):
    recommend.recommend(str(finished_run(tmp_path, None)), "anna", 5, SERVER)
    assert asked == ["anna"]
