"""Every answer of every user asked as a row of its own: what it is, when it was taken, where the
list has it.
"""

import dataclasses

import numpy as np

from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import SECONDS_PER_DAY


@dataclasses.dataclass(frozen=True)
class TakenAnswers:
    """`a` answers of `users` users, in the users' order."""

    users: int
    user: np.ndarray
    """[a] place of the user among those asked."""
    item: np.ndarray
    """[a] index of the item."""
    event: np.ndarray
    """[a] position in the questions' timelines of the event by which the user first took it."""
    days: np.ndarray
    """[a] days from the moment of the question to when the user first took it."""

    def ranks(self, lists: np.ndarray) -> np.ndarray:
        """[users, k] -> [a] place of the answer in its user's list, from 1; 0 where it has none."""
        width = int(max(lists.max(), self.item.max())) + 1
        listed = np.arange(self.users)[:, None] * width + lists
        order = np.argsort(listed, axis=None)
        wanted = self.user.astype(np.int64) * width + self.item
        place = np.minimum(np.searchsorted(listed.ravel()[order], wanted), listed.size - 1)
        found = listed.ravel()[order[place]] == wanted
        return np.where(found, order[place] % lists.shape[1] + 1, 0)


def of(asked: Questions) -> TakenAnswers:
    """The answers of `asked`, each with the first positive event of the split that made it one."""
    split = asked.timelines
    number = np.unique(split.user_ids, return_inverse=True)[1]  # the same for a user's windows
    width = int(split.item_index.max()) + 1
    chosen = np.flatnonzero(split.own & split.positive & (split.item_index > 0))
    chosen = chosen[np.argsort(split.timestamps[chosen], kind="stable")]
    pairs = number[split.rows[chosen]] * width + split.item_index[chosen]
    pairs, first = np.unique(pairs, return_index=True)
    user = np.repeat(np.arange(len(asked)), [len(items) for items in asked.answers])
    item = np.concatenate(asked.answers).astype(np.int64)
    wanted = np.searchsorted(pairs, number[asked.row[user]] * width + item)
    event = chosen[first[wanted]]
    days = (split.timestamps[event] - asked.now) / SECONDS_PER_DAY
    return TakenAnswers(len(asked), user, item, event, days)
