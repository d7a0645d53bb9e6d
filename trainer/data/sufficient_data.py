"""Checks that there is enough data to train and to evaluate, before training spends hours."""

from schema.errors import DataRefused
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.timelines import Timelines, split_halves
from trainer.data.training_data import TrainingData


def require_sufficient_data(data: TrainingData) -> None:
    """Raises DataRefused unless train has a positive event on an item of the catalogue, and valid
    and test each have a user with one on an item that is new to that user; valid in both halves,
    since ranking learns from the first and is judged by the second.
    """
    learned = data.train.own & data.train.positive
    if not (learned & (data.train.item_index > 0)).any():
        raise DataRefused(
            "expected positive events of train on items of the catalogue, received none: "
            f"{_describe_counts(data.train)}; {_suggest_remedy(data)}"
        )
    for name, split in (("valid", data.valid), ("test", data.test)):
        require_queries(build_queries(split, data.moment(split)), name, data)
    _require_both_halves(data)


def _require_both_halves(data: TrainingData) -> None:
    found = [len(build_queries(h, data.end)) for h in split_halves(data.valid, data.has_clock)]
    if not all(found):
        raise DataRefused(
            "expected a user with an item that is new to that user in either half of valid, for "
            f"ranking learns from the first and is judged by the second, received {found[0]} and "
            f"{found[1]}: {_describe_counts(data.valid)}; use more users, more data or larger "
            "splits"
        )


def require_ranking_examples(events: int, candidates: int, half: str) -> None:
    """Raises DataRefused where of the positive events of a half of valid none has an item that
    retrieval returns among its `candidates`.
    """
    if not events:
        raise DataRefused(
            f"ranking: expected an event in the {half} half of valid whose item is among the "
            f"{candidates} that retrieval returns, received none; use more data or a larger "
            "ranking.candidates"
        )


def require_queries(queries: EvaluationQueries, split: str, data: TrainingData) -> None:
    """Raises DataRefused where nobody in the split of that name can be recommended anything."""
    if not len(queries):
        counted = _describe_counts(data.valid if split == "valid" else data.test)
        raise DataRefused(
            f"expected a user of {split} with a positive event on an item of the catalogue that is "
            f"new to that user, received none: {counted}; {_suggest_remedy(data)}"
        )


def _describe_counts(split: Timelines) -> str:
    positive = split.own & split.positive
    known = positive & (split.item_index > 0)
    return (
        f"{split.own.sum():,} events, {positive.sum():,} of them positive, {known.sum():,} of "
        "these on items of the catalogue"
    )


def _suggest_remedy(data: TrainingData) -> str:
    rule = data.dataset.labels.positive
    label = "" if rule is None else f", whether labels.positive fits the column {rule.column}"
    return (
        "check whether data.interactions.item_id and data.items.item_id name the same ids"
        f"{label}, or use more data or larger splits"
    )
