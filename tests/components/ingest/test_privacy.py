"""With a key, ingestion writes no raw user id."""

import gzip
import hashlib
import hmac
import itertools

import pytest

from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from components.ingest.output import histories
from schema.dataset import Dataset
from schema.errors import ConfigError
from schema.user_ids import compute_pseudonym

T0 = 1_600_000_000
KEY = "correct horse battery staple"

NAMES = [f"person-{n}-x" for n in range(9)]
LOG = "user_id,item_id,timestamp,rating\n" + "".join(
    [f"{name},i{n},{T0 + n},4\n" for n, name in enumerate(NAMES[:6])]
    + [f"{NAMES[0]},i{n},{T0 + 10 + n},4\n" for n in range(6)]
    + [f"{NAMES[6]},i1\n"]  # wrong field count
    + [f"{NAMES[7]},i1,soon,4\n"]  # bad timestamp
    + [f",{NAMES[7]},{T0},4\n"]  # shifted by a field
    + [f"{NAMES[8] * 110},i1,{T0},4\n"]  # overlong id
    + [f'"{NAMES[8]},i1,{T0},4\n']  # broken quoting
    + [f"{NAMES[8]},gone,{T0 + 3},4\n"]  # unknown item
)
BROKEN_BYTES = f"{NAMES[8]},\u00e9,{T0},4\n".encode("latin-1")
USERS = "user_id,city\n" + "".join(f"{name},c{n}\n" for n, name in enumerate(NAMES)) + "person-x\n"
ITEMS = "item_id\n" + "".join(f"i{n}\n" for n in range(6))


@pytest.fixture
def hashed(monkeypatch) -> Dataset:
    monkeypatch.setenv("SHOP_KEY", KEY)
    data = {
        "interactions": {
            "path": "log.csv", "unknown_item": "reject", "max_events_per_user_and_day": 3,
        },
        "items": {"path": "items.csv"},
        "users": {"path": "users.csv"},
        "hash_user_ids": {"key_env": "SHOP_KEY"},
    }  # fmt: skip
    ranking = {"rating": {"column": "rating", "kind": "regression"}}
    features = {"users": {"city": {"kind": "category"}}}
    return Dataset.model_validate(
        {"data": data, "labels": {"ranking": ranking}, "features": features}
    )


def expected(name: str) -> str:
    name = hmac.new(KEY.encode(), name.encode(), hashlib.sha256).hexdigest()[:24]
    proof = hmac.new(KEY.encode(), f"tandem/pseudonym:{name}".encode(), hashlib.sha256)
    return name + proof.hexdigest()[:16]


def test_no_output_has_raw_user_ids(hashed, lay, ingest_events):
    folder = lay({"log.csv": LOG.encode() + BROKEN_BYTES, "users.csv": USERS, "items.csv": ITEMS})
    ingested = ingest_events(hashed, folder)
    table = ingested.counts.tables["interactions"]
    assert table.rejected_by_reason == {
        "too_many_events": 4, "bad_timestamp": 1, "broken_quoting": 1, "invalid_encoding": 1,
        "missing_user_id": 1, "overlong_id": 1, "unknown_item": 1, "wrong_field_count": 1,
    }  # fmt: skip
    files = [path for path in ingested.root.rglob("*") if path.is_file()]
    assert {path.relative_to(ingested.root).parts[0] for path in files} == {
        "examples", "histories", "rejected",
    }  # fmt: skip
    for path in files:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        for secret in ("person-", KEY):
            assert secret.encode() not in raw, path
    for _, line, _, raw in itertools.chain(
        ingested.letters("interactions"), ingested.letters("users")
    ):
        assert line > 1
        assert "hashed" in raw
    result = [example["user_id"][0] for example in ingested.examples("train")]
    assert set(result) <= {expected(name) for name in NAMES}


def test_a_user_is_found_with_the_key(hashed, lay, ingest_events):
    folder = lay({"log.csv": LOG, "users.csv": USERS, "items.csv": ITEMS})
    uri = ingest_events(hashed, folder).histories
    assert histories.look_up(uri, NAMES[1]) is None
    name = compute_pseudonym(NAMES[1], hashed.data.hash_user_ids)
    assert name == expected(NAMES[1])
    history = histories.look_up(uri, name)
    assert history is not None
    assert history.item_ids == ["i1"]
    assert history.user == {"city": "c1"}  # the user table is hashed too, so that the ids match


def test_the_key_changes_the_fingerprint_and_a_missing_key_is_refused(hashed, lay, monkeypatch):
    folder = lay({"log.csv": LOG, "users.csv": USERS, "items.csv": ITEMS})
    first = compute_input_fingerprint(hashed, folder)
    monkeypatch.setenv("SHOP_KEY", KEY + "!")
    assert compute_input_fingerprint(hashed, folder) != first
    monkeypatch.delenv("SHOP_KEY")
    with pytest.raises(ConfigError, match="SHOP_KEY"):
        preflight.check(hashed, folder)
