from components.ingest.output.counts import Counts
from components.ingest.output.id_overlap import IdOverlap
from pipeline.report import event_log

TOTALS = {"users": 9, "t_begin": 5, "t_end": 70}


def test_a_log_without_far_events_has_no_line():
    log_summary = event_log.summarise_log(Counts({}, TOTALS))
    assert log_summary.to_json() == {"begin": 5, "end": 70, "meetings": {}}
    assert list(event_log.format_log(log_summary)) == []


def test_far_events_are_counted_and_shown():
    samples = {"late_stragglers": ["a", "b", "c"], "future_events": ["c"]}
    counts = Counts({}, TOTALS | {"late_stragglers": 5, "future_events": 1}, samples)
    log_summary = event_log.summarise_log(counts)
    assert log_summary.outliers["late_stragglers"] == 5
    assert list(event_log.format_log(log_summary)) == [
        "time: 5 events are far beyond all others (a; b; c and 2 more); "
        'data.interactions.time_outliers = "reject" rejects such',
        "time: 1 event is in the future (c); data.interactions.not_after rejects such",
    ]


def test_matching_ids_are_always_listed():
    users = IdOverlap(3, 3, {}, {}, [])
    items = IdOverlap(8000, 7000, {}, {"x": 1000}, ["y"])
    log_summary = event_log.summarise_log(
        Counts({}, TOTALS, meetings={"items": items, "users": users})
    )
    assert log_summary.meetings["items"].to_json() == {"total": 8000, "met": 7000, "share": 0.875}
    assert list(event_log.format_log(log_summary)) == [
        "items: 7,000 of 8,000 events are of items in the catalogue (87.5%)",
        "users: 3 of 3 users of the log are in the user table (100.0%)",
    ]
