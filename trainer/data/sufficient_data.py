"""Checks that there is enough data to train and to evaluate, before training spends hours."""

from schema.errors import DataRefused
from schema.recommend import Repeats
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.timelines import Timelines, split_halves
from trainer.data.training_data import TrainingData

_ITEMS: dict[Repeats, str] = {
    "exclude": "an item of the catalogue that is new to that user",
    "allow": "an item of the catalogue",
    "only": "an item of the catalogue that is in that user's history",
}
"""Items that can be relevant."""


def require_sufficient_data(data: TrainingData) -> None:
    """Raises DataRefused where a split is too small to train or evaluate with.

    Train must have a positive event on an item of the catalogue. Both halves of valid (ranking
    learns from the first and is evaluated on the second) and test must each have an evaluation
    query: a user with a positive event on an item that may be recommended to that user.
    """
    learned = data.train.own & data.train.positive
    if not (learned & (data.train.item_index > 0)).any():
        raise DataRefused(
            "expected positive events of train on items of the catalogue, received none: "
            f"{_describe_counts(data.train)}; {_suggest_remedy(data)}"
        )
    for name, split in (("valid", data.valid), ("test", data.test)):
        require_queries(build_queries(split, data.moment(split), data.repeats), name, data)
    _require_both_halves(data)


def _require_both_halves(data: TrainingData) -> None:
    halves = split_halves(data.valid, data.has_clock)
    counts = [len(build_queries(half, data.end, data.repeats)) for half in halves]
    if not all(counts):
        raise DataRefused(
            f"expected a user with {_ITEMS[data.repeats]} in both halves of valid (ranking learns "
            f"from the first and is evaluated on the second), received {counts[0]} and "
            f"{counts[1]}: {_describe_counts(data.valid)}; use more users, more data or larger "
            "splits"
        )


def require_ranking_examples(events: int, candidates: int, half: str) -> None:
    """Raises DataRefused where `events`, the positive events of a half of valid whose item is
    among retrieval's `candidates`, is 0.
    """
    if not events:
        raise DataRefused(
            f"ranking: expected an event in the {half} half of valid whose item is among the "
            f"{candidates} that retrieval returns, received none; use more data or a larger "
            "ranking.candidates"
        )


def require_queries(queries: EvaluationQueries, split: str, data: TrainingData) -> None:
    """Raises DataRefused where the split of that name has no evaluation query."""
    if not len(queries):
        counts = _describe_counts(data.valid if split == "valid" else data.test)
        raise DataRefused(
            f"expected a user of {split} with a positive event on {_ITEMS[data.repeats]}, received "
            f"none: {counts}; {_suggest_remedy(data)}"
        )


def _describe_counts(split: Timelines) -> str:
    positive = split.own & split.positive
    known = positive & (split.item_index > 0)
    return (
        f"{split.own.sum():,} events, {positive.sum():,} of them positive, {known.sum():,} of "
        "these on items of the catalogue"
    )


def _suggest_remedy(data: TrainingData) -> str:
    labels = data.dataset.labels
    rule, key = labels.events or labels.positive, "events" if labels.events else "positive"
    label = "" if rule is None else f", whether labels.{key} fits the column {rule.column}"
    return (
        "check whether data.interactions.item_id and data.items.item_id use the same ids"
        f"{label}, or use more data or larger splits"
    )
