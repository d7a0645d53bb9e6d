"""Forecast of each item's popularity in the coming days, from its popularity in trailing windows.

How much of a day's, a week's and a month's popularity remains differs between shops and between
seasons, so it is learned from the log. A refresh applies the same forecast to later events.
"""

import dataclasses
import functools

import numpy as np
from tensorflow.io import gfile

from schema.base import StrictModel
from schema.errors import UsageError
from trainer.data.popularity import PopularityClock, PopularitySnapshots, list_daily_moments

WINDOWS = 8
_VOTES = 10_000
_FILE = "popularity_forecast.json"


class DenseLayer(StrictModel):
    """Weights of one layer."""

    kernel: list[list[float]]
    """[inputs, outputs]"""
    bias: list[float]
    """[outputs]"""


class PopularityForecast(StrictModel):
    """A small network on an item's log popularity in trailing windows.

    The value of an item is relative to an item without events, whose value is 0.
    """

    days: float
    """Length of the longest window; each further window is half as long."""
    mean: list[float]
    """[windows] subtracted from the inputs."""
    scale: list[float]
    """[windows] the inputs are divided by it."""
    layers: list[DenseLayer]
    """With ReLU between them; the last one has one output."""

    def predict(self, clock: PopularityClock, now: int) -> np.ndarray:
        """[size] float32 log popularity of each item as of `now` (seconds since epoch, UTC), from
        the events before it.
        """
        return self.predict_from(measure_windows(clock, now, self.days))

    def predict_from(self, windows: np.ndarray) -> np.ndarray:
        """[size, windows] as from `measure_windows` -> [size] float32."""
        result = np.zeros(len(windows), np.float32)
        active = np.flatnonzero(windows.any(axis=1))
        none = np.zeros((1, WINDOWS))
        result[active] = self._compute(windows[active]) - self._compute(none)
        result[0] = 0.0
        return result

    def _compute(self, windows: np.ndarray) -> np.ndarray:
        values = (windows - np.array(self.mean)) / np.array(self.scale)
        for number, layer in enumerate(self.layers):
            values = np.maximum(values, 0.0) if number else values
            values = values @ np.array(layer.kernel) + np.array(layer.bias)
        return values[:, 0]


def list_windows(days: float) -> list[float]:
    """[windows] lengths in days, the longest first."""
    return [days / 2**number for number in range(WINDOWS)]


def measure_windows(clock: PopularityClock, now: int, days: float) -> np.ndarray:
    """[size, windows] log(1 + votes) of each item in each window before `now`, with the votes of
    each window scaled to a sum of 10,000: they do not depend on how busy the shop is.
    """
    columns = []
    for length in list_windows(days):
        votes = clock.votes(now, length)
        columns.append(np.log1p(votes * (_VOTES / max(votes.sum(), 1.0))))
    return np.stack(columns, axis=1)


def create_window_forecast(days: float, number: int) -> PopularityForecast:
    """The forecast that popularity stays as it was in the window with this number."""
    kernel = [[float(row == number)] for row in range(WINDOWS)]
    return PopularityForecast(
        days=days,
        mean=[0.0] * WINDOWS,
        scale=[1.0] * WINDOWS,
        layers=[DenseLayer(kernel=kernel, bias=[0.0])],
    )


@dataclasses.dataclass(frozen=True)
class ItemPopularity:
    """The events that may be known, and the forecast from them."""

    clock: PopularityClock
    forecast: PopularityForecast

    def compute_log(self, now: int) -> np.ndarray:
        """[size] float32 log popularity as of `now`; seconds since epoch, UTC."""
        return self.forecast.predict(self.clock, now)

    @functools.cached_property
    def daily_snapshots(self) -> PopularitySnapshots:
        """One snapshot at each of `list_daily_moments`; each model of a training uses them."""
        return self.compute_snapshots(list_daily_moments(self.clock))

    def compute_snapshots(self, moments: np.ndarray) -> PopularitySnapshots:
        """One snapshot at each of the ascending `moments` [r]."""
        return PopularitySnapshots(
            moments, np.stack([self.compute_log(int(moment)) for moment in moments])
        )


def save_forecast(forecast: PopularityForecast, uri: str) -> None:
    """Writes the forecast to the candidates artifact at `uri`."""
    gfile.makedirs(uri)
    with gfile.GFile(f"{uri}/{_FILE}", "w") as file:
        file.write(forecast.model_dump_json())


def load_forecast(uri: str) -> PopularityForecast:
    """Reads the forecast of the candidates artifact at `uri`; raises UsageError if it has none."""
    path = f"{uri}/{_FILE}"
    if not gfile.exists(path):
        raise UsageError(
            f"expected the popularity forecast of the pushed version in {uri}, received none: it "
            "was pushed by an older Tandem; train and push again with `tandem run`"
        )
    with gfile.GFile(path, "r") as file:
        return PopularityForecast.model_validate_json(file.read())
