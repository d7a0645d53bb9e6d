import pytest
from pydantic import ValidationError

from schema.labels import Labels


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"positive": {"column": "event"}}, "one of at_least and is_in, received neither"),
        (
            {"positive": {"column": "event", "at_least": 1, "is_in": ["buy"]}},
            "one of at_least and is_in, received both",
        ),
        ({"positive": {"column": "event", "is_in": []}}, "at least 1 item"),
        (
            {"ranking": {"buy": {"column": "event", "kind": "regression", "is_in": ["buy"]}}},
            'is_in goes with kind = "binary" and without at_least',
        ),
        (
            {"ranking": {"buy": {"column": "event", "kind": "binary", "at_least": 2,
                                 "is_in": ["buy"]}}},
            'received kind = "binary", at_least = 2',
        ),
    ],
)  # fmt: skip
def test_conditions_that_contradict_are_refused(keys, message):
    with pytest.raises(ValidationError) as refused:
        Labels.model_validate(keys)
    assert message in str(refused.value)
