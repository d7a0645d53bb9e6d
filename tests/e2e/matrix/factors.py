"""What may be left out of a configuration and its data, as factors with levels."""

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


def exit_codes(case: Case) -> set[int]:
    """How a run of the case may end: 0 unless there is too little of something."""
    tiny, alone = case["catalogue"] in ("1", "2"), case["people"] == "1"
    if case["split"] == "last_item" and (tiny or alone):
        return {3}  # nobody has three events, or there is no second half of valid
    small = {3} if tiny or (alone and case["catalogue"] == "10") else set()
    if case["index"] == "scann" and int(case["catalogue"]) < SCANN_NEEDS:
        return small | {2}
    return small | {0}


def name(case: Case) -> str:
    """A case in a few words."""
    return ", ".join(f"{factor} {level}" for factor, level in case.items())
