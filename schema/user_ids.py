"""Keyed hashing of user ids: who has the key names a user alike, who has not learns nothing.

A pseudonym is 40 hexadecimal digits: the first 96 bits of HMAC-SHA-256 (RFC 2104) of the id in
UTF-8, then 64 bits of HMAC-SHA-256 of those under the same key. The second part says that the first
was made with this key. So whether an id is a pseudonym already is known and not guessed from its
looks: a UUID or an MD5 sum of the caller's is hashed like any other id (it would pass with a
probability of 2**-64), and a log that holds pseudonyms can be ingested again under the same key.
Two of n users share a pseudonym with a probability of about n² / 2**97.
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
    """The secret by which user ids are hashed at the door, so that no raw id is in any artifact or
    dead letter. Give one of the two keys; the secret itself is never written anywhere.
    """

    key_file: str | None = None
    """Absolute path of a file that holds the secret, at least 16 bytes (blanks around are not)."""
    key_env: str | None = None
    """Name of the environment variable that holds it."""

    @model_validator(mode="after")
    def _require_one_key(self) -> "UserIdKey":
        if (self.key_file is None) == (self.key_env is None):
            raise ValueError("expected one of key_file and key_env")
        if self.key_file is not None and not pathlib.PurePath(self.key_file).is_absolute():
            raise ValueError(f"key_file must be an absolute path, received {self.key_file!r}")
        return self


def load_key(place: UserIdKey) -> bytes:
    """The key itself. Raises ConfigError where there is none, or one that could be guessed."""
    if place.key_file is not None:
        where, found = f"the file {place.key_file}", _read_key_file(place.key_file)
    else:
        name = place.key_env or ""
        where, found = f"the environment variable {name}", os.environ.get(name, "").encode()
    found = found.strip()
    if len(found) < _SHORTEST_KEY:
        raise ConfigError(
            f"data.hash_user_ids: expected a key of at least {_SHORTEST_KEY} bytes in {where}, "
            f"received {len(found)}; make one with: openssl rand -hex 32"
        )
    return found


def hash_user_id(user_id: str, key: bytes) -> str:
    """The pseudonym, 40 hexadecimal digits; `key` is what `load_key` gives.

    A pseudonym that was made with `key` stays as it is, so hashing twice is hashing once.
    """
    if is_pseudonym(user_id, key):
        return user_id
    name = hmac.digest(key, user_id.encode(), "sha256").hex()[:_NAME_DIGITS]
    return name + _compute_proof(name, key)


def is_pseudonym(user_id: str, key: bytes) -> bool:
    """Whether `user_id` is a pseudonym that was made with `key`."""
    if len(user_id) != _NAME_DIGITS + _PROOF_DIGITS:
        return False
    name, proof = user_id[:_NAME_DIGITS], user_id[_NAME_DIGITS:]
    return hmac.compare_digest(proof.encode(), _compute_proof(name, key).encode())


def _compute_proof(name: str, key: bytes) -> str:
    return hmac.digest(key, _PROOF + name.encode(), "sha256").hex()[:_PROOF_DIGITS]


def compute_pseudonym(user_id: str, place: UserIdKey | None) -> str:
    """The name by which the artifacts know a user: the id itself where ids are not hashed."""
    return user_id if place is None else hash_user_id(user_id, load_key(place))


def compute_key_fingerprint(place: UserIdKey | None) -> str:
    """Differs with the key and tells nothing of it: another key makes other artifacts."""
    if place is None:
        return ""
    return hashlib.sha256(hmac.digest(load_key(place), b"tandem/fingerprint", "sha256")).hexdigest()


def _read_key_file(path: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"data.hash_user_ids: expected a readable key file at {path}, received "
            f"{error.strerror}; fix data.hash_user_ids.key_file"
        ) from error
