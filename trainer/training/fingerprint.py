"""A fingerprint of the data and configuration that a checkpoint belongs to."""

import dataclasses
import hashlib

import numpy as np
import pyarrow as pa

from trainer.data.training_data import TrainingData


def compute_fingerprint(data: TrainingData, *settings: object) -> str:
    """32 hexadecimal digits, which change with the training data and with any of `settings`
    (configurations as JSON, and the seed).
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((data.dataset.model_dump_json(), *settings)).encode())
    for table in (data.catalogue, data.train, data.valid):
        for field in dataclasses.fields(table):
            _update_digest(digest, field.name, getattr(table, field.name))
    return digest.hexdigest()


def _update_digest(digest: "hashlib.blake2b", name: str, value: object) -> None:
    if isinstance(value, dict):
        for key in sorted(value):
            _update_digest(digest, f"{name}.{key}", value[key])
    elif isinstance(value, np.ndarray) and value.dtype == object:
        digest.update(repr((name, value.tolist())).encode())
    elif isinstance(value, pa.Array):
        digest.update(memoryview(pa.record_batch([value], [name]).serialize()))
    elif isinstance(value, np.ndarray):
        digest.update(repr((name, value.shape, value.dtype.str)).encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(repr((name, value)).encode())
