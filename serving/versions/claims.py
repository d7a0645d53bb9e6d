"""Claims of versions on an object store: of pushes at the same moment no two have the same version.

Folders have a rename that one of two wins. A store has none, and Arrow's file systems have no write
that fails where an object is. What S3, GCS and MinIO do promise is that a listing shows every
object that was written before it began. So a push first writes an object of its own,
`<serving>/.pushes/<version>.<unique>`, and only then lists. Of two that claim the same version, the
one whose listing began later finds the claim of the other, and gives way; both do where both have
written before either lists. It removes its claim, waits a random time and claims a higher version.

Claims are listed before versions, since a push that has ended meanwhile has no claim any more: it
was removed when all of its version was there. A push that was killed leaves its claim, which counts
as one under way for a day. Ages are differences of the store's own times: no other clock counts.
"""

import contextlib
import pathlib
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping

from schema.storage import object_store
from serving.versions.local import is_version

_FOLDER = ".pushes"
_UNDER_WAY_SECONDS = 24 * 3600.0
_WAIT_SECONDS = 1.0


@contextlib.contextmanager
def claim_version(serving: str, highest_begun: Callable[[], int]) -> Iterator[int]:
    """A version above all others, which is the caller's alone until the block ends, however it
    ends. `highest_begun` lists the store: the highest version begun of any model, 0 before the
    first. Raises OSError where the store cannot be reached.
    """
    while True:
        version = max(_find_highest_but("", serving), highest_begun()) + 1
        claim = f"{version}.{uuid.uuid4().hex}"
        try:
            _write(f"{serving}/{_FOLDER}/{claim}")
            if _find_highest_but(claim, serving) < version and highest_begun() < version:
                yield version
                return
        finally:
            object_store.remove(f"{serving}/{_FOLDER}/{claim}")
        time.sleep(random.uniform(0, _WAIT_SECONDS))


def list_claimed_versions(serving: str) -> set[int]:
    """Versions that a push may be writing: claimed no more than a day before the latest claim."""
    claims = _list_claims(serving)
    return {_parse_version(name) for name in claims.keys() - _find_old(claims)}


def remove_old_claims(serving: str) -> None:
    """Removes the claims of pushes that were killed, a day before the latest claim or earlier."""
    for name in _find_old(_list_claims(serving)):
        object_store.remove(f"{serving}/{_FOLDER}/{name}")


def _find_old(claims: Mapping[str, float]) -> set[str]:
    latest = max(claims.values(), default=0.0)
    return {name for name, at in claims.items() if latest - at > _UNDER_WAY_SECONDS}


def _find_highest_but(own: str, serving: str) -> int:
    return max((_parse_version(name) for name in _list_claims(serving) if name != own), default=0)


def _list_claims(serving: str) -> dict[str, float]:
    """When each claim was written, in seconds since epoch, by its name."""
    found = object_store.list_write_times(f"{serving}/{_FOLDER}")
    return {name: at for name, at in found.items() if _parse_version(name)}


def _parse_version(name: str) -> int:
    """0 for what is no claim."""
    text = name.partition(".")[0]
    return int(text) if is_version(text) else 0


def _write(uri: str) -> None:
    with tempfile.NamedTemporaryFile(prefix="tandem-") as empty:
        object_store.upload_file(pathlib.Path(empty.name), uri)
