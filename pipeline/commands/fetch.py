"""`tandem fetch`: downloads a public data set, verifies its hash and unpacks the expected files."""

import hashlib
import http.client
import pathlib
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from schema.errors import UsageError

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60.0


class Archive(NamedTuple):
    """A published zip file, its MD5 as published, and the members to unpack."""

    url: str
    md5: str
    members: tuple[str, ...]


ARCHIVES = {
    # Harper and Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015; terms of use in its README.
    "movielens-1m": Archive(
        url="https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        md5="c4d9eecfca2ab87c1945afe126590906",
        members=("ml-1m/README", "ml-1m/movies.dat", "ml-1m/ratings.dat", "ml-1m/users.dat"),
    )
}


def fetch_archive(archive: Archive, out: pathlib.Path) -> list[pathlib.Path]:
    """Unpacks the archive's members into `out`, without their folders, and returns their paths.

    Nothing is written to `out` before the archive is complete and its hash verified; existing files
    are replaced. Raises UsageError where the archive cannot be downloaded, has another hash or
    lacks a member, or `out` is not writable.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=out) as folder:
            packed = pathlib.Path(folder) / "archive.zip"
            _download(archive, packed)
            unpacked = _unpack(archive, packed)
            return [path.replace(out / path.name) for path in unpacked]
    except OSError as error:
        raise UsageError(
            f"expected to write into {out}, received: {error}; choose another folder with --out"
        ) from error


# pooch would replace only these two functions, not their errors or `_unpack`, and resumes nothing.
def _download(archive: Archive, packed: pathlib.Path) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with packed.open("wb") as file:
        for chunk in _read_chunks(archive.url):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != archive.md5:
        raise UsageError(
            f"expected {archive.url} to have MD5 {archive.md5}, received {digest.hexdigest()}; "
            "nothing was unpacked: try again, or fetch the file by another way"
        )


def _read_chunks(url: str) -> Iterator[bytes]:
    """Yields the body of `url`; any failure is reported as one of the network."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            while chunk := response.read(CHUNK_BYTES):
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(
            f"expected to download {url}, received: {error}; is there a network here? "
            "Behind a proxy set HTTPS_PROXY, or download it elsewhere and unpack it"
        ) from error


def _unpack(archive: Archive, packed: pathlib.Path) -> list[pathlib.Path]:
    """Unpacks the expected members next to `packed`; names in the archive are never paths."""
    with zipfile.ZipFile(packed) as opened:
        missing = sorted(set(archive.members) - set(opened.namelist()))
        if missing:
            raise UsageError(
                f"expected {archive.url} to hold {missing}, received {opened.namelist()}"
            )
        paths = []
        for member in archive.members:
            paths.append(packed.parent / pathlib.PurePosixPath(member).name)
            with opened.open(member) as source, paths[-1].open("wb") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
    return paths
