import numpy as np

from trainer.data.recent_events import build_recent_events

DAY = 86_400
IDS = np.array([b"", b"x", b"y"], object)


def test_events_of_the_window_by_name(timelines_of):
    """Events of the history, of the unknown item 0 and those that are not positive do not count."""
    train = timelines_of(
        [(b"a", 1, [1, 2, 0, 1], [0, DAY, 2 * DAY, 2 * DAY], 0), (b"b", 2, [1], [2 * DAY], 0)],
        positive=[True, True, True, False, True],
    )
    valid = timelines_of([(b"a", 1, [1, 2, 2], [0, DAY, 3 * DAY], 2)])
    recent_events = build_recent_events([train, valid], IDS, 3 * DAY, 2)
    assert recent_events.to_pylist() == [
        {"user_id": "a", "item_id": "y", "timestamp": DAY},
        {"user_id": "b", "item_id": "x", "timestamp": 2 * DAY},
    ]
    assert build_recent_events([train, valid], IDS, 3 * DAY + 1, 1.5).to_pylist() == [
        {"user_id": "b", "item_id": "x", "timestamp": 2 * DAY},
        {"user_id": "a", "item_id": "y", "timestamp": 3 * DAY},
    ]
