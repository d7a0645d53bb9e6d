"""What may be left out of a configuration and its data, as factors with levels."""

from tests.e2e.matrix.cover import Case

KINDS = ("category", "set", "text", "number", "timestamp", "vector")
EVENT_KINDS = ("category", "number", "timestamp")

FACTORS = {
    "log": ("events", "sequences"),
    "people": ("80", "20", "1"),
    "catalogue": ("100", "10", "2", "1"),
    "split": ("clock", "window", "last_item"),
    "user": ("all", "null", "constant", "none", "no table"),
    "item": ("all", "null", "constant", "none"),
    "context": ("all", "null", "constant", "none"),
    "labels": ("several", "regression", "binary", "not in test", "none"),
    "index": ("ivf", "scann", "exact", "auto"),
    "title": ("yes", "no"),
}
"""`all` declares a feature of each kind, as do `null` (no value anywhere) and `constant`. Where a
level is as good as another the first is taken: what is most likely to reach the end."""

SINGLE = FACTORS | {
    "item": (*KINDS, *FACTORS["item"]),
    "user": (*KINDS, *FACTORS["user"]),
    "context": (*EVENT_KINDS, *FACTORS["context"]),
}
"""The same, with each kind by itself besides."""


def possible(case: Case) -> bool:
    """Sequences have no times, context or labels; they are split by the last item."""
    if case.get("log") != "sequences":
        return True
    needed = {"context": "none", "labels": "none", "split": "last_item"}
    return all(case.get(factor, level) == level for factor, level in needed.items())


def name(case: Case) -> str:
    """A case in a few words."""
    return ", ".join(f"{factor} {level}" for factor, level in case.items())
