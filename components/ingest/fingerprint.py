"""The size of the input files, and the fingerprint by which TFX's cache detects a change."""

import hashlib

from components.ingest.read.compression import open_raw
from components.ingest.read.files import find_files, open_file_systems
from schema.dataset import Dataset
from schema.user_ids import compute_key_fingerprint

_READ_BYTES = 1 << 20


def compute_input_fingerprint(dataset: Dataset, data_dir: str) -> str:
    """Returns SHA-256 of the paths and contents of all input files, and of the key for user ids."""
    open_file_systems()
    digest = hashlib.sha256(compute_key_fingerprint(dataset.data.hash_user_ids).encode())
    for name, source in dataset.data.list_tables():
        for path, size in find_files(data_dir, source).items():
            digest.update(f"{name}\0{path}\0{size}\0".encode())
            with open_raw(path) as handle:
                while chunk := handle.read(_READ_BYTES):
                    digest.update(chunk)
    return digest.hexdigest()


def measure_input(dataset: Dataset, data_dir: str) -> int:
    """Bytes of all input files, as they are stored."""
    open_file_systems()
    return sum(
        size
        for _, source in dataset.data.list_tables()
        for size in find_files(data_dir, source).values()
    )
