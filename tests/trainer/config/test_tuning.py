"""The values that [tune] accepts, and the messages for invalid ones."""

import pytest
from pydantic import ValidationError

from trainer.config import tuning as tuning_config
from trainer.config.models import RetrievalConfig
from trainer.config.tuning import SearchRange, TuneConfig


def test_ranges_and_lists_have_the_types_of_the_fields():
    declared = {
        "learning_rate": {"min": 1e-4, "max": 1, "sampling": "log"},
        "epochs": {"min": 2, "max": 5},
        "dropout": [0, 0.5],
        "embedding_dim": [32, 64],
    }
    tune = TuneConfig.model_validate({"retrieval": declared})
    result = {
        name: tuning_config.validate_range(name, bounds) for name, bounds in tune.retrieval.items()
    }
    assert result == {
        "learning_rate": [1e-4, 1.0],
        "epochs": [2, 5],
        "dropout": [0.0, 0.5],
        "embedding_dim": [32, 64],
    }
    types = {name: type(values[0]) for name, values in result.items()}
    assert types == {"learning_rate": float, "epochs": int, "dropout": float, "embedding_dim": int}


def test_what_is_searched_without_a_declaration_fits_the_fields():
    tune = TuneConfig()
    assert TuneConfig.model_validate(tune.model_dump(exclude_defaults=False)) == tune
    assert set(tune.retrieval) <= set(RetrievalConfig.model_fields)
    for name, searched in tune.retrieval.items():
        for value in tuning_config.validate_range(name, searched):
            RetrievalConfig.model_validate({name: value})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"width": [1]}, r"width is no key of \[retrieval\]; expected one of embedding_dim, "),
        ({"dropout": [0.1, 1.0]}, r"dropout: Input should be less than 1, received 1\.0"),
        ({"dropout": {"min": 0.5, "max": 1.5}}, r"dropout: Input should be less than 1, rec"),
        ({"epochs": {"min": 1.5, "max": 3}}, r"epochs: .*valid integer.*received 1\.5"),
        ({"dropout": 0.1}, r"valid dictionary"),
        ({"dropout": []}, r"expected min and max, or a list of values"),
        ({"dropout": {"min": 0.1}}, r"give both ends"),
        ({"dropout": {"min": 0.5, "max": 0.5}}, r"min below max, received 0\.5 and 0\.5"),
        ({"learning_rate": {"min": 1, "max": float("inf")}}, r"finite min below max"),
        ({"learning_rate": {"min": float("nan"), "max": 1}}, r"finite min below max"),
        ({"dropout": {"min": 0, "max": 0.5, "sampling": "log"}}, r"min above 0, received 0\.0"),
        ({"dropout": {"values": [0.1], "min": 0, "max": 1}}, r"received both"),
        ({"dropout": {"from": 0}}, r"Extra inputs"),
        ({}, r"at least 1 item"),
    ],
)
def test_invalid_values_are_refused(declared, message):
    with pytest.raises(ValidationError, match=message):
        TuneConfig.model_validate({"retrieval": declared})


def test_a_field_that_is_no_number_has_no_range(monkeypatch):
    class Worded(RetrievalConfig):
        reading: str = "mean"

    monkeypatch.setattr(tuning_config, "RetrievalConfig", Worded)
    with pytest.raises(ValueError, match="reading is no number, so min and max do not apply"):
        tuning_config.validate_range("reading", SearchRange(min=0, max=1))
    assert tuning_config.validate_range("reading", SearchRange(values=["mean", "last"])) == [
        "mean",
        "last",
    ]
