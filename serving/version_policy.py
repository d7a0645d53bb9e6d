"""Which of the versions on disk are to serve: TensorFlow Serving's ServableVersionPolicy."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from tensorflow_serving.config import file_system_storage_path_source_pb2

ServableVersionPolicy = (
    file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy
)


class Wanted(NamedTuple):
    """Versions to try, the highest first, until as many serve as are enough."""

    versions: list[int]
    enough: int


def wanted(policy: ServableVersionPolicy, on_disk: Sequence[int]) -> Wanted:
    """What `policy` takes of the versions found on disk.

    `latest` is the policy where none is chosen, and its number is 1 where none is given. It counts
    the versions that serve: one that does not load is made up for by the next lower. A specific
    version that is not on disk is left out, and taken once it is there.
    """
    descending = sorted(on_disk, reverse=True)
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return Wanted(descending, sys.maxsize)
    if choice == "specific":
        chosen = set(policy.specific.versions)
        return Wanted([version for version in descending if version in chosen], sys.maxsize)
    return Wanted(descending, max(policy.latest.num_versions, 1))
