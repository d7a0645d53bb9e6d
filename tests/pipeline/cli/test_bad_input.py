"""An invalid input gives one sentence and its exit code; nothing is pushed."""

import importlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from pipeline import cli

SHOP = """
name = "shop"
[data.interactions]
path = "events.csv"
columns = ["user", "item", "time"]
user_id = "user"
item_id = "item"
timestamp = "time"
[data.items]
path = "items.csv"
[features.items]
item_name = { kind = "text", column = "name" }
"""
EVENTS = "".join(f"u{n % 7},i{n % 5},{1_600_000_000 + 60 * n}\n" for n in range(100))
ITEMS = "item_id,name\n" + "".join(f"i{n},thing {n}\n" for n in range(5))


@pytest.fixture(scope="module", autouse=True)
def _tensorflow():
    """Imported before stderr is captured, because its C++ core prints there on import."""
    importlib.import_module("tensorflow")


@pytest.fixture
def shop(tmp_path):
    """A folder with a configuration and matching data."""
    for name, text in {"shop.toml": SHOP, "events.csv": EVENTS, "items.csv": ITEMS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def refused(capfd):
    """refused(code, *arguments) -> the one sentence with which the command ends."""

    def call(code: int, *args: object) -> str:
        assert cli.main([str(arg) for arg in args]) == code
        output = capfd.readouterr()
        assert output.err.startswith("tandem: ")
        assert output.err.count("\n") == 1, output.err
        return output.err.removeprefix("tandem: ").rstrip("\n")

    return call


@pytest.fixture
def refused_run(refused, shop):
    """Runs `tandem run` on the shop and checks that it is refused without a push or a summary."""

    def call(code: int, *args: object) -> str:
        root = shop / "run"
        config = [] if "--config" in args else ["--config", shop / "shop.toml"]
        sentence = refused(code, "run", *config, "--root", root, *args)
        assert not (root / "serving").exists()
        assert not (root / "summary.json").exists()
        return sentence

    return call


def test_a_missing_event_file(refused_run, shop):
    (shop / "events.csv").unlink()
    sentence = refused_run(2)
    assert "data.interactions.path" in sentence
    assert str(shop / "events.csv") in sentence
    assert not (shop / "run").exists()


def test_a_missing_catalogue(refused_run, shop):
    (shop / "items.csv").unlink()
    assert "data.items.path" in refused_run(2)


def test_a_missing_data_folder(refused_run, shop):
    assert f"{shop}/nowhere/events.csv" in refused_run(2, "--data", shop / "nowhere")


@pytest.mark.parametrize("table", ["events", "items"])
def test_an_empty_file(refused_run, shop, table):
    (shop / f"{table}.csv").write_text("")
    assert f"only empty files at {shop}/{table}.csv" in refused_run(3)


def test_a_column_that_is_not_there(refused_run, shop):
    (shop / "items.csv").write_text(ITEMS.replace("name", "label"))
    sentence = refused_run(2)
    assert "features.items.item_name expects column 'name'" in sentence
    assert "'item_id', 'label'" in sentence


def test_a_delimiter_that_leaves_one_column(refused_run):
    sentence = refused_run(2, "--set", 'data.items.delimiter=";"')
    assert "items.csv" in sentence
    assert "received columns 'item_id,name'" in sentence
    assert "set delimiter = ','" in sentence


def test_a_delimiter_that_fits_no_line(refused_run, shop):
    """Configured column names hide it from every check of the file except ingestion's."""
    sentence = refused_run(3, "--set", 'data.interactions.delimiter="::"')
    assert "received 100 of 100 (100.00%): wrong_field_count 100" in sentence
    assert "are delimiter and columns right?" in sentence
    files = (shop / "run" / "rejected" / "interactions").glob("*.jsonl")
    letters = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert sorted(letter["raw"] for letter in letters) == sorted(EVENTS.splitlines())


@pytest.mark.e2e
def test_data_that_break_their_schema(capfd, shop):
    """The gate after ExampleValidator ends the run before training."""
    values = " ".join(f'value: "thing {n}"' for n in range(4))
    (shop / "items.pbtxt").write_text(
        'feature { name: "item_item_name" type: BYTES domain: "names" }'
        f'string_domain {{ name: "names" {values} }}'
    )
    (shop / "shop.toml").write_text(SHOP + '[curated]\nitems = "items.pbtxt"\n')
    root = shop / "run"
    assert cli.main(["run", "--config", f"{shop}/shop.toml", "--root", str(root)]) == 3
    output = capfd.readouterr()
    assert output.err.startswith("tandem: expected data that fit the schema")
    assert "items/all: item_item_name: domain" in output.err
    assert "thing 4" in output.err
    assert "Traceback" not in output.err
    assert "Transform" not in output.out
    assert not (root / "serving").exists()


def test_a_missing_configuration(refused_run, shop):
    sentence = refused_run(2, "--config", shop / "other.toml")
    assert sentence.startswith(f"expected a configuration file at {shop}/other.toml")


def test_baselines_whose_package_is_not_installed(refused_run, shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit", None)
    sentence = refused_run(2, "--set", 'evaluation.peers=["als", "bpr"]')
    assert "expects the package implicit, found none; install it with: pip install" in sentence
    assert not (shop / "run").exists()


def test_a_folder_in_place_of_the_configuration(refused_run, shop):
    assert f"readable configuration file at {shop}" in refused_run(2, "--config", shop)


def test_a_configuration_that_is_not_toml(refused_run, shop):
    (shop / "shop.toml").write_text("name: shop\n")
    sentence = refused_run(2)
    assert "shop.toml is not valid TOML" in sentence
    assert "line 1" in sentence


def test_an_unknown_key(refused_run, shop):
    (shop / "shop.toml").write_text(SHOP + "[retrieval]\nepoch = 3\n")
    assert f"{shop}/shop.toml: unknown key retrieval.epoch" in refused_run(2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("nonsense", "--set expects section.key=value, received 'nonsense'"),
        ("=3", "--set expects section.key=value, received '=3'"),
        ("retrieval.epoch=3", "unknown key retrieval.epoch"),
        ("retrieval.epochs=many", "retrieval.epochs: "),
        ("retrieval.epochs=0", "received 0"),
        ('blessing.thresholds=[{target="stars", metric="rmse", at_most=1}]', "received 'stars'"),
        ('blessing.thresholds=[{metric="ndcg@10"}]', "expects at_least or at_most"),
        ('blessing.baselines=[{lists="retrieval", baseline="retrieval"}]', "against itself"),
        ("name.first=shop", "expected name to be a section"),
        ("name=Two Words", "received 'Two Words'"),
    ],
)
def test_an_override_that_makes_no_sense(refused_run, override, message):
    assert message in refused_run(2, "--set", override)


@pytest.mark.parametrize(
    ("of", "received"),
    [("items.brand", "no such feature"), ("items.item_name", "kind text")],
)
def test_a_group_that_the_data_lack(refused_run, shop, of, received):
    (shop / "shop.toml").write_text(f'{SHOP}[[evaluation.fairness]]\ngroups = "{of}"\n')
    sentence = refused_run(2)
    assert f"fairness of {of} expects a category or a set declared in features.items" in sentence
    assert f"received {received}; declare the feature or remove the group" in sentence


def test_a_deny_list_that_is_not_there(refused_run, shop):
    output = refused_run(2, "--set", "index.deny_list=denied.txt")
    assert str(shop / "denied.txt") in output
    assert "index.deny_list" in output


def test_a_filter_that_is_not_a_category(refused_run):
    output = refused_run(2, "--set", "data.items.filter=item_name")
    assert "data.items.filter expects one of features.items of kind category or set" in output


def test_a_group_whose_column_the_files_lack(refused_run, shop):
    groups = 'brand = { kind = "category" }\n[[evaluation.fairness]]\ngroups = "items.brand"\n'
    (shop / "shop.toml").write_text(SHOP + groups)
    assert "features.items.brand expects column 'brand'" in refused_run(2)


@pytest.mark.parametrize("why", ["", "  "])
def test_no_reason_to_push_what_fails(refused_run, why):
    sentence = refused_run(2, "--force-push", why)
    assert sentence.startswith("--force-push expects the reason, received an empty one")


def test_a_root_that_is_a_file(refused, shop):
    before = (shop / "events.csv").read_bytes()
    root = shop / "events.csv"
    sentence = refused(2, "run", "--config", shop / "shop.toml", "--root", root)
    assert f"expected a folder to write the run into at {root}" in sentence
    assert (shop / "events.csv").read_bytes() == before


def test_an_unwritable_location_of_the_compiled_pipeline(refused, shop):
    out = shop / "events.csv" / "pipeline.yaml"
    sentence = refused(
        2, "compile", "--config", shop / "shop.toml", "--image", "shop:1", "--out", out
    )
    assert f"expected to write the pipeline to {out}" in sentence


@pytest.mark.parametrize("verb", [("recommend", "--user", "u1"), ("serve",), ("tensorboard",)])
def test_no_run_at_the_root(refused, tmp_path, verb):
    sentence = refused(2, *verb, "--root", tmp_path)
    assert str(tmp_path) in sentence
    assert "tandem run" in sentence


def test_a_list_of_no_items(refused, tmp_path):
    sentence = refused(2, "recommend", "--root", tmp_path, "--user", "u1", "--k", "0")
    assert sentence == "--k expects a positive number, received 0; raise it"


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as socket_in_use:
        yield socket_in_use.getsockname()[1]


@pytest.mark.parametrize("side", ["grpc", "rest"])
def test_a_port_in_use(tmp_path, busy_port, side):
    """In a separate process, because C++ libraries fix their log level on import."""
    (tmp_path / "serving" / "retrieval" / "1").mkdir(parents=True)
    ports = {"grpc": "0", "rest": "0", side: str(busy_port)}
    options = [word for name, port in ports.items() for word in (f"--{name}-port", port)]
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--root", str(tmp_path), *options]
    users = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    completed = subprocess.run(command, check=False, capture_output=True, text=True, env=users)
    assert completed.returncode == 2
    assert completed.stdout == ""
    assert completed.stderr.count("\n") == 1, completed.stderr
    assert f"127.0.0.1:{busy_port}" in completed.stderr
    assert f"--{side}-port" in completed.stderr


def test_a_port_that_is_none(refused, tmp_path):
    """The signal handlers that `tandem serve` replaces are restored."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    sentence = refused(2, "serve", "--root", tmp_path, "--grpc-port", "99999")
    assert sentence.startswith("--grpc-port: ")
    assert sentence.endswith("received 99999")
    assert {number: signal.getsignal(number) for number in handlers} == handlers


def test_a_missing_argument_is_named(capfd, tmp_path):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "--root", str(tmp_path / "run")])
    assert ended.value.code == 2
    assert "required: --config" in capfd.readouterr().err


def test_the_shop_of_these_tests_is_valid(shop: pathlib.Path):
    """Each refusal above is thus caused by the change in its test."""
    from components.ingest import preflight
    from pipeline.config.config import load_config

    preflight.check(load_config(shop / "shop.toml").dataset, str(shop))
