"""Lines in files of bounded size, on a disk that can be full."""

import subprocess
import sys
import textwrap
import threading
import time

from serving.server import rotating_log
from serving.server.rotating_log import RotatingLog, Rotation


def read_lines(folder):
    files = sorted(folder.glob("*.jsonl"))
    return [line for path in files for line in path.read_text().splitlines()]


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_entries_are_written_in_order_to_files_of_bounded_size(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation(file_bytes=40, files=100))
    for number in range(50):
        log.put(f"line {number}\n".encode)
    log.close()
    assert read_lines(tmp_path) == [f"line {number}" for number in range(50)]
    assert (log.written, log.lost) == (50, 0)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) > 5
    assert max(sizes) < 40 + len("line 49\n")
    assert not list(tmp_path.glob("*.part"))


def test_the_oldest_files_are_deleted(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation(file_bytes=1, files=3))
    for number in range(9):
        log.put(f"{number}\n".encode)
    log.close()
    assert read_lines(tmp_path) == ["6", "7", "8"]


def test_a_reader_does_not_match_a_file_being_written(tmp_path):
    log = RotatingLog(tmp_path, "shown", Rotation())
    log.put(lambda: b"one\n")
    log.put(lambda: b"two\n")
    wait_until(lambda: log.written == 2)
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".jsonl.part")
    log.close()
    assert read_lines(tmp_path) == ["one", "two"]


def test_unwritable_entries_are_counted_as_lost_and_logging_continues(tmp_path, monkeypatch):
    monkeypatch.setattr(rotating_log, "_PAUSE_SECONDS", 0.0)
    folder = tmp_path / "log"
    folder.write_text("in the way")
    log = RotatingLog(folder, "shown", Rotation())
    log.put(lambda: b"lost\n")
    wait_until(lambda: log.lost)
    folder.unlink()
    log.put(lambda: b"kept\n")
    log.close()
    assert read_lines(folder) == ["kept"]
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


def test_a_full_disk_leaves_complete_lines_and_does_not_stop_the_log(tmp_path):
    """No file may be larger than 1,000 bytes, so each holds ten of these lines, then fails."""
    completed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    written, lost = map(int, completed.stdout.split())
    assert written + lost == 100
    assert lost > 0
    result = read_lines(tmp_path)
    assert len(result) == written
    assert {len(line) for line in result} == {99}


def test_a_full_queue_drops_entries_without_waiting(tmp_path, monkeypatch):
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
    assert read_lines(tmp_path) == ["slow", "more", "more"]
