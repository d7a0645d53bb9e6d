"""What `auto` becomes depends on the data; a value that the user gave stays."""

import types
from typing import Any

import numpy as np
import pytest

from trainer.config.models import RetrievalConfig
from trainer.retrieval.automatic import resolve_automatic


def _data(has_times: bool = True, lengths: tuple[int, ...] = (2, 3, 9)) -> Any:
    train = types.SimpleNamespace(row_splits=np.cumsum((0, *lengths)))
    return types.SimpleNamespace(has_times=has_times, train=train)


@pytest.mark.parametrize("has_times", [True, False])
def test_popularity_is_in_the_score_of_a_log_with_times(has_times):
    assert resolve_automatic(RetrievalConfig(), _data(has_times)).popularity_prior is has_times


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [((1, 2, 90), "mean"), ((2, 3, 3), "attention"), ((2, 2, 3, 9), "mean"), ((3,), "attention")],
)
def test_attention_needs_three_events_of_at_least_half_of_the_users(lengths, expected):
    assert resolve_automatic(RetrievalConfig(), _data(lengths=lengths)).history == expected


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("prior", [True, False])
@pytest.mark.parametrize("history", ["attention", "mean"])
def test_what_the_user_gave_stays(has_times, prior, history):
    config = RetrievalConfig(popularity_prior=prior, history=history, refit_epochs=2)
    assert resolve_automatic(config, _data(has_times, (1,))) == config
