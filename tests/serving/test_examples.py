"""The examples of README and docs/SERVING.md, run unchanged except for the address."""

import asyncio
import pathlib
import re
import textwrap
import urllib.request

import pytest

from serving.client.client import AsyncClient, Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server
from tests.serving.planted_servables import push_servables

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "docs/SERVING.md")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_server(push_servables(tmp_path_factory.mktemp("examples"))) as running:
        yield running


def find_blocks(document, kind, mark):
    """Code blocks of this kind that contain `mark`."""
    text = (ROOT / document).read_text(encoding="utf-8")
    matches = re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for block in matches if mark in block]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_python_example_lists_five(server, capsys, document):
    (code,) = find_blocks(document, "python", "with Client(")
    exec(code.replace("127.0.0.1:8500", server.grpc_address), {})
    items = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert sorted(items) == ["a", "b", "c", "d", "é"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_curl_example_is_answered(server, document):
    (command,) = find_blocks(document, "sh", "curl ")
    match = re.search(r"curl -s (\S+) -d '(.*)'", command, re.DOTALL)
    assert match is not None
    url, body = match.groups()
    url = url.replace("http://127.0.0.1:8501", server.rest_url)
    with urllib.request.urlopen(url, body.encode(), timeout=30) as answer:
        assert '"stages": ["ranking", "ranking"' in answer.read().decode()


def test_the_asyncio_example_sends_its_requests(server):
    (code,) = find_blocks("docs/SERVING.md", "python", "async with AsyncClient(")
    code = code.replace("127.0.0.1:8500", server.grpc_address)
    with Client(server.grpc_address) as client:
        declared = client.inputs("recommender")
    requests = [build_listing_request(declared, ListingQuery("u", [], now=0, k=k)) for k in (1, 3)]
    names = {"AsyncClient": AsyncClient, "asyncio": asyncio, "requests": requests}
    exec(f"async def run():\n{textwrap.indent(code, '    ')}    return responses", names)
    responses = asyncio.run(names["run"]())
    assert [len(response["item_ids"][0]) for response in responses] == [1, 3]
