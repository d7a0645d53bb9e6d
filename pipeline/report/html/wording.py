"""Numbers and names as a reader of the page meets them."""

import math
import re
from collections.abc import Mapping
from typing import Any

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMES = {
    "item_neighbours": "item neighbours",
    "recent": "popular now",
    "pushed": "pushed before",
    "ndcg": "NDCG",
    "mrr": "MRR",
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


def format_name(key: str) -> str:
    """A metric, a baseline or a feature: `ndcg@10` is NDCG@10, `item_genres` is item genres."""
    known, _, cutoff = key.partition("@")
    said = _NAMES.get(known, known.replace("_", " "))
    return f"{said}@{cutoff}" if cutoff else said


def format_number(value: float | None) -> str:
    """Four significant digits below 1,000, whole numbers from there on; a dash for what is not."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    digits = 4 if abs(value) < 1 else max(0, 3 - math.floor(math.log10(abs(value))))
    said = f"{value:.{digits}f}"
    return said.replace("-", "−") if float(said) else said.removeprefix("-")


def format_signed(value: float) -> str:
    """As `number`, with its sign."""
    return format_number(value) if value < 0 else f"+{format_number(value)}"


def format_interval(row: Mapping[str, Any] | None) -> str:
    """Of `low` and `high`, where there are both: `0.11 to 0.13`."""
    if row is None or row.get("low") is None or row.get("high") is None:
        return ""
    return f"{format_number(row['low'])} to {format_number(row['high'])}"


def format_share(part: float, whole: float) -> str:
    """Of a whole that may be nothing, in percent."""
    return f"{part / whole:.1%}" if whole else "–"


def join_words(words: list[str]) -> str:
    """One, another and a third."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def replace_control_characters(text: str) -> str:
    """Without the control characters that XML does not allow; each leaves a mark."""
    return _FORBIDDEN.sub("\ufffd", text)


def shorten(text: str, most: int = 26) -> str:
    """One line of a plot's label."""
    line = " ".join(replace_control_characters(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
