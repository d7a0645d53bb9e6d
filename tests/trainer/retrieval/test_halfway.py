"""The model halfway through valid lies beside the held-out one, where there is a half to learn."""

import pytest

from trainer.config.models import RetrievalConfig
from trainer.retrieval.artifacts import RetrievalOutputs, has_halfway


@pytest.mark.parametrize(
    ("refit_epochs", "has_clock", "expected"),
    [("auto", True, True), (1, True, True), (0, True, False), ("auto", False, False)],
)
def test_it_needs_a_refit_and_a_clock(refit_epochs, has_clock, expected):
    config = RetrievalConfig(refit_epochs=refit_epochs)
    assert has_halfway(config, has_clock) is expected


def test_its_artifacts_do_not_replace_those_of_the_held_out_model():
    outputs = RetrievalOutputs("run/model", "run/candidates")
    places = {outputs.model_uri, outputs.candidates_uri}
    halfway = {outputs.halfway.model_uri, outputs.halfway.candidates_uri}
    assert len(places | halfway) == 4
    assert all(place.startswith("run/candidates/") for place in halfway)
