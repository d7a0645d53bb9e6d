"""Claims of versions on an object store, so that concurrent pushes get different versions.

In a folder only one of two renames to the same name succeeds. An object store has no rename, and
Arrow's file systems have no write that fails if the object exists. But S3, GCS and MinIO guarantee
that a listing contains every object written before it began. So a push first writes an object of
its own, `<serving>/.pushes/<version>.<unique>`, and then lists. Of two pushes that claim the same
version, the one whose listing began later finds the other claim and yields; both yield if both
wrote before either listed. A push that yields removes its claim, waits a random time and claims a
higher version.

Claims are listed before versions: a push that ends in between has removed its claim, but only after
its version was complete. A killed push leaves its claim, which counts as a push in progress for a
day. Ages are differences between times of the store; no other clock is used.
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
_IN_PROGRESS_SECONDS = 24 * 3600.0
_WAIT_SECONDS = 1.0


@contextlib.contextmanager
def claim_version(serving: str, highest_begun: Callable[[], int]) -> Iterator[int]:
    """Claims a version above all others for the duration of the block.

    `highest_begun` lists the store and returns the highest version of any model, complete or not, 0
    if there is none. Raises OSError if the store cannot be reached.
    """
    while True:
        version = max(_find_highest_except("", serving), highest_begun()) + 1
        claim = f"{version}.{uuid.uuid4().hex}"
        try:
            _write(f"{serving}/{_FOLDER}/{claim}")
            if _find_highest_except(claim, serving) < version and highest_begun() < version:
                yield version
                return
        finally:
            object_store.remove(f"{serving}/{_FOLDER}/{claim}")
        time.sleep(random.uniform(0, _WAIT_SECONDS))


def list_claimed_versions(serving: str) -> set[int]:
    """Versions that may be in progress: claimed at most a day before the latest claim."""
    claims = _list_claims(serving)
    return {_parse_version(name) for name in claims.keys() - _find_old(claims)}


def remove_old_claims(serving: str) -> None:
    """Removes claims of killed pushes, more than a day older than the latest claim."""
    for name in _find_old(_list_claims(serving)):
        object_store.remove(f"{serving}/{_FOLDER}/{name}")


def _find_old(claims: Mapping[str, float]) -> set[str]:
    latest = max(claims.values(), default=0.0)
    return {name for name, at in claims.items() if latest - at > _IN_PROGRESS_SECONDS}


def _find_highest_except(own: str, serving: str) -> int:
    return max((_parse_version(name) for name in _list_claims(serving) if name != own), default=0)


def _list_claims(serving: str) -> dict[str, float]:
    """Write time of each claim by its name, in seconds since epoch."""
    times = object_store.list_write_times(f"{serving}/{_FOLDER}")
    return {name: at for name, at in times.items() if _parse_version(name)}


def _parse_version(name: str) -> int:
    """Version of a claim; 0 if the name is not a claim."""
    text = name.partition(".")[0]
    return int(text) if is_version(text) else 0


def _write(uri: str) -> None:
    with tempfile.NamedTemporaryFile(prefix="tandem-") as empty:
        object_store.upload_file(pathlib.Path(empty.name), uri)
