"""Learns the popularity forecast from the log, unless one window alone forecasts better."""

import numpy as np
import tensorflow as tf

from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock
from trainer.data.popularity_forecast import (
    WINDOWS,
    DenseLayer,
    PopularityForecast,
    create_window_forecast,
    measure_windows,
)
from trainer.retrieval.forecast_examples import (
    ForecastExamples,
    build_examples,
    count_later_votes,
)

_MIN_MOMENTS = 8
_HELD_OUT_SHARE = 0.25
_MIN_SHARE = 0.95
_WEEK = 4  # the window of a sixteenth of the longest one: of 112 days, a week
_WEEK_WEIGHT = 0.5
_UNITS = (32, 1)
_STEPS = 300
_MOMENTS_PER_STEP = 8
_LEARNING_RATE = 0.02
_DEPTH = 10


def fit_forecast(
    clock: PopularityClock, days: float, horizon: float, seed: int
) -> PopularityForecast:
    """The learned forecast, or the best single window if it is clearly better: by 5 % in DCG@10 of
    the list that each gives on the latest quarter of the moments. (The best of several windows on
    few moments is partly luck.)

    The learned forecast is then fitted to all moments. A log too short for eight moments to learn
    from has none, and one of less than a day has the window of a sixteenth of `days`.

    Args:
        clock: the events that may be known.
        days: length of the longest window.
        horizon: the forecast is for this many days after each moment.
        seed: seed of initial weights and of the order of training.
    """
    examples = build_examples(clock, days, horizon, seed)
    count = len(examples.moments)
    if not count:
        return create_window_forecast(days, _WEEK)
    held_out = examples.moments[-max(1, round(count * _HELD_OUT_SHARE)) :]
    windows = [create_window_forecast(days, number) for number in range(WINDOWS)]
    quality = measure_forecasts(windows, clock, held_out, horizon)
    best = int(np.argmax(quality))
    earlier = examples.select(examples.moments + horizon * SECONDS_PER_DAY <= held_out[0])
    if len(earlier.moments) < _MIN_MOMENTS:
        return windows[best]
    (learned,) = measure_forecasts([learn_forecast(earlier, days, seed)], clock, held_out, horizon)
    if learned < _MIN_SHARE * quality[best]:
        return windows[best]
    return learn_forecast(examples, days, seed)


def measure_forecasts(
    forecasts: list[PopularityForecast],
    clock: PopularityClock,
    moments: np.ndarray,
    horizon: float,
) -> np.ndarray:
    """[forecasts] mean over the moments [m] of the DCG@10 of each forecast's list, whose gains are
    the items' shares of the votes in the `horizon` days after the moment. All have the same
    windows.
    """
    gains = np.zeros((len(moments), len(forecasts)))
    for row, moment in enumerate(moments):
        windows = measure_windows(clock, int(moment), forecasts[0].days)
        votes = count_later_votes(clock, int(moment), horizon)
        gains[row] = [_measure_list(each.predict_from(windows), votes) for each in forecasts]
    return gains.mean(axis=0)


def _measure_list(values: np.ndarray, votes: np.ndarray) -> float:
    """DCG@10 of the order of `values` [size]; equal items are in the catalogue's order."""
    best = np.argsort(-values[1:], kind="stable")[:_DEPTH] + 1
    discount = 1 / np.log2(np.arange(len(best)) + 2)
    return (votes[best] * discount).sum() / max(votes.sum(), 1.0)


def learn_forecast(examples: ForecastExamples, days: float, seed: int) -> PopularityForecast:
    """Minimises the cross entropy between the votes after each moment and the softmax of the
    network's values over all items; then adds half of the log popularity of a week
    (of a sixteenth of `days`).

    What a log of months shows about the next days changes with its next fashion, and a plain count
    does not: the sum gives up a little of the mean gain, and is seldom below the count.

    Args:
        examples: at least one.
        days: length of the longest window, as in the examples.
        seed: seed of initial weights and of the order of training.
    """
    rng = np.random.default_rng(seed)
    seen = examples.windows.reshape(-1, WINDOWS)
    mean, scale = seen.mean(axis=0), seen.std(axis=0) + 1e-3
    variables = _create_variables(rng)
    _minimise(variables, (examples.windows - mean) / scale, examples, rng)
    kernel, bias, output, constant = (variable.numpy() for variable in variables)
    # Windows are not negative, so that a hidden unit can be one of them.
    kernel = np.column_stack([kernel, np.eye(WINDOWS)[_WEEK] * scale])
    bias = np.append(bias, mean[_WEEK])
    output = np.append(output, [[_WEEK_WEIGHT]], axis=0)
    layers = [
        DenseLayer(kernel=kernel.tolist(), bias=bias.tolist()),
        DenseLayer(kernel=output.tolist(), bias=constant.tolist()),
    ]
    return PopularityForecast(days=days, mean=mean.tolist(), scale=scale.tolist(), layers=layers)


def _create_variables(rng: np.random.Generator) -> list[tf.Variable]:
    """Kernel and bias of each layer in turn."""
    variables, width = [], WINDOWS
    for units in _UNITS:
        limit = np.sqrt(6 / (width + units))  # Glorot and Bengio, AISTATS 2010
        variables.append(tf.Variable(rng.uniform(-limit, limit, (width, units)), dtype=tf.float32))
        variables.append(tf.Variable(np.zeros(units), dtype=tf.float32))
        width = units
    return variables


def _minimise(
    variables: list[tf.Variable],
    scaled: np.ndarray,
    examples: ForecastExamples,
    rng: np.random.Generator,
) -> None:
    """Trains the variables on the examples, whose `scaled` windows are [m, rows, windows]."""
    # Towards 0, so that the result does not depend on the last few moments drawn.
    rate = tf.keras.optimizers.schedules.PolynomialDecay(_LEARNING_RATE, _STEPS, 0.0)
    optimizer = tf.keras.optimizers.Adam(rate)
    share = examples.votes / max(examples.votes.sum(), 1.0)
    data = [tf.constant(x, tf.float32) for x in (scaled, share, examples.log_weight)]

    @tf.function(autograph=False)
    def step(chosen: tf.Tensor) -> None:
        windows, votes, log_weight = (tf.gather(values, chosen) for values in data)
        with tf.GradientTape() as tape:
            logits = tf.nn.log_softmax(_compute(windows, variables) + log_weight)
            loss = -tf.reduce_sum(votes * logits)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    for _ in range(_STEPS):
        step(tf.constant(rng.choice(len(examples.moments), _MOMENTS_PER_STEP)))


def _compute(windows: tf.Tensor, variables: list[tf.Variable]) -> tf.Tensor:
    """[..., windows] -> [...], as `PopularityForecast` computes it."""
    values = windows
    for number in range(0, len(variables), 2):
        values = tf.nn.relu(values) if number else values
        values = tf.linalg.matmul(values, variables[number]) + variables[number + 1]
    return values[..., 0]
