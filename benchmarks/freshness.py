"""How much does daily retraining improve recommendations on a live log?

    python -m benchmarks.freshness --root runs/freshness --from 2013-08-26 --to 2013-09-01

Writes the ratings of MovieTweetings into one folder per day (UTC) and backfills the days with the
data set's own configuration, a window of days instead of all time, and a warm start (unless
--cold). Prints the output of `tandem backfill`; curves, record and models are under the root. After
an interruption, the same command resumes.
"""

import argparse
import datetime
import os
import pathlib
import shutil

from benchmarks.quality import data as quality_data
from pipeline.commands.backfill import BackfillRequest, backfill

_WINDOW, _VALID, _TEST = 120, 7, 1


def main() -> int:
    """Runs the benchmark."""
    args = _arguments()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when TensorFlow is first imported
    source = quality_data.prepare_data_set(quality_data.MOVIETWEETINGS, args.root, 0)
    data = args.root / "data"
    if not data.exists():
        making = args.root / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        by_day(source.data, making)
        making.rename(data)
    backfill(
        BackfillRequest(
            source.config, data, args.root / ("cold" if args.cold else "warm"),
            args.first, args.last, overrides(args.cold), args.json,
        )
    )  # fmt: skip
    return 0


def by_day(source: pathlib.Path, out: pathlib.Path) -> None:
    """Writes the unchanged ratings, one folder per day, and the catalogue."""
    out.mkdir(parents=True)
    days: dict[str, list[str]] = {}
    for line in (source / "ratings.dat").read_text(encoding="utf-8").splitlines():
        moment = datetime.datetime.fromtimestamp(int(line.split("::")[3]), datetime.timezone.utc)
        days.setdefault(moment.date().isoformat(), []).append(line)
    for day, lines in days.items():
        folder = out / "ratings" / day
        folder.mkdir(parents=True)
        (folder / "ratings.dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copyfile(source / "movies.dat", out / "movies.dat")


def overrides(cold: bool) -> list[str]:
    """Overrides with which configs/movietweetings.toml reads a window; each day is blessed on its
    own.
    """
    return [
        'data.interactions.path="ratings/{SPAN}"',
        f"data.interactions.last_spans={_WINDOW}",
        f'split={{kind="window", train_days={_WINDOW - _VALID - _TEST}, '
        f"valid_days={_VALID}, test_days={_TEST}}}",
        f"retrieval.warm_start={'false' if cold else 'true'}",
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--from", dest="first", default="2013-08-26", metavar="DAY")
    parser.add_argument("--to", dest="last", default="2013-09-01", metavar="DAY")
    parser.add_argument("--cold", action="store_true", help="train anew each day")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
