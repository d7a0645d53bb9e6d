"""What `auto` becomes depends on the data; a value that the user gave stays."""

import types
from typing import Any

import pytest

from trainer.config.models import RetrievalConfig
from trainer.retrieval.automatic import resolve_automatic


def _data(has_times: bool) -> Any:
    return types.SimpleNamespace(has_times=has_times)


@pytest.mark.parametrize("has_times", [True, False])
def test_popularity_is_in_the_score_of_a_log_with_times(has_times):
    resolved = resolve_automatic(RetrievalConfig(), _data(has_times))
    assert resolved == RetrievalConfig(popularity_prior=has_times)


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_what_the_user_gave_stays(has_times, given):
    config = RetrievalConfig(popularity_prior=given, refit_epochs=2)
    assert resolve_automatic(config, _data(has_times)) == config
