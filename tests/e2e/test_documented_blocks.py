"""Every TOML block of README and docs/ runs, up to a served answer, on synthetic data.

Complete configurations run unchanged. Parts are merged into one of them, several in one run unless
they contradict each other. The folders have deliberately difficult names.
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

BLOCKS = documented_blocks.find_blocks()
COMPLETE = [block for block in BLOCKS if block.is_complete]
# Other Beam runners and clusters are not tested: such parts are only read and compiled.
LOCAL = (None, "FnApiRunner")
PARTS = [
    block
    for block in BLOCKS
    if not block.is_complete
    and "kubeflow" not in block.table
    and block.table.get("beam", {}).get("runner") in LOCAL
]
ELSEWHERE = [block for block in BLOCKS if not block.is_complete and block not in PARTS]
# With the default names of columns.
[BASE] = [block for block in COMPLETE if block.location.startswith("docs/CONFIG.md:")]
SMALL = ["--set", "retrieval.epochs=1", "--set", "retrieval.refit_epochs=0"]
SMALL += ["--set", "ranking.epochs=1"]
DIFFICULT_NAME = "-o?d [1] *é#%41'\"\\x & {a}"


@pytest.fixture
def write_shop(tmp_path):
    """write_shop(table) -> the configuration as a file, with data, in a folder DIFFICULT_NAME."""

    def write(table: dict) -> pathlib.Path:
        path = tmp_path / DIFFICULT_NAME / "shop [1].toml"
        path.parent.mkdir()
        path.write_text(tomli_w.dumps(table), encoding="utf-8")
        declared_data.write(load_config(path), path.parent)
        return path

    return write


def format_locations(blocks: list[Block]) -> str:
    return " ".join(block.location for block in blocks)


def run(path: pathlib.Path, *arguments: str) -> pathlib.Path:
    """Runs the configuration, with data in the same folder; returns the run's root."""
    root = path.parent / "run [*]"
    assert cli.main(["run", "--config", str(path), "--root", str(root), *arguments]) == 0
    return root


def expect_served(root: pathlib.Path) -> None:
    """A known user receives items of the catalogue, without those of the history."""
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


@pytest.mark.parametrize("block", COMPLETE, ids=lambda block: block.location)
def test_a_complete_configuration(write_shop, block):
    """README's is trained as it is; the others are trained for fewer epochs. The push is forced,
    because the synthetic events follow a cycle, which item transitions predict without an error.
    """
    options = [] if block is COMPLETE[0] else SMALL
    root = run(write_shop(block.table), *options, "--force-push", "to be tested")
    expect_served(root)
    assert cli.main(["recommend", "--root", str(root), "--user", "u1", "--k", "3"]) == 0


@pytest.mark.parametrize("blocks", documented_blocks.group_compatible(PARTS), ids=format_locations)
def test_parts(write_shop, blocks):
    """The push is forced, because small synthetic data need not pass the rules of `[blessing]`."""
    table = BASE.table
    for block in blocks:
        table = documented_blocks.merge(table, block.table)
    path = write_shop(table)
    expect_served(run(path, *SMALL, "--force-push", "to be queried"))
    if "tune" in table:
        options = [*SMALL, "--set", "tune.trials=2"]
        root = str(path.parent / "run [*]")
        assert cli.main(["tune", "--config", str(path), "--root", root, *options]) == 0


@pytest.mark.parametrize("block", ELSEWHERE, ids=lambda block: block.location)
def test_parts_for_other_machines(write_shop, tmp_path, block):
    path = write_shop(documented_blocks.merge(BASE.table, block.table))
    loaded = load_config(path)
    for section, values in block.table.items():
        assert getattr(loaded, section).model_dump(exclude_unset=True) == values
    if "kubeflow" in block.table and importlib.util.find_spec("kfp"):
        out = tmp_path / "shop.yaml"
        options = ["--image", "example/tandem:1", "--out", str(out)]
        assert cli.main(["compile", "--config", str(path), *options]) == 0
        assert out.exists()


def test_blocks_are_found():
    assert COMPLETE[0].location.startswith("README.md:")
    assert {block.location.partition(":")[0] for block in BLOCKS} >= {
        "README.md", "docs/BLESSING.md", "docs/CONFIG.md", "docs/KUBEFLOW.md", "docs/RECURRING.md",
    }  # fmt: skip


def test_data_without_a_producer_are_named(write_shop):
    """A newly documented format gives an error that says where to add its data."""
    table = documented_blocks.merge(BASE.table, {"data": {"items": {"format": "parquet"}}})
    with pytest.raises(AssertionError, match="data.items: cannot write parquet: add a writer here"):
        write_shop(table)
