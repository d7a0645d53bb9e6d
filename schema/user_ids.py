"""Keyed hashing of user ids: the same key gives the same pseudonyms; without the key, a pseudonym
does not reveal the id.

A pseudonym has 40 hexadecimal digits: the first 96 bits of HMAC-SHA-256 (RFC 2104) of the id in
UTF-8, then the first 64 bits of the HMAC-SHA-256, under the same key, of these digits with a
prefix. The second part proves that the first was made with this key. A pseudonym is therefore
recognised by its proof, not by its format: a caller's UUID or MD5 sum is hashed like any other id
(a false match has a probability of 2**-64), and a log that holds pseudonyms can be ingested again
under the same key. Any two of n users share a pseudonym with a probability of about n² / 2**97.
"""

import hashlib
import hmac
import os
import pathlib

from pydantic import model_validator

from schema.base import StrictModel
from schema.errors import ConfigError

_SHORTEST_KEY = 16
_NAME_DIGITS = 24
_PROOF_DIGITS = 16
_PROOF = b"tandem/pseudonym:"


class UserIdKey(StrictModel):
    """The secret with which ingestion hashes user ids, so that no artifact or rejected record holds
    a raw id. Set exactly one of the two keys; the secret itself is never written anywhere.
    """

    key_file: str | None = None
    """Absolute path of a file that holds the secret: at least 16 bytes, not counting surrounding
    whitespace."""
    key_env: str | None = None
    """Name of the environment variable that holds the secret."""

    @model_validator(mode="after")
    def _require_one_key(self) -> "UserIdKey":
        if (self.key_file is None) == (self.key_env is None):
            raise ValueError("expected one of key_file and key_env")
        if self.key_file is not None and not pathlib.PurePath(self.key_file).is_absolute():
            raise ValueError(f"key_file must be an absolute path, received {self.key_file!r}")
        return self


def load_key(source: UserIdKey) -> bytes:
    """Reads the key. Raises ConfigError if it is missing or shorter than 16 bytes."""
    if source.key_file is not None:
        where, key = f"the file {source.key_file}", _read_key_file(source.key_file)
    else:
        name = source.key_env or ""
        where, key = f"the environment variable {name}", os.environ.get(name, "").encode()
    key = key.strip()
    if len(key) < _SHORTEST_KEY:
        raise ConfigError(
            f"data.hash_user_ids: expected a key of at least {_SHORTEST_KEY} bytes in {where}, "
            f"received {len(key)}; make one with: openssl rand -hex 32"
        )
    return key


def hash_user_id(user_id: str, key: bytes) -> str:
    """Returns the pseudonym, 40 hexadecimal digits; `key` is the result of `load_key`.

    The function is idempotent: a pseudonym that was made with `key` is returned unchanged.
    """
    if is_pseudonym(user_id, key):
        return user_id
    name = hmac.digest(key, user_id.encode(), "sha256").hex()[:_NAME_DIGITS]
    return name + _compute_proof(name, key)


def is_pseudonym(user_id: str, key: bytes) -> bool:
    """Returns whether `user_id` is a pseudonym that was made with `key`."""
    if len(user_id) != _NAME_DIGITS + _PROOF_DIGITS:
        return False
    name, proof = user_id[:_NAME_DIGITS], user_id[_NAME_DIGITS:]
    return hmac.compare_digest(proof.encode(), _compute_proof(name, key).encode())


def _compute_proof(name: str, key: bytes) -> str:
    return hmac.digest(key, _PROOF + name.encode(), "sha256").hex()[:_PROOF_DIGITS]


def compute_pseudonym(user_id: str, source: UserIdKey | None) -> str:
    """Returns the user's id as it appears in artifacts; `source` is None if ids are not hashed."""
    return user_id if source is None else hash_user_id(user_id, load_key(source))


def compute_key_fingerprint(source: UserIdKey | None) -> str:
    """Returns a value that depends on the key and does not reveal it; "" without a key.

    It is part of the cache key: another key makes other artifacts.
    """
    if source is None:
        return ""
    digest = hmac.digest(load_key(source), b"tandem/fingerprint", "sha256")
    return hashlib.sha256(digest).hexdigest()


def _read_key_file(path: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"data.hash_user_ids: expected a readable key file at {path}, received "
            f"{error.strerror}; fix data.hash_user_ids.key_file"
        ) from error
