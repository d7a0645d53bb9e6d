"""How good is the popularity forecast beside counting, at several moments of a live log?

    python -m benchmarks.popularity [--data RATINGS] [--json]

Backtests on a log with lines `user::item::rating::unix seconds` (by default MovieTweetings): at
each moment the forecast is fitted to the events before it. All users of the next tenth of the
events get the same list, without items that they have seen. The latest tenth of the log, which is
the test split elsewhere, is never used. Prints NDCG@10 and recall@100 of a count of the last 7
days, of each trailing window alone, and of the forecast.
"""

import argparse
import json
import os
import pathlib

import numpy as np

_SHARES = (0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_HORIZON_SHARE = 0.1
_METRICS = ("ndcg@10", "recall@100")


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.popularity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=pathlib.Path, help="a file of ratings")
    parser.add_argument("--seed", type=int, default=1, help="seed of the forecast (1)")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    args = parser.parse_args()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when TensorFlow is first imported
    rows = measure(_find_ratings(args.data), args.seed)
    print(json.dumps(rows, indent=1) if args.json else format_table(rows))


def _find_ratings(path: pathlib.Path | None) -> pathlib.Path:
    from benchmarks.quality import data

    if path is not None:
        return path
    return data.prepare_data_set(data.MOVIETWEETINGS, pathlib.Path("runs"), 0).data / "ratings.dat"


def measure(ratings: pathlib.Path, seed: int) -> dict[str, dict[str, list[float]]]:
    """Name of the list -> metric -> value at each moment."""
    user, item, times = read_ratings(ratings)
    rows: dict[str, dict[str, list[float]]] = {}
    for share in _SHARES:
        at = int(len(times) * share)
        until = int(len(times) * (share + _HORIZON_SHARE))
        for name, metrics in _measure_moment(user[:until], item[:until], times[:until], at, seed):
            for metric in _METRICS:
                rows.setdefault(name, {}).setdefault(metric, []).append(metrics[metric])
    return rows


def read_ratings(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of users from 0, of items from 1, and times [events], in order of time."""
    lines = [line.split("::") for line in path.read_text(encoding="utf-8").splitlines()]
    times = np.array([int(fields[3]) for fields in lines])
    order = np.argsort(times, kind="stable")
    user, item = (
        np.unique([fields[column] for fields in lines], return_inverse=True)[1][order]
        for column in (0, 1)
    )
    return user, item.astype(np.int32) + 1, times[order]


def _measure_moment(
    user: np.ndarray, item: np.ndarray, times: np.ndarray, at: int, seed: int
) -> list[tuple[str, dict[str, float]]]:
    """Metrics of each list at event `at`; the events before it are known, the others relevant."""
    from trainer.config.models import RetrievalConfig
    from trainer.data.popularity import PopularityClock
    from trainer.data.popularity_forecast import create_window_forecast, list_windows
    from trainer.metrics.ranking import average_metrics, compute_user_metrics
    from trainer.metrics.top_k import rank_popular
    from trainer.retrieval.forecast import fit_forecast

    config, now = RetrievalConfig(), int(times[at])
    clock = PopularityClock(times[:at], item[:at], user[:at], int(item.max()) + 1)
    interacted, relevant = build_queries(user, item, at)
    days = config.popularity_days
    values = {"popular, last 7 days": clock.counts(now, 7).astype(float)}
    for number, length in enumerate(list_windows(days)):
        window = create_window_forecast(days, number)
        values[f"window of {length:g} days"] = window.predict(clock, now)
    forecast = fit_forecast(clock, days, config.refresh_days, seed)
    values["forecast"] = forecast.predict(clock, now)
    return [
        (
            name,
            average_metrics(
                compute_user_metrics(rank_popular(each, interacted, 100), relevant, (10, 100))
            ),
        )
        for name, each in values.items()
    ]


def build_queries(
    user: np.ndarray, item: np.ndarray, at: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each user with new items from event `at` on: items before it, and new ones after it."""
    interacted, relevant = [], []
    for number in np.unique(user[at:]):
        seen = np.unique(item[:at][user[:at] == number])
        new = np.setdiff1d(item[at:][user[at:] == number], seen)
        if len(new):
            interacted.append(seen)
            relevant.append(new)
    return interacted, relevant


def format_table(rows: dict[str, dict[str, list[float]]]) -> str:
    """A Markdown table: each moment's NDCG@10, and the means."""
    moments = " | ".join(f"{share:.0%}" for share in _SHARES)
    lines = [f"| NDCG@10 at | {moments} | mean | recall@100 |", "| --- " * (len(_SHARES) + 3) + "|"]
    for name, metrics in rows.items():
        cells = [f"{value:.4f}" for value in metrics["ndcg@10"]]
        cells += [f"{np.mean(metrics[metric]):.4f}" for metric in _METRICS]
        lines.append(f"| {name} | {' | '.join(cells)} |".replace(" 0.", " ."))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
