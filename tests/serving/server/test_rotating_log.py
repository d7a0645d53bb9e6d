"""Lines in files of bounded size, on a disk that may be full."""

import subprocess
import sys
import textwrap
import threading
import time

from serving.server import rotating_log
from serving.server.rotating_log import RotatingLog, Rotation


def lines_of(folder):
    files = sorted(folder.glob("*.jsonl"))
    return [line for path in files for line in path.read_text().splitlines()]


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_entries_are_written_in_order_to_files_of_bounded_size(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation(file_bytes=40, files=100))
    for number in range(50):
        log.put(f"line {number}\n".encode)
    log.close()
    assert lines_of(tmp_path) == [f"line {number}" for number in range(50)]
    assert (log.written, log.lost) == (50, 0)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) > 5
    assert max(sizes) < 40 + len("line 49\n")
    assert not list(tmp_path.glob("*.part"))


def test_the_oldest_files_go(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation(file_bytes=1, files=3))
    for number in range(9):
        log.put(f"{number}\n".encode)
    log.close()
    assert lines_of(tmp_path) == ["6", "7", "8"]


def test_a_reader_does_not_match_a_file_being_written(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation())
    log.put(lambda: b"one\n")
    log.put(lambda: b"two\n")
    until(lambda: log.written == 2)
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".jsonl.part")
    log.close()
    assert lines_of(tmp_path) == ["one", "two"]


def test_unwritable_entries_are_counted_as_lost_and_logging_continues(tmp_path, monkeypatch):
    monkeypatch.setattr(rotating_log, "_PAUSE_SECONDS", 0.0)
    folder = tmp_path / "log"
    folder.write_text("in the way")
    log = RotatingLog(folder, "shown", Rotation())
    log.put(lambda: b"lost\n")
    until(lambda: log.lost)
    folder.unlink()
    log.put(lambda: b"kept\n")
    log.close()
    assert lines_of(folder) == ["kept"]
    assert (log.written, log.lost) == (1, 1)


FULL_DISK = """
import pathlib, resource, sys
from serving.server import rotating_log
from serving.server.rotating_log import RotatingLog, Rotation
rotating_log._PAUSE_SECONDS = 0.0
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
log = RotatingLog(pathlib.Path(sys.argv[1]), "shown", Rotation())
for number in range(100):
    log.put((f"{number:03} " + 95 * "x" + "\\n").encode)
log.close()
print(log.written, log.lost)
"""


def test_a_full_disk_leaves_whole_lines_and_stops_no_request(tmp_path):
    """No file may be larger than 1,000 bytes, so each takes ten of these lines and fails."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    written, lost = map(int, done.stdout.split())
    assert written + lost == 100
    assert lost > 0
    result = lines_of(tmp_path)
    assert len(result) == written
    assert {len(line) for line in result} == {99}


def test_a_queue_that_is_full_drops_and_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(rotating_log, "_QUEUED", 2)
    go, started = threading.Event(), threading.Event()

    def slow():
        started.set()
        assert go.wait(10)
        return b"slow\n"

    log = RotatingLog(tmp_path, "shown", Rotation())
    log.put(slow)
    assert started.wait(10)
    for _ in range(5):
        log.put(lambda: b"more\n")
    assert log.lost == 3
    go.set()
    log.close()
    assert lines_of(tmp_path) == ["slow", "more", "more"]
