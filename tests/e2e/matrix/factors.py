"""Optional parts of a configuration and its data, as factors with levels."""

from tests.e2e.matrix.cover import Case

KINDS = ("category", "set", "text", "number", "timestamp", "vector")
SCANN_NEEDS = 16
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
"""`all` declares a feature of each kind, as do `null` (no values at all) and `constant`. The cover
prefers the first of equally good levels, so the level most likely to succeed comes first."""

SINGLE = FACTORS | {
    "item": (*KINDS, *FACTORS["item"]),
    "user": (*KINDS, *FACTORS["user"]),
    "context": (*EVENT_KINDS, *FACTORS["context"]),
}
"""The same, and in addition each kind of feature alone."""


def possible(case: Case) -> bool:
    """Sequences have no times, context or labels; they are split by the last item."""
    if case.get("log") != "sequences":
        return True
    needed = {"context": "none", "labels": "none", "split": "last_item"}
    return all(case.get(factor, level) == level for factor, level in needed.items())


def exit_codes(case: Case) -> set[int]:
    """Allowed exit codes of a run of the case: 0 unless some data are too few."""
    few_items, one_user = case["catalogue"] in ("1", "2"), case["people"] == "1"
    if case["split"] == "last_item" and (few_items or one_user):
        return {3}  # no user has three events, or the second half of valid is empty
    too_few = {3} if few_items or (one_user and case["catalogue"] == "10") else set()
    if case["index"] == "scann" and int(case["catalogue"]) < SCANN_NEEDS:
        return too_few | {2}
    return too_few | {0}


def name(case: Case) -> str:
    """A short description of a case."""
    return ", ".join(f"{factor} {level}" for factor, level in case.items())
