"""Timelines cut into windows, and windows padded into batches, using index arithmetic only."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from trainer.data.timelines import Timelines

Batch = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Windows:
    """`w` ranges of events; each is read whole, and the events from `target` on are targets."""

    row: np.ndarray
    """[w] index of the window's timeline."""
    start: np.ndarray
    """[w] first event, as a position in the flat arrays."""
    target: np.ndarray
    """[w] first event to learn from."""
    stop: np.ndarray
    """[w] one past the last event."""


def cut_windows(timelines: Timelines, length: int) -> Windows:
    """Windows of at most `length` events; where a timeline needs several, the targets of each are
    in its newer half.

    Each event of the split is a target in exactly one window.
    """
    start, stop = timelines.row_splits[:-1], timelines.row_splits[1:]
    first = start + timelines.target_from
    fits = np.minimum(stop, np.maximum(first + length // 2, start + length))
    step = max(length // 2, 1)
    more = np.maximum(0, -(-(stop - fits) // step))
    row = np.repeat(np.arange(len(timelines)), more + 1)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(more + 1) - (more + 1), more + 1)
    target = np.where(nth == 0, first[row], fits[row] + (nth - 1) * step)
    end = np.minimum(fits[row] + nth * step, stop[row])
    begin = np.maximum(start[row], end - length)
    nonempty = end > target
    return Windows(row[nonempty], begin[nonempty], target[nonempty], end[nonempty])


def batch_windows(
    timelines: Timelines, windows: Windows, positions: int, rng: np.random.Generator | None
) -> Iterator[Batch]:
    """Batches of windows of similar length. Each batch holds `item_index`, `timestamps`, `target`,
    `event` and context [b, t], and user arrays [b, …].

    Args:
        timelines: the split's timelines.
        windows: windows of these timelines.
        positions: most events per batch, padding included; a longer window is a batch of its own.
        rng: shuffles windows and batches; None keeps them in order of length.
    """
    lengths = windows.stop - windows.start
    ties = rng.random(len(lengths)) if rng is not None else np.arange(len(lengths))
    order = np.lexsort((ties, lengths))
    groups = list(_iterate_groups(lengths[order], positions))
    for group in rng.permutation(len(groups)) if rng is not None else range(len(groups)):
        begin, end = groups[group]
        yield pad_windows(timelines, windows, order[begin:end])


def count_batches(windows: Windows, positions: int) -> int:
    """Number of batches that `batch_windows` yields."""
    return sum(1 for _ in _iterate_groups(np.sort(windows.stop - windows.start), positions))


def _iterate_groups(sorted_lengths: np.ndarray, positions: int) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(sorted_lengths):
        most = max(1, positions // int(sorted_lengths[begin]))
        end = min(begin + most, len(sorted_lengths))
        while end > begin + 1 and (end - begin) * int(sorted_lengths[end - 1]) > positions:
            end = begin + max(1, positions // int(sorted_lengths[end - 1]))
        yield begin, end
        begin = end


def build_single_batch(timelines: Timelines, length: int) -> Batch:
    """A batch of one window, as an example of the arrays, dtypes and ranks of a batch."""
    return pad_windows(timelines, cut_windows(timelines, length), np.arange(1))


def pad_windows(timelines: Timelines, windows: Windows, chosen: np.ndarray) -> Batch:
    """The chosen windows as one batch; padding is 0, and -1 in `event`."""
    start, stop = windows.start[chosen], windows.stop[chosen]
    rows = windows.row[chosen]
    where = start[:, None] + np.arange(int((stop - start).max(initial=1)))
    inside = where < stop[:, None]
    where = np.where(inside, where, 0)
    item_index = np.where(inside, timelines.item_index[where], 0)
    batch = {
        "item_index": item_index,
        "timestamps": np.where(inside, timelines.timestamps[where], 0),
        "target": inside
        & (where >= windows.target[chosen][:, None])
        & timelines.positive[where]
        & (item_index > 0),
        "event": np.where(inside, where, -1),
        "user_index": timelines.user_index[rows],
    }
    batch |= {
        f"context_{n}": np.where(inside, v[where], 0).astype(v.dtype)
        for n, v in timelines.context.items()
    }
    batch |= {f"user_{n}": values[rows] for n, values in timelines.users.items()}
    return batch
