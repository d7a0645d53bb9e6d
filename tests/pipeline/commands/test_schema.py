"""Infer, curate, pass the gate and compare: the life of a schema, on a small planted shop."""

import json
import pathlib

import pytest

from components.ingest.fingerprint import compute_input_fingerprint
from pipeline import cli, dag
from pipeline.config.config import load_config
from pipeline.execution.sequential import SequentialRunner
from pipeline.metadata import GATE_NODE, build_connection_config, find_previous_statistics
from pipeline.run_root import RunRoot
from pipeline.runner import build_run_locations

SHOP = """
name = "shop"
[data.interactions]
path = "events.csv"
[data.items]
path = "items.csv"
[features.items]
colour = { kind = "category" }
price = { kind = "number" }
[features.context]
device = { kind = "category" }
"""
CURATED = """
[curated]
interactions = "shop.interactions.pbtxt"
items = "shop.items.pbtxt"
"""
T0 = 1_600_000_000


class Passed(Exception):
    """Metadata of data that passed the gate."""


def lay(folder: pathlib.Path, devices: tuple[str, ...], prices: tuple[float, ...]) -> pathlib.Path:
    """400 events of 10 users on 50 items; devices and prices alternate."""
    folder.mkdir()
    events = [
        f"u{n % 10},i{n * 7 % 50},{T0 + 60 * n},{devices[n % len(devices)]}" for n in range(400)
    ]
    items = [f"i{n},{('red', 'blue')[n % 2]},{prices[n % len(prices)]}" for n in range(50)]
    (folder / "events.csv").write_text("\n".join(["user_id,item_id,timestamp,device", *events]))
    (folder / "items.csv").write_text("\n".join(["item_id,colour,price", *items]))
    return folder


def pass_gate(config: pathlib.Path, data: pathlib.Path, root: pathlib.Path) -> None:
    """A run up to its gate, without the training."""
    read = load_config(config)
    at = RunRoot(root)
    at.root.mkdir(exist_ok=True)
    fingerprint = compute_input_fingerprint(read.dataset, str(data))
    connection = build_connection_config(str(at.metadata))
    before = find_previous_statistics(connection, read.name, fingerprint)
    locations = build_run_locations(str(data), at)

    def finished(name: str, seconds: float) -> None:
        if name == GATE_NODE:
            raise Passed

    with pytest.raises(Passed):
        SequentialRunner(lambda name: None, finished).run(
            dag.build_pipeline(read, locations, fingerprint, connection, before)
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with a configuration, its inferred schemas, and a root whose data passed the
    gate.
    """
    folder = tmp_path_factory.mktemp("shop")
    data = lay(folder / "data", ("phone", "desktop"), (1.0, 2.0, 3.0))
    config = folder / "shop.toml"
    config.write_text(SHOP)
    infer = ["schema", "infer", "--config", str(config), "--data", str(data), "--out", str(folder)]
    assert cli.main(infer) == 0
    config.write_text(SHOP + CURATED)
    pass_gate(config, data, folder / "root")
    return folder


def diff(shop: pathlib.Path, data: pathlib.Path, *more: str) -> int:
    config, root = str(shop / "shop.toml"), str(shop / "root")
    return cli.main(
        ["schema", "diff", "--config", config, "--root", root, "--data", str(data), *more]
    )


def test_inferred_files_describe_the_data_and_their_use(shop):
    text = (shop / "shop.interactions.pbtxt").read_text()
    assert 'interactions = "shop.interactions.pbtxt"' in text
    assert 'value: "phone"' in text
    assert 'value: "blue"' in (shop / "shop.items.pbtxt").read_text()


def test_a_curated_file_is_not_written_over(shop, capfd):
    infer = ["schema", "infer", "--config", str(shop / "shop.toml"), "--data", str(shop / "data")]
    assert cli.main([*infer, "--out", str(shop)]) == 2
    assert "may have been curated" in capfd.readouterr().err


def test_the_gate_leaves_a_page_for_each_table(shop):
    pages = sorted(path.name for path in (shop / "root" / "statistics").iterdir())
    assert pages == ["interactions.html", "items.html"]


def test_the_data_that_passed_change_nothing(shop, capfd):
    assert diff(shop, shop / "data") == 0
    output = capfd.readouterr().out
    assert output.startswith("nothing has changed")
    assert "these data fit the schema" in output


def test_changes_and_violations_of_new_data_are_reported(shop, tmp_path, capfd):
    new = lay(tmp_path / "new", ("phone", "watch"), (1.0, 2.0, -5.0))
    assert diff(shop, new, "--json") == 3
    document = json.loads(capfd.readouterr().out)
    assert not document["fits"]
    changes = {(c["split"], c["feature"], c["change"]) for c in document["changes"]}
    # 320 of 400 events are in train, half of them on each device
    assert ("train", "context_device", "new values 'watch' (160)") in changes
    assert ("all", "item_price", "smallest 1 → -5") in changes
    refused = {(f["table"], f["feature"], f["rule"]) for f in document["refused"]}
    assert ("interactions", "context_device", "domain") in refused
    assert ("interactions", "context_device", "drift") in refused
    assert ("items", "item_price", "range") in refused
    [price] = [
        f for f in document["refused"] if (f["feature"], f["rule"]) == ("item_price", "range")
    ]
    assert price["examples"][0] == "item_id i11: -5"
    assert pathlib.Path(document["statistics"], "items.html").exists()


def test_without_a_run_there_is_nothing_to_compare_with(shop, tmp_path, capfd):
    config = str(shop / "shop.toml")
    arguments = ["--config", config, "--root", str(tmp_path), "--data", str(shop / "data")]
    assert cli.main(["schema", "diff", *arguments]) == 2
    assert "run `tandem run" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
