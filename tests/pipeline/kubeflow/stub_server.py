"""A server with the responses of Kubeflow Pipelines' API (api/v2beta1), which records the calls."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Stub(ThreadingHTTPServer):
    """Stores uploaded pipelines and versions; each of `calls` is a method, path and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, str, Any]] = []
        self.tokens: list[str | None] = []
        self.pipelines: dict[str, list[dict[str, str]]] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        """Path -> the status and the message that a call of it ends with."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def called(self, method: str, path: str) -> list[Any]:
        """Bodies of the calls of `path`."""
        return [body for m, p, body in self.calls if (m, p) == (method, path)]


@contextmanager
def serving() -> Iterator[Stub]:
    with Stub() as stub:
        threading.Thread(target=stub.serve_forever, daemon=True).start()
        yield stub
        stub.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        self._respond("GET", None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = "json" in self.headers["Content-Type"]
        self._respond("POST", json.loads(body) if is_json else body.decode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr, which tests read."""

    def _respond(self, method: str, body: Any) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/apis/v2beta1")
        self.server.calls.append((method, path, body))
        self.server.tokens.append(self.headers.get("Authorization"))
        if path in self.server.refused:
            status, message = self.server.refused[path]
            self._send(status, {"message": message})
        else:
            self._send(200, self._route(method, path, query, body))

    def _send(self, status: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        versions = re.fullmatch("/pipelines/(.+)/versions", path)
        if versions:
            return {"pipeline_versions": self._versions(versions[1], query)}
        if path == "/pipelines/upload":
            return self._uploaded(query["name"], "first")
        if path == "/pipelines/upload_version":
            return self._uploaded(query["pipelineid"].removeprefix("id-of-"), query["name"])
        if method == "POST":
            made = {"/runs": "run_id", "/recurringruns": "recurring_run_id"}
            return {made.get(path, "experiment_id"): f"id-of-{body['display_name']}"}
        name = _get_filtered_name(query)
        result = [{"pipeline_id": f"id-of-{name}"}] if name in self.server.pipelines else []
        return {"pipelines": result} if path == "/pipelines" else {}

    def _uploaded(self, pipeline: str, name: str) -> dict[str, str]:
        version = {
            "pipeline_id": f"id-of-{pipeline}",
            "pipeline_version_id": f"version-{name}",
            "display_name": name,
        }
        self.server.pipelines.setdefault(pipeline, []).append(version)
        return version

    def _versions(self, pipeline: str, query: dict[str, str]) -> list[dict[str, str]]:
        name = _get_filtered_name(query)
        versions = self.server.pipelines[pipeline.removeprefix("id-of-")]
        return [version for version in versions if name in (None, version["display_name"])]


def _get_filtered_name(query: dict[str, str]) -> str | None:
    """The display name in the client's filter, or None."""
    if "filter" not in query:
        return None
    (predicate,) = json.loads(query["filter"])["predicates"]
    assert (predicate["key"], predicate["operation"]) == ("display_name", 1)
    return predicate["stringValue"]
