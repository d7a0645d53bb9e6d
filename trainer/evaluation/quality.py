"""Ranked lists for the questions of evaluation, measured in every way."""

import dataclasses

import numpy as np

from trainer import declared_slices, interaction_matrix, paired_difference, taken_answers
from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import PopularityClock
from trainer.data.training_data import TrainingData
from trainer.evaluation import slice_metrics as slices
from trainer.evaluation import slices as slicing
from trainer.evaluation.slice_metrics import Row, Slice
from trainer.metrics import beyond_accuracy, confidence
from trainer.metrics import ranking as metrics
from trainer.metrics.beyond_accuracy import Known
from trainer.taken_answers import TakenAnswers

_SEED = 1
_HEADLINE = ("recall@10", "ndcg@10", "recall@100")
_CUTOFFS = (10, 100)


@dataclasses.dataclass(frozen=True)
class Judge:
    """All that lists of the same questions are measured with."""

    asked: Questions
    known: Known
    answers: TakenAnswers
    user_slices: dict[str, list[Slice]]
    """By what they are told apart: slices of those asked."""
    answer_slices: dict[str, list[Slice]]
    """The same of the answers."""

    def measured(self, lists: np.ndarray) -> "MeasuredLists":
        """`lists` [users, >= 100], or as deep as the catalogue."""
        return MeasuredLists(self, lists, metrics.per_user(lists, self.asked.answers))


def judge(
    asked: Questions, clock: PopularityClock, vectors: np.ndarray, data: TrainingData
) -> Judge:
    """`clock` has what may be known at the moment of the questions; `vectors` [n + 1, dim] are the
    items'.
    """
    taken = interaction_matrix.taken_before(clock, asked.now)
    known = Known(
        events=clock.counts(asked.now),
        takers=np.asarray(taken.sum(axis=0)).ravel(),
        users=int(np.count_nonzero(np.diff(taken.indptr))),
        vectors=vectors,
    )
    answers = taken_answers.of(asked)
    return Judge(
        asked,
        known,
        answers,
        _of_users(asked, data),
        _of_answers(asked, answers, known.events, data),
    )


def _of_users(asked: Questions, data: TrainingData) -> dict[str, list[Slice]]:
    history = np.array([len(items) for items in asked.seen])
    by_history = {
        "history": slicing.by_history(history),
        "activity": slicing.by_activity(history),
    }
    return by_history | declared_slices.of_users(asked, data)


def _of_answers(
    asked: Questions, answers: TakenAnswers, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """A split by last item has no cut, and so no time since it."""
    found = {"popularity": slicing.by_popularity(answers.item, events)}
    if data.has_clock:
        found["days since the cut"] = slicing.by_age(answers.days)
    found |= declared_slices.of_items(answers.item, data)
    return found | declared_slices.of_context(asked.timelines, answers.event, data)


@dataclasses.dataclass(frozen=True)
class MeasuredLists:
    """Lists, and what each user finds in them."""

    judge: Judge
    lists: np.ndarray
    columns: dict[str, np.ndarray]
    """Metric -> [users]."""

    def summary(self) -> Row:
        """Every metric's value by its name; `intervals`: name -> its bounds, of those that are
        means over users or over what they are shown.
        """
        found: Row = dict(metrics.means(self.columns))
        found |= beyond_accuracy.measure(self.lists, self.judge.known)
        intervals = confidence.means(self.columns, _SEED)
        intervals |= beyond_accuracy.intervals(self.lists, self.judge.known, _SEED)
        bounds = {name: {"low": i.low, "high": i.high} for name, i in intervals.items()}
        return found | {"intervals": bounds}

    def slices(self) -> dict[str, dict[str, Row]]:
        """By what users or answers are told apart: slice -> metrics."""
        ranks = self.judge.answers.ranks(self.lists)
        of_users = {
            kind: slices.of_users(self._headline, parts, _SEED)
            for kind, parts in self.judge.user_slices.items()
        }
        of_answers = {
            kind: slices.of_answers(self.judge.answers, ranks, parts, _CUTOFFS, _SEED)
            for kind, parts in self.judge.answer_slices.items()
        }
        return of_users | of_answers

    def against(self, others: dict[str, "MeasuredLists"]) -> dict[str, dict[str, Row]]:
        """By the others' names: metric -> difference, interval and verdict."""
        return {
            name: {
                metric: dataclasses.asdict(difference)
                for metric, difference in paired_difference.compare(
                    self._headline, other.columns, _SEED
                ).items()
            }
            for name, other in others.items()
        }

    @property
    def _headline(self) -> dict[str, np.ndarray]:
        return {name: self.columns[name] for name in _HEADLINE}
