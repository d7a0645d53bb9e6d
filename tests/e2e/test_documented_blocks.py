"""Every TOML block of README and docs/ runs, to a served answer, over made data of its columns.

Whole configurations run as they stand. Parts are merged into one of these, several to a run where
they do not contradict each other. All of it lies in folders whose names nobody should have.
"""

import importlib.util
import json
import pathlib

import pytest
import tomli_w

from pipeline import cli
from pipeline.config.config import load_config
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server
from tests.e2e import declared_data, documented_blocks
from tests.e2e.documented_blocks import Block

pytestmark = pytest.mark.e2e

BLOCKS = documented_blocks.found()
WHOLE = [block for block in BLOCKS if block.is_whole]
# Other engines than the local one, and a cluster, are in no test: such parts are read and compiled.
LOCAL = (None, "FnApiRunner")
PARTS = [
    block
    for block in BLOCKS
    if not block.is_whole
    and "kubeflow" not in block.table
    and block.table.get("beam", {}).get("runner") in LOCAL
]
ELSEWHERE = [block for block in BLOCKS if not block.is_whole and block not in PARTS]
BASE = WHOLE[-1]  # with the names of columns that are the defaults
SMALL = ["--set", "retrieval.epochs=1", "--set", "retrieval.refit_epochs=0"]
SMALL += ["--set", "ranking.epochs=1"]
ODD = "-o?d [1] *é#%41'\"\\x & {a}"


@pytest.fixture
def laid(tmp_path):
    """laid(table) -> the configuration as a file and its data beside it, in a folder ODD."""

    def lay(table: dict) -> pathlib.Path:
        path = tmp_path / ODD / "shop [1].toml"
        path.parent.mkdir()
        path.write_text(tomli_w.dumps(table), encoding="utf-8")
        declared_data.write(load_config(path), path.parent)
        return path

    return lay


def where(blocks: list[Block]) -> str:
    return " ".join(block.where for block in blocks)


def run(path: pathlib.Path, *arguments: str) -> pathlib.Path:
    """The root of a run of the configuration, in whose folder its data are."""
    root = path.parent / "run [*]"
    assert cli.main(["run", "--config", str(path), "--root", str(root), *arguments]) == 0
    return root


def expect_served(root: pathlib.Path) -> None:
    """A user of the log is shown what the catalogue has and what they have not taken."""
    summary = json.loads((root / "summary.json").read_text(encoding="utf-8"))
    assert summary["rows"]["read"] == summary["rows"]["accepted"] > 0
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        request = build_listing_request(
            client.inputs("recommender"),
            ListingQuery("u1", [("i7", 1_704_067_200)], now=1_710_000_000, k=5),
        )
        answer = client.predict("recommender", request)
    shown = [item.decode() for item in answer["item_ids"][0]]
    assert len(set(shown)) == 5
    assert set(shown) <= {f"i{n}" for n in range(declared_data.ITEMS)} - {"i7"}


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: block.where)
def test_a_whole_configuration(laid, block):
    """README's has no switch added; the others are trained shortly."""
    root = run(laid(block.table), *([] if block is WHOLE[0] else SMALL))
    expect_served(root)
    assert cli.main(["recommend", "--root", str(root), "--user", "u1", "--k", "3"]) == 0


@pytest.mark.parametrize("blocks", documented_blocks.packed(PARTS), ids=where)
def test_parts(laid, blocks):
    """Whether small made data pass the rules of `[blessing]` is not what is tested."""
    table = BASE.table
    for block in blocks:
        table = documented_blocks.merged(table, block.table)
    path = laid(table)
    expect_served(run(path, *SMALL, "--force-push", "to be asked"))
    if "tune" in table:
        few = [*SMALL, "--set", "tune.trials=2"]
        root = str(path.parent / "run [*]")
        assert cli.main(["tune", "--config", str(path), "--root", root, *few]) == 0


@pytest.mark.parametrize("block", ELSEWHERE, ids=lambda block: block.where)
def test_parts_for_other_machines(laid, tmp_path, block):
    path = laid(documented_blocks.merged(BASE.table, block.table))
    loaded = load_config(path)
    for section, message in block.table.items():
        assert getattr(loaded, section).model_dump(exclude_unset=True) == message
    if "kubeflow" in block.table and importlib.util.find_spec("kfp"):
        out = tmp_path / "shop.yaml"
        given = ["--image", "example/tandem:1", "--out", str(out)]
        assert cli.main(["compile", "--config", str(path), *given]) == 0
        assert out.exists()


def test_blocks_are_found():
    assert WHOLE[0].where.startswith("README.md:")
    assert {block.where.partition(":")[0] for block in BLOCKS} >= {
        "README.md", "docs/BLESSING.md", "docs/CONFIG.md", "docs/KUBEFLOW.md", "docs/RECURRING.md",
    }  # fmt: skip


def test_data_without_a_producer_are_named(laid):
    """Who documents another format is told to add its data."""
    table = documented_blocks.merged(BASE.table, {"data": {"items": {"format": "parquet"}}})
    with pytest.raises(AssertionError, match="data.items: no data are made in parquet"):
        laid(table)
