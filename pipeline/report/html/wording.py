"""Numbers and names in the words of the page."""

import math
import re
from typing import Protocol

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMES = {
    "item_neighbours": "item neighbours",
    "personal_frequency": "own items by frequency",
    "als": "ALS",
    "bpr": "BPR",
    "recent": "popular now",
    "pushed": "pushed before",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "snips_ndcg": "SNIPS NDCG",
    "snips_recall": "SNIPS recall",
    "hit_rate": "hit rate",
    "head_share": "share of head items",
    "gini": "Gini",
    "rmse": "RMSE",
    "mae": "MAE",
    "log_loss": "log loss",
    "auc": "AUC",
    "example_count": "examples",
    "root_mean_squared_error": "RMSE",
    "mean_absolute_error": "MAE",
    "binary_crossentropy": "log loss",
    "brier_score": "Brier score",
}


class _Bounded(Protocol):
    """Anything with an interval, or None for either bound where there is none."""

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def format_name(key: str) -> str:
    """Formats a metric, baseline or feature: `ndcg@10` as NDCG@10, `item_genres` as item genres."""
    word, _, cutoff = key.partition("@")
    text = _NAMES.get(word, word.replace("_", " "))
    return f"{text}@{cutoff}" if cutoff else text


def format_number(value: float | None) -> str:
    """Four significant digits below 1,000, whole numbers from there on; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    digits = 4 if abs(value) < 1 else max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def format_signed(value: float) -> str:
    """As `format_number`, with a sign."""
    return format_number(value) if value < 0 else f"+{format_number(value)}"


def format_interval(interval: _Bounded | None) -> str:
    """`0.11 to 0.13`; empty where a bound is missing."""
    if interval is None or interval.low is None or interval.high is None:
        return ""
    return f"{format_number(interval.low)} to {format_number(interval.high)}"


def format_share(part: float, whole: float) -> str:
    """The part in percent of the whole; a dash where the whole is 0."""
    return f"{part / whole:.1%}" if whole else "–"


def join_words(words: list[str]) -> str:
    """`one, another and a third`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def replace_control_characters(text: str) -> str:
    """Replaces each control character that XML does not allow by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def shorten(text: str, most: int = 26) -> str:
    """One line of at most `most` characters, for a plot's label."""
    line = " ".join(replace_control_characters(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
