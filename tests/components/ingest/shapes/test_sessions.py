"""A log of sessions without users: ids of sessions, of which none goes on after the cut."""

import pytest

from schema.dataset import Dataset

LOG = {
    "path": "clicks.csv",
    "columns": ["session_id", "timestamp", "item_id"],
    "user_id": "session_id",
    "timestamp_unit": "iso8601",
}
# Ten sessions, one a day, with 1 to 4 clicks.
CLICKS = "".join(
    f"{session},2024-03-{session:02}T09:{minute:02}:00Z,i{session}{minute}\n"
    for session in range(1, 11)
    for minute in range(session % 4 + 1)
)


@pytest.mark.parametrize("kind", ["clock", "last_item"])
def test_a_session_is_a_timeline(ingest_events, lay, kind):
    dataset = Dataset.model_validate({"data": {"interactions": LOG}, "split": {"kind": kind}})
    done = ingest_events(dataset, lay({"clicks.csv": CLICKS}))
    assert done.counts.totals["users"] == 10
    tests = done.examples("test")
    histories = {each["user_id"][0]: each["item_ids"][: each["target_from"][0]] for each in tests}
    if kind == "clock":  # the last tenth of 24 clicks: the whole of the last session
        assert histories == {"10": []}
    else:  # sessions with at least three clicks
        assert histories == {
            name: [f"i{name}{minute}" for minute in range(int(name) % 4)]
            for name in ("2", "3", "6", "7", "10")
        }
