import dataclasses
import types
from typing import Any

import numpy as np

from trainer.data.catalogue import Catalogue
from trainer.training.fingerprint import compute_fingerprint


def _data(timelines_of, items=(1, 2), title=b"one") -> Any:
    ids = np.array([b"", b"a", b"b"], object)
    titles = np.array([b"", title, b"two"], object)
    split = timelines_of([(b"u", 1, list(items), [10, 20], 0)])
    dataset = types.SimpleNamespace(model_dump_json=lambda: "{}")
    return types.SimpleNamespace(
        dataset=dataset, catalogue=Catalogue(ids, titles, {}), train=split, valid=split
    )


def test_the_same_is_the_same_and_each_change_shows(timelines_of):
    data = _data(timelines_of)
    other = dataclasses.replace(data.train, target_from=np.array([1]))
    later: Any = types.SimpleNamespace(**(vars(data) | {"valid": other}))
    results = [
        compute_fingerprint(data, 1, "config"),
        compute_fingerprint(data, 2, "config"),
        compute_fingerprint(data, 1, "other"),
        compute_fingerprint(_data(timelines_of, items=(2, 1)), 1, "config"),
        compute_fingerprint(_data(timelines_of, title=b"uno"), 1, "config"),
        compute_fingerprint(later, 1, "config"),
    ]
    assert len(set(results)) == len(results)
    assert compute_fingerprint(_data(timelines_of), 1, "config") == results[0]
