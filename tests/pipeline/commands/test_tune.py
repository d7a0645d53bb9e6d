"""The name of a search, and the file that it writes."""

import pathlib

import pytest

from pipeline import cli
from pipeline.commands import tune
from pipeline.commands.tune import compute_search_name
from pipeline.config.config import load_config
from schema.errors import UsageError

SHOP = """
name = "shop"  # a comment
curated.items = "schemas/items.pbtxt"
data.interactions = { path = "events.csv", delimiter = "\\t" }
[data.items]
path = "items.csv"
[features.items]
tags = { kind = "set", separator = "|" }
[retrieval]
epochs = 3
[tune]
trials = 4
retrieval.dropout = [0.1, 0.2]
"""


@pytest.fixture
def shop(tmp_path) -> pathlib.Path:
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    return file


def test_the_file_holds_the_whole_configuration_with_the_best_values(shop, tmp_path):
    out = tmp_path / "runs" / "tuned.toml"
    tune.check_output(out)
    assert not out.exists()
    overrides = ["retrieval.embedding_dim=32", "split.valid_fraction=0.2", "seed=7"]
    best = {"dropout": 0.2, "learning_rate": 3.5e-05}
    tune.write_tuned_config(out, shop, overrides, best, "best of 4")
    assert out.read_text().startswith("# Written by `tandem tune`: best of 4\n")
    assert [path.name for path in out.parent.iterdir()] == ["tuned.toml"]
    before, after = load_config(shop, overrides), load_config(out)
    assert after == before.model_copy(
        update={"retrieval": before.retrieval.model_copy(update=best)}
    )
    assert after.retrieval.dropout == 0.2
    assert after.curated.items == str(tmp_path / "schemas" / "items.pbtxt")


def test_its_own_file_is_rewritten_and_no_other(shop, tmp_path):
    out = tmp_path / "tuned.toml"
    tune.write_tuned_config(out, shop, [], {"dropout": 0.2}, "best of 4")
    tune.check_output(out)
    for others in (shop, tmp_path):
        with pytest.raises(UsageError, match=r"another file with --out"):
            tune.check_output(others)
    assert shop.read_text() == SHOP


def test_another_search_has_another_name(shop):
    def name(*overrides: str, data: str = "aa") -> str:
        return compute_search_name(load_config(shop, list(overrides)), data)

    different = [
        name(),
        name(data="bb"),
        name("seed=1"),
        name("trainer.mixed_precision=true"),
        name("retrieval.epochs=4"),
        name("tune.retrieval.dropout=[0.1, 0.3]"),
        name("split.valid_fraction=0.2"),
        name("features.items.tags.separator=;"),
    ]
    assert len(set(different)) == len(different)
    same = [
        name("tune.trials=9"),
        name("ranking.epochs=2"),
        name("index.kind=exact"),
        name("trainer.profile=true"),
    ]
    assert set(same) == {name()}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tune.retrieval.width=[1]", "tune: width is no key of [retrieval]"),
        ("tune.retrieval.dropout=[2]", "dropout: Input should be less than 1, received 2"),
        ("tune.retrieval.dropout.min=0", "give both ends"),
        ("tune.trials=0", "tune.trials: Input should be greater than or equal to 1, received 0"),
    ],
)
def test_a_range_that_does_not_fit_ends_with_a_sentence(shop, tmp_path, capsys, override, message):
    root = tmp_path / "root"
    arguments = ["tune", "--config", str(shop), "--root", str(root), "--set", override]
    if override.endswith("min=0"):
        arguments[-1:] = ["tune.retrieval={dropout={min=0.1}}"]
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not root.exists()
