"""`tandem init` writes a configuration once, and tells what it is unsure of."""

import json

import pytest
import tomli

from pipeline import cli
from pipeline.commands.init import write_first_config
from pipeline.config.config import load_config
from schema.errors import UsageError
from tests.pipeline.recipes.files import load_sample, write_files

LOG = "user_id,item_id,timestamp,session_id\n" + "".join(
    f"u{n % 4},i{n % 7},{1_600_000_000 + n},s{n}\n" for n in range(40)
)


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "My Shop!"
    folder.mkdir()
    (folder / "events.csv").write_text(LOG)
    (folder / "items.csv").write_text(
        "item_id,Name of it,review count\n" + "".join(f"i{n},Lamp {n},{n}\n" for n in range(7))
    )
    (folder / "odd\n.bin").write_bytes(b"PK\x03\x04")
    return folder


def test_the_file_is_valid_and_has_comments_on_what_is_unsure(shop, tmp_path):
    done = write_first_config(shop, tmp_path / "shop.toml")
    text = done.path.read_text()
    assert load_config(done.path).name == "my-shop"
    assert "# unsure: user_id: session_id could be it too\n[data.interactions]" in text
    assert '# review_count = { kind = "number", column = "review count" }' in text
    assert "# Not read: odd .bin: a zip archive" in text
    items = tomli.loads(text)["features"]["items"]
    assert items == {"name_of_it": {"kind": "text", "column": "Name of it"}}


def test_a_recipe_fits_only_if_a_file_without_header_has_as_many_columns(tmp_path):
    folder = tmp_path / "films"
    write_files(load_sample("movielens-1m"), folder)
    assert write_first_config(folder, tmp_path / "a.toml").recipes == ["movielens-1m"]
    (folder / "users.dat").write_text("".join(f"{n}::{n}00\n" for n in range(1, 6)))
    assert write_first_config(folder, tmp_path / "b.toml").recipes == []


def test_a_tab_is_written_so_that_it_can_be_seen(tmp_path):
    write_files(load_sample("recbole"), tmp_path / "atomic")
    done = write_first_config(tmp_path / "atomic", tmp_path / "a.toml")
    assert 'delimiter = "\\t"\n' in done.path.read_text()
    assert load_config(done.path).data.interactions.delimiter == "\t"


def test_further_events_are_in_comments(tmp_path):
    write_files(load_sample("yoochoose"), tmp_path / "clicks")
    text = write_first_config(tmp_path / "clicks", tmp_path / "a.toml").path.read_text()
    assert '# [[data.interactions]]\n# path = "yoochoose-buys.dat"\n' in text
    (tmp_path / "both.toml").write_text(
        text.replace("\n[data.interactions]", "\n[[data.interactions]]")
        .replace("# [[data.interactions]]\n", "[[data.interactions]]\n")
        .replace('# path = "yoochoose-buys.dat"', 'path = "yoochoose-buys.dat"')
        .replace("# columns = [", "columns = [")
        .replace("# timestamp_unit", "timestamp_unit")
    )
    assert len(load_config(tmp_path / "both.toml").data.event_tables) == 2


def test_an_existing_file_is_kept_without_force(shop, tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"expected to write a new file, found .*--force"):
        write_first_config(shop, path)
    assert path.read_text() == "mine"
    write_first_config(shop, path, force=True)
    assert load_config(path).data.interactions.path == "events.csv"


def test_the_verb_prints_what_to_run_next(shop, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--data", str(shop)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[-1] == f"next: tandem run --config my-shop.toml --data '{shop}' --root runs/my-shop"
    )
    assert "  unsure: user_id: session_id could be it too" in lines


def test_only_json(shop, tmp_path, capsys):
    path = tmp_path / "shop.toml"
    assert cli.main(["init", "--data", str(shop), "--out", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["missing"], told["recipes"]) == (str(path), "", [])
    assert [table["kind"] for table in told["tables"]] == ["interactions", "items"]
    assert told["tables"][0]["unsure"] == ["user_id: session_id could be it too"]


def test_a_folder_without_a_log_has_the_code_of_refused_data(tmp_path, capsys):
    (tmp_path / "items.csv").write_text("item_id,name\n1,Lamp\n2,Desk\n")
    assert cli.main(["init", "--data", str(tmp_path), "--out", str(tmp_path / "x.toml")]) == 3
    assert "expected a file of events in" in capsys.readouterr().err
    assert not (tmp_path / "x.toml").exists()
