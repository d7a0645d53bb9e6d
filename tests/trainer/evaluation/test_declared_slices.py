import types

import numpy as np

from schema.features import Features
from trainer.evaluation.slices import slice_items

TRANSFORMS_OWN = b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"


def test_a_category_that_nothing_has_is_no_slice_by_transforms_placeholder():
    vocabularies = {"item_studio": [TRANSFORMS_OWN], "item_genre": [b"drama"]}
    data = types.SimpleNamespace(
        dataset=types.SimpleNamespace(
            features=Features.model_validate(
                {"items": {"studio": {"kind": "category"}, "genre": {"kind": "category"}}}
            )
        ),
        items_graph=types.SimpleNamespace(vocabulary_by_name=vocabularies.__getitem__),
        catalogue=types.SimpleNamespace(
            features={"studio": np.array([0, 0, 0]), "genre": np.array([0, 1, 0])}
        ),
    )
    result = slice_items(np.array([1, 2]), data)  # type: ignore[arg-type]
    names = {key: [part.name for part in parts] for key, parts in result.items()}
    assert names == {"item_studio": ["no known value"], "item_genre": ["drama", "no known value"]}
    assert result["item_studio"][0].chosen.tolist() == [True, True]
