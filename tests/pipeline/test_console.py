"""The progress of stages if the output is a file or a pipe."""

import io
import logging

from pipeline.console import show_stages, time
from pipeline.report.terminal import make_console


def _lines(out: io.StringIO) -> list[list[str]]:
    return [line.split() for line in out.getvalue().splitlines()]


def test_a_stage_is_reported_at_its_start_and_end():
    out = io.StringIO()
    with show_stages(make_console(out)) as lines:
        lines.start_stage("Trainer")
        assert _lines(out) == [["Trainer", "…"]]
        logging.getLogger("tandem.progress").info("epoch=1")
        lines.finish_stage("Trainer", 2.0, cached=False)
        lines.start_stage("Pusher")
        lines.finish_stage("Pusher", 0.1, cached=True)
    assert _lines(out)[1:] == [
        ["Trainer", "2.0", "s", "epoch=1"],
        ["Pusher", "…"],
        ["Pusher", "cached"],
    ]


def test_how_far_a_long_stage_is_shows_now_and_then(monkeypatch):
    out, now = io.StringIO(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with show_stages(make_console(out)) as lines:
        lines.start_stage("Trainer")
        for epoch in range(7):  # at 10, 20, …, 70 s: the third and the sixth are due
            now[0] += 10
            logging.getLogger("tandem.progress").info("epoch=%d", epoch)
    assert _lines(out) == [
        ["Trainer", "…"],
        ["Trainer", "…", "epoch=2"],
        ["Trainer", "…", "epoch=5"],
    ]
