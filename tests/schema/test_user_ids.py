"""Pseudonyms of users compared with the published algorithm, and invalid keys."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from schema.errors import ConfigError
from schema.user_ids import (
    UserIdKey,
    compute_key_fingerprint,
    compute_pseudonym,
    hash_user_id,
    load_key,
)


def test_the_pseudonym_uses_the_hmac_of_rfc_4231():
    # Test case 1 of RFC 4231: key 20 times 0x0b, data "Hi There".
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    pseudonym = hash_user_id("Hi There", b"\x0b" * 20)
    assert pseudonym[:24] == expected[:24]
    # printf 'tandem/pseudonym:b0344c61d8db38535ca8afce' | openssl dgst -sha256 -mac HMAC \
    #   -macopt hexkey:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b
    assert pseudonym[24:] == "67256830e6bbc70b"


IDS = st.text(max_size=50) | st.text("0123456789abcdef", min_size=32, max_size=40)
KEYS = st.binary(min_size=16, max_size=40)


@given(IDS, KEYS)
def test_hashing_is_idempotent(user_id, key):
    once = hash_user_id(user_id, key)
    assert once != user_id
    assert hash_user_id(once, key) == once


@given(IDS, KEYS, KEYS)
def test_a_pseudonym_of_another_key_is_hashed(user_id, key, other):
    assume(key != other)
    foreign = hash_user_id(user_id, other)
    assert hash_user_id(foreign, key) != foreign


@pytest.mark.parametrize(
    "looks_hashed",
    [
        "900150983cd24fb0d6963f7d28e17f72",  # MD5 of "abc", RFC 1321
        "a9993e364706816aba3e25717850c26c9cd0d89d",  # SHA-1 of "abc", RFC 3174: 40 digits
        "f47ac10b58cc4372a5670e02b2c3d479",  # a version 4 UUID
        "7",
    ],
)
def test_the_format_of_an_id_does_not_matter(looks_hashed):
    assert hash_user_id(looks_hashed, b"0123456789abcdef") != looks_hashed


def test_a_key_from_a_file_and_from_the_environment_are_equal(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("0123456789abcdef\n")
    monkeypatch.setenv("SHOP_KEY", "0123456789abcdef")
    of_file = UserIdKey(key_file=str(tmp_path / "key"))
    of_environment = UserIdKey(key_env="SHOP_KEY")
    assert load_key(of_file) == b"0123456789abcdef"
    assert compute_pseudonym("é", of_file) == compute_pseudonym("é", of_environment)
    assert compute_pseudonym("e", of_file) != compute_pseudonym("é", of_file)


def test_without_a_key_ids_are_unchanged():
    assert compute_pseudonym("alice", None) == "alice"
    assert compute_key_fingerprint(None) == ""


def test_fingerprint_differs_with_the_key_and_does_not_show_it(monkeypatch):
    key = UserIdKey(key_env="SHOP_KEY")
    monkeypatch.setenv("SHOP_KEY", "a" * 16)
    first = compute_key_fingerprint(key)
    monkeypatch.setenv("SHOP_KEY", "b" * 16)
    assert compute_key_fingerprint(key) != first
    assert "b" * 16 not in compute_key_fingerprint(key)


def test_a_key_that_is_absent_or_short_is_refused_and_not_shown(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="no-such-file"):
        load_key(UserIdKey(key_file=str(tmp_path / "no-such-file")))
    with pytest.raises(ConfigError, match=r"environment variable SHOP_KEY.*received 0"):
        load_key(UserIdKey(key_env="SHOP_KEY"))
    monkeypatch.setenv("SHOP_KEY", "hunter2")
    with pytest.raises(ConfigError, match="received 7") as caught:
        load_key(UserIdKey(key_env="SHOP_KEY"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{}, {"key_file": "/a", "key_env": "B"}, {"key_file": "secrets/key"}]
)
def test_a_key_requires_exactly_one_valid_source(wrong):
    with pytest.raises(ValidationError):
        UserIdKey.model_validate(wrong)
