"""Fetching from a server on loopback: only complete and correct archives are unpacked."""

import hashlib
import http.server
import io
import pathlib
import socket
import threading
import zipfile
from collections.abc import Iterator

import pytest

from pipeline import cli
from pipeline.commands.fetch import ARCHIVES, Archive, fetch_archive
from schema.errors import UsageError

RATINGS = b"1::1193::5::978300760\n" * 1000


def packed(**members: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return body.getvalue()


class Server(http.server.ThreadingHTTPServer):
    """Serves `bodies` by path; a path in `cut` breaks off in the middle."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.cut: set[str] = set()
        super().__init__(("127.0.0.1", 0), Handler)

    def offer(self, body: bytes, path: str = "/data.zip") -> str:
        self.bodies[path] = body
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path in self.server.cut else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def archive(url: str, body: bytes, *members: str) -> Archive:
    return Archive(url, hashlib.md5(body).hexdigest(), members)


def test_unpacks_the_expected_members_and_nothing_else(server: Server, tmp_path: pathlib.Path):
    body = packed(**{"ml__ratings.dat": RATINGS, "ml__movies.dat": b"1::Toy\n", "ml__x.sh": b"rm"})
    out = tmp_path / "new" / "folder"
    paths = fetch_archive(archive(server.offer(body), body, "ml/ratings.dat", "ml/movies.dat"), out)
    assert paths == [out / "ratings.dat", out / "movies.dat"]
    assert (out / "ratings.dat").read_bytes() == RATINGS
    assert sorted(path.name for path in out.iterdir()) == ["movies.dat", "ratings.dat"]


def test_a_name_in_the_archive_never_becomes_a_path(server: Server, tmp_path: pathlib.Path):
    body = packed(**{"..__..__evil": b"evil", "ok": b"ok"})
    out = tmp_path / "a" / "b"
    fetch_archive(archive(server.offer(body), body, "../../evil", "ok"), out)
    result = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert result == [pathlib.Path("a/b/evil"), pathlib.Path("a/b/ok")]


def test_replaces_an_older_file(server: Server, tmp_path: pathlib.Path):
    (tmp_path / "ok").write_text("old")
    body = packed(ok=b"new")
    fetch_archive(archive(server.offer(body), body, "ok"), tmp_path)
    assert (tmp_path / "ok").read_text() == "new"


def test_another_hash_unpacks_nothing(server: Server, tmp_path: pathlib.Path):
    url = server.offer(packed(ok=b"changed on the way"))
    with pytest.raises(UsageError, match="expected .* to have MD5 [0-9a-f]{32}, received"):
        fetch_archive(archive(url, packed(ok=b"as published"), "ok"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_member_unpacks_nothing(server: Server, tmp_path: pathlib.Path):
    body = packed(ok=b"ok")
    with pytest.raises(UsageError, match=r"to hold \['absent'\], received \['ok'\]"):
        fetch_archive(archive(server.offer(body), body, "ok", "absent"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [100, 3_000_000], ids=["first chunk", "later chunk"])
def test_a_connection_that_breaks_off(server: Server, tmp_path: pathlib.Path, size: int):
    body = bytes(range(256)) * (size // 256 + 1)
    url = server.offer(body)
    server.cut.add("/data.zip")
    with pytest.raises(UsageError):
        fetch_archive(archive(url, body, "ok"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_archive(server: Server, tmp_path: pathlib.Path):
    url = server.offer(b"") + ".missing"
    with pytest.raises(UsageError, match="HTTP Error 404.*is there a network here"):
        fetch_archive(archive(url, b"", "ok"), tmp_path)


def test_no_server_is_listening(tmp_path: pathlib.Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.zip"
        with pytest.raises(UsageError, match="refused.*is there a network here"):
            fetch_archive(archive(url, b"", "ok"), tmp_path)


def test_a_folder_that_cannot_be(server: Server, tmp_path: pathlib.Path):
    (tmp_path / "file").write_text("in the way")
    body = packed(ok=b"ok")
    with pytest.raises(UsageError, match="expected to write into .*choose another folder"):
        fetch_archive(archive(server.offer(body), body, "ok"), tmp_path / "file")


def test_movielens_is_pinned_to_its_published_hash():
    movielens = ARCHIVES["movielens-1m"]
    assert movielens.url == "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
    assert movielens.md5 == "c4d9eecfca2ab87c1945afe126590906"


def test_the_verb_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["fetch", "netflix"]) == 2
    assert "expected one of movielens-1m, received 'netflix'" in capsys.readouterr().err
