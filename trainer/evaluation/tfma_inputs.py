"""What the ranking model says on the test split, as rows for TFMA: of the candidates that retrieval
returns to each question, and of the events that have a label.
"""

from typing import Any

import numpy as np

from schema.candidates import Candidates
from schema.signatures import RELEVANCE
from trainer import declared_slices
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.evaluation_queries import Questions, ask
from trainer.data.training_data import TrainingData
from trainer.evaluation import slices as slicing
from trainer.evaluation.slice_metrics import Slice
from trainer.head_rows import Asked, HeadRows, Slices
from trainer.metrics import ranking as metrics
from trainer.metrics import top_k as ranked_lists
from trainer.ranking import examples as ranking_examples
from trainer.ranking import label_errors
from trainer.ranking import labels as label_values
from trainer.ranking import rerank as two_stages
from trainer.retrieval.stage import query_vectors

MOST_QUESTIONS = 2_000
MOST_EVENTS = 20_000
_SEED = 1


def of_test(
    data: TrainingData,
    query: Any,
    ranking: Any,
    candidates: Candidates,
    retrieval_config: RetrievalConfig,
    ranking_config: RankingConfig,
) -> dict[str, HeadRows | str]:
    """By head, `relevance` and each declared label: its rows, or why there are none.

    `query` and `ranking` are loaded SavedModels. Of more than `MOST_QUESTIONS` questions a sample
    is taken, of events with a label the latest `MOST_EVENTS`.
    """
    at_test = np.pad(candidates.vectors_at_test(), [(1, 0), (0, 0)])
    asked = ask(data.test, data.moment(data.test))
    return {
        RELEVANCE: _relevance(
            data, asked, query, ranking, at_test, retrieval_config, ranking_config.candidates
        )
    } | _labels(data, query, ranking, at_test[:, :-1], retrieval_config)


def described(rows: HeadRows | str) -> dict[str, str | int]:
    """`kind`, `rows` and the `questions` that they answer; a `note` where there are no rows."""
    if isinstance(rows, str):
        return {"note": rows}
    questions = {"questions": int(rows.asked.question[-1]) + 1} if rows.asked else {}
    return {"kind": rows.kind, "rows": len(rows)} | questions


def _relevance(
    data: TrainingData,
    asked: Questions,
    query: Any,
    ranking: Any,
    at_test: np.ndarray,
    config: RetrievalConfig,
    candidates: int,
) -> HeadRows | str:
    """Of questions to which retrieval returns an answer: only there ranking has something to put in
    order.
    """
    queries = query_vectors(query.positions, asked, config.history_length)
    lists = ranked_lists.nearest(queries, at_test, asked.seen, candidates)
    hit = metrics.hits(lists, asked.answers)
    drawn = sample(np.flatnonzero(hit.any(axis=1)), MOST_QUESTIONS)
    if not len(drawn):
        return "retrieval returns no answer to any question of test: nothing to put in order"
    part = asked.only(drawn)
    scores = two_stages.relevance(
        lists[drawn],
        queries[drawn],
        part,
        at_test[:, -1],
        two_stages.scorer(ranking),
        config.history_length,
    )
    return of_lists(data, part, lists[drawn], hit[drawn], scores)


def sample(places: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the ascending places, drawn without replacement, always the same."""
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(_SEED).choice(places, most, replace=False))


def of_lists(
    data: TrainingData,
    asked: Questions,
    lists: np.ndarray,
    hit: np.ndarray,
    scores: np.ndarray,
) -> HeadRows:
    """[q, c] items (0 for none), which of them are answers, and their relevance as a logit."""
    inside = lists > 0
    question, _ = np.nonzero(inside)
    history = np.array([len(items) for items in asked.seen])
    of_users = {"history": slicing.by_history(history)} | declared_slices.of_users(asked, data)
    of_rows = {
        feature: [Slice(part.name, part.chosen[question]) for part in found]
        for feature, found in of_users.items()
    }
    return HeadRows(
        kind="relevance",
        label=hit[inside].astype(np.float32),
        prediction=against_average(scores, inside)[inside].astype(np.float32),
        slices=of_rows | declared_slices.of_items(lists[inside], data),
        asked=Asked(question, of_users),
    )


def against_average(scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """[q, c] logits -> the probability that it is this candidate, where it is either this one or
    one that is as likely as the list's average.

    The head learns a softmax over a list, so a logit has no meaning across lists; and the softmax
    itself grows as lists get shorter. p / (p + mean p) = sigmoid(logit - log mean exp logit) has
    neither fault, and keeps each list's order. Places outside (`inside` [q, c] bool) are 0.
    """
    logits = np.where(inside, scores.astype(np.float64), -np.inf)
    top = logits.max(axis=1, keepdims=True)
    likelihood = np.exp(logits - top)
    mean = likelihood.sum(axis=1, keepdims=True) / inside.sum(axis=1, keepdims=True)
    return likelihood / (likelihood + mean)


def _labels(
    data: TrainingData, query: Any, ranking: Any, vectors: np.ndarray, config: RetrievalConfig
) -> dict[str, HeadRows | str]:
    if not data.dataset.labels.ranking:
        return {}
    moments = label_errors.at_test(data, query, vectors, config)
    examples = ranking_examples.labelled(data.test, moments, MOST_EVENTS)
    predicted = label_errors.scored(ranking.score, examples)
    slices = _of_events(data, examples.event)
    return {
        name: _of_label(data, name, examples.labels[name], predicted, slices)
        for name in data.dataset.labels.ranking
    }


def _of_label(
    data: TrainingData,
    name: str,
    values: np.ndarray,
    predicted: dict[str, np.ndarray],
    slices: Slices,
) -> HeadRows | str:
    obstacle = label_values.obstacle(data, name)
    known = ~np.isnan(values)
    if obstacle is not None:
        return obstacle
    if not known.any():
        return f"none of the latest {len(known)} events of test with a label has a value of {name}"
    label = data.dataset.labels.ranking[name]
    return HeadRows(
        kind=label.kind,
        label=label_values.target(values[known], label).astype(np.float32),
        prediction=predicted[name][known].astype(np.float32),
        slices={
            feature: [Slice(part.name, part.chosen[known]) for part in found]
            for feature, found in slices.items()
        },
    )


def _of_events(data: TrainingData, events: np.ndarray) -> Slices:
    """Slices of events [m] by their user, their item and their context."""
    split = data.test
    row = split.rows[events]
    before = events - split.row_splits[row]
    return (
        {"history": slicing.by_history(before)}
        | declared_slices.of_events(split, events, data)
        | declared_slices.of_items(split.item_index[events], data)
    )
