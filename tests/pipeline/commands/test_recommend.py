"""The user ids that are sent to a server of hashed ids. For the server's responses see
tests/e2e.
"""

import hashlib
import hmac
import json

import pytest

from pipeline.commands import recommend
from pipeline.commands.recommend import ServerAddress
from pipeline.report import recommendations
from pipeline.report.recommendations import ListOptions
from schema.run_summary import UserRecommendations
from serving.client.connection import PLAIN
from tests.pipeline.run_summaries import fill_summary

SERVER = ServerAddress("host:1", PLAIN)
KEY = "a key of more than sixteen bytes"


@pytest.fixture
def queried_users(monkeypatch):
    """The users that are sent to the server, which is replaced here."""
    users = []

    def respond(_address, _artifacts, named, _options, _security):
        users.extend(named)
        return [
            UserRecommendations(user_id=user, known_user=True, history=[], recommendations=[])
            for user in named
        ]

    monkeypatch.setattr(recommendations, "recommend_users", respond)
    return users


def finished_run(root, hash_user_ids):
    summary = fill_summary(config={"data": {"hash_user_ids": hash_user_ids}})
    (root / "summary.json").write_text(json.dumps(summary))
    return root


def test_a_hashed_user_is_queried_by_pseudonym_and_returned_by_name(
    tmp_path, monkeypatch, queried_users
):
    monkeypatch.setenv("SHOP_KEY", KEY)
    root = finished_run(tmp_path, {"key_env": "SHOP_KEY", "key_file": None})
    response = recommend.recommend(str(root), "anna", SERVER, ListOptions(5))
    name = hmac.new(KEY.encode(), b"anna", hashlib.sha256).hexdigest()[:24]
    proof = hmac.new(KEY.encode(), f"tandem/pseudonym:{name}".encode(), hashlib.sha256)
    assert queried_users == [name + proof.hexdigest()[:16]]
    assert response.user_id == "anna"


def test_without_hashing_the_id_is_the_id(tmp_path, queried_users):
    recommend.recommend(str(finished_run(tmp_path, None)), "anna", SERVER, ListOptions(5))
    assert queried_users == ["anna"]
