"""A search over a planted function, whose best values are known."""

import json
import logging

import pytest

from schema.errors import TandemError, TrainingDiverged, UsageError
from trainer.config.models import RetrievalConfig
from trainer.config.tuning import TuneConfig
from trainer.retrieval.tuning import OBJECTIVE, RetrievalSearch, TrialRecords

PRESENT = RetrievalConfig(embedding_dim=48, dropout=0.9, epochs=3)
CHOICES = {"embedding_dim": [16, 32, 64], "dropout": [0.1, 0.2]}
BEST = (64, 0.1)


class Planted:
    """Scores a wide embedding higher and dropout lower; records the trials that it received."""

    def __init__(
        self, stops_at: int = -1, error: BaseException | type[BaseException] = KeyboardInterrupt
    ):
        self.trials = []
        self._stops_at = stops_at
        self._error = error

    def __call__(self, config, name):
        assert config.epochs == PRESENT.epochs  # keys that are not searched are unchanged
        if len(self.trials) == self._stops_at:
            raise self._error
        self.trials.append((config.embedding_dim, config.dropout))
        return {OBJECTIVE: config.embedding_dim / 100 - config.dropout, "epochs": 3.0}


@pytest.fixture
def search(tmp_path):
    """Searches, and resumes from the records in the folder `records`."""

    def call(train, trials=40, declared=CHOICES, seed=5, records="records"):
        tune = TuneConfig.model_validate({"trials": trials, "retrieval": declared})
        retained = TrialRecords(str(tmp_path / records))
        tuner = RetrievalSearch(PRESENT, tune, seed, train, retained, str(tmp_path / "work"))
        tuner.search()
        return tuner

    return call


def find_best(tuner):
    values = tuner.get_best_hyperparameters()[0].values
    return values["embedding_dim"], values["dropout"]


def test_all_choices_are_tried_once_after_the_current_configuration(search):
    train = Planted()
    tuner = search(train)
    assert train.trials[0] == (48, 0.9)
    assert sorted(train.trials[1:]) == [(d, p) for d in (16, 32, 64) for p in (0.1, 0.2)]
    assert find_best(tuner) == BEST
    assert tuner.oracle.get_best_trials()[0].score == pytest.approx(0.54)


def test_numbers_are_in_their_ranges_and_have_their_types(search):
    train = Planted()
    declared = {
        "dropout": {"min": 0.05, "max": 0.5, "sampling": "log"},
        "embedding_dim": {"min": 8, "max": 11},
    }
    search(train, trials=30, declared=declared)
    drawn = train.trials[1:]
    assert len(drawn) == 29
    assert {dim for dim, _ in drawn} == {8, 9, 10, 11}
    assert all(type(dim) is int and 0.05 <= dropout <= 0.5 for dim, dropout in drawn)
    # half of the orders of magnitude is below sqrt(.05 x .5) = .158: 14.5 of 29, deviation 2.7
    assert 6 <= sum(dropout < 0.158 for _, dropout in drawn) <= 23


def test_the_same_seed_gives_the_same_trials_and_more_begin_with_fewer(search):
    few, many, others = Planted(), Planted(), Planted()
    ranges = {"dropout": {"min": 0.1, "max": 0.5}}
    search(few, trials=3, declared=ranges, records="a")
    search(many, trials=5, declared=ranges, records="b")
    search(others, trials=5, declared=ranges, records="c", seed=6)
    assert many.trials[:3] == few.trials
    assert others.trials[1:] != many.trials[1:]


@pytest.mark.parametrize("completed_trials", [0, 1, 3])
def test_an_interrupted_search_resumes_with_the_remaining_trials(search, completed_trials):
    whole = Planted()
    expected = search(whole, records="whole")
    first, second = Planted(completed_trials, KeyboardInterrupt()), Planted()
    with pytest.raises(KeyboardInterrupt):
        search(first)
    positions = search(second)
    assert len(first.trials) == completed_trials
    assert first.trials + second.trials == whole.trials
    assert find_best(positions) == find_best(expected) == BEST


def test_a_finished_search_trains_nothing_and_a_longer_one_the_rest(search):
    search(Planted(), trials=3)
    again, longer = Planted(), Planted()
    search(again, trials=3)
    assert again.trials == []
    search(longer, trials=5)
    assert len(longer.trials) == 2


def test_an_incomplete_record_is_ignored(search, tmp_path):
    search(Planted(), trials=1)
    [record] = (tmp_path / "records").iterdir()
    retained = json.loads(record.read_text())
    assert retained["values"] == {"embedding_dim": 48, "dropout": 0.9}
    record.rename(record.with_suffix(".tmp"))
    again = Planted()
    search(again, trials=1)
    assert again.trials == [(48, 0.9)]


def test_a_trial_whose_loss_is_nan_is_counted_and_recorded(search, caplog):
    class Diverging(Planted):
        def __call__(self, config, name):
            if config.embedding_dim == 64:
                raise TrainingDiverged("expected a finite training loss, received nan")
            return super().__call__(config, name)

    with caplog.at_level(logging.INFO, logger="tandem.progress.trials"):
        tuner = search(Diverging())
    assert find_best(tuner) == (32, 0.1)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 7
    assert lines[0] == "trial 1 of 40: valid_ndcg@10=-0.4200  embedding_dim=48 dropout=0.9"
    assert sum("expected a finite training loss, received nan" in line for line in lines) == 2
    again = Diverging()
    search(again)
    assert again.trials == []


def test_values_that_are_invalid_together_are_a_failed_trial(search, monkeypatch):
    from pydantic import model_validator

    class Even(RetrievalConfig):
        @model_validator(mode="after")
        def _wide_ones_need_much_dropout(self):
            if self.embedding_dim == 64 and self.dropout == 0.1:
                raise ValueError("embedding_dim = 64 expects more dropout")
            return self

    monkeypatch.setattr("trainer.retrieval.tuning.RetrievalConfig", Even)
    assert find_best(search(Planted())) == (64, 0.2)


def test_a_search_without_any_measured_trial_says_so(search):
    with pytest.raises(TandemError, match=r"received 2 that failed, the last with: nan; narrow"):
        search(Planted(0, TrainingDiverged("nan")), trials=2)


@pytest.mark.parametrize("error", [KeyError("bug"), UsageError("no GPU"), TandemError("no room")])
def test_any_other_error_ends_the_search_without_a_record(search, tmp_path, error):
    with pytest.raises(type(error)) as raised:
        search(Planted(2, error))
    assert raised.value is error
    assert len(list((tmp_path / "records").iterdir())) == 2
