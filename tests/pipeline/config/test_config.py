"""The TOML file and its overrides: the resulting configuration, and the errors."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.config import Config, load_config
from schema.errors import ConfigError

ROOT = pathlib.Path(__file__).resolve().parents[3]
SHOP = """
name = "shop"
[data.interactions]
path = "events.csv"
[data.items]
path = "items.csv"
"""
PAIRS = """
name = "pairs"
[data.interactions]
path = "pairs.csv"
timestamp = ""
[split]
kind = "random"
"""


@pytest.fixture
def load(tmp_path):
    """Loads a text as a file, with overrides."""

    def call(text: str, *overrides: str) -> Config:
        (tmp_path / "shop.toml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "shop.toml", list(overrides))

    return call


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.items.path=''", "data.items.path: expected a path or a URL, received ''"),
        ("data.items.path='ftp://x/y'", "data.items.path: expected a path, or a URL with s3:// or"),
        ("data.items.path='s3://logs//x'", "data.items.path: expected no // within a URL"),
        ("index.deny_list='s3://b/x'", "index.deny_list: expected a local path"),
        ("curated.items=''", "curated.items: expected a path or a URL, received ''"),
    ],
)
def test_an_invalid_location_is_refused_with_its_key(load, override, sentence):
    with pytest.raises(ConfigError) as refused:
        load(SHOP, override)
    assert f"shop.toml: {sentence}" in str(refused.value)


def test_a_location_is_parsed_as_on_the_command_line(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    loaded = load(SHOP, "data.items.path='s3://logs/x/'", "index.deny_list='~/denied'")
    assert loaded.data.items.path == "s3://logs/x"
    assert loaded.index.deny_list == "/home/me/denied"


def test_two_tables_are_enough(load):
    loaded = load(SHOP)
    assert loaded.data.interactions.path == "events.csv"
    assert loaded.dataset.data.users is None
    assert (loaded.seed, loaded.beam.runner) == (42, "FnApiRunner")


@pytest.mark.parametrize("name", ["simulated", "movietweetings", "recurring"])
def test_the_shipped_configurations_load_under_their_own_names(name):
    assert load_config(ROOT / "configs" / f"{name}.toml").name == name


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("retrieval.epochs=3", "retrieval", "epochs", 3),
        ("retrieval.learning_rate = 1e-2", "retrieval", "learning_rate", 0.01),
        ("ranking.hidden_units=[8]", "ranking", "hidden_units", [8]),
        ("blessing.bias_baseline=true", "blessing", "bias_baseline", True),
        ("index.kind=exact", "index", "kind", "exact"),
        ('index.kind="exact"', "index", "kind", "exact"),
    ],
)
def test_an_override_is_read_as_toml_or_as_the_bare_word(load, override, section, key, value):
    assert getattr(getattr(load(SHOP, override), section), key) == value


def test_the_last_override_wins_over_the_others_and_over_the_file(load):
    text = SHOP + "[retrieval]\nepochs = 9\n"
    assert load(text, "retrieval.epochs=3", "retrieval.epochs=5").retrieval.epochs == 5


def test_an_override_may_name_a_section_that_the_file_does_not_have(load):
    assert load(SHOP, "labels.ranking.stars.column=rating", "labels.ranking.stars.kind=regression")


@given(st.integers(0, 2**40))
def test_any_seed_arrives_as_it_was_written(tmp_path_factory, seed):
    file = tmp_path_factory.mktemp("seed") / "shop.toml"
    file.write_text(SHOP)
    assert load_config(file, [f"seed={seed}"]).seed == seed


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SHOP + "[retreival]\nepochs = 3\n", "unknown key retreival"),
        (SHOP.replace("shop", "My Shop"), "name: .* received 'My Shop'"),
        (SHOP.replace('name = "shop"', ""), "key name is missing"),
        (SHOP + "[retrieval]\nepochs = 0\n", "retrieval.epochs: .* received 0"),
        (SHOP + "[split]\ntest_fraction = 0.7\n", "test_fraction.* received 0.7"),
        (SHOP + '[features.items]\nid = { kind = "text" }\n', "features.items.id"),
        (SHOP + '[features.items]\nname = { kind = "word" }\n', "features.items.name.*'word'"),
        (
            SHOP + '[features.users]\nage = { kind = "number" }\n',
            r"users \(age\) expects a \[data.users\] table",
        ),
        (
            SHOP + '[[evaluation.fairness]]\ngroups = "items.genre"\n',
            r"items.genre expects a category or a set .*\(none is\), received no such feature",
        ),
        (
            SHOP + '[split]\nkind = "last_item"\n[retrieval]\nwarm_start = true\n',
            r"retrieval.warm_start expects a split by time, received split.kind = .last_item.",
        ),
        (
            PAIRS + "[retrieval]\nwarm_start = true\n",
            r"retrieval.warm_start expects a split by time, received split.kind = .random.",
        ),
        (
            SHOP + "[ranking]\npropensity_weights = true\n",
            r"ranking.propensity_weights expects a log with data.interactions.impressions",
        ),
        (
            PAIRS + '[[blessing.baselines]]\nbaseline = "recent"\n',
            "blessing.baselines expects recent only for events with times",
        ),
        (PAIRS.replace("random", "window"), "window"),
        ("name = shop", "not valid TOML"),
    ],
)
def test_invalid_values_are_named_with_file_and_key(load, text, sentence):
    with pytest.raises(ConfigError, match=f"shop.toml.*{sentence}"):
        load(text)


def test_several_mistakes_are_counted(load):
    with pytest.raises(ConfigError, match=r"retrieval.epochs.* \(and 1 more\)$"):
        load(SHOP, "retrieval.epochs=0", "retrieval.patience=0")


def test_bytes_that_are_not_text(tmp_path):
    (tmp_path / "shop.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="shop.toml is not valid TOML"):
        load_config(tmp_path / "shop.toml")


@pytest.mark.parametrize("name", ["s", "7", "shop-1", "s" * 63])
def test_names_that_kubernetes_accepts(load, name):
    assert load(SHOP.replace("shop", name)).name == name


def test_a_feature_s_name_is_a_file_s_name_too(load):
    """Its vocabulary is a file with its name."""
    with pytest.raises(ConfigError, match="at most 63 characters"):
        load(f'{SHOP}[features.items]\n{"f" * 64} = {{ kind = "text" }}\n')


SEVERAL = """
name = "shop"
[[data.interactions]]
path = "views.csv"
[[data.interactions]]
path = "buys.csv"
[data.items]
path = "items.csv"
"""


def test_an_override_reaches_every_table_of_an_array(load):
    loaded = load(SEVERAL, "data.interactions.delimiter='|'")
    assert [table.delimiter for table in loaded.data.event_tables] == ["|", "|"]


def test_an_error_names_the_table_of_an_array(load):
    with pytest.raises(ConfigError, match=r"unknown key data\.interactions\.1\.paht"):
        load(SEVERAL.replace('path = "buys.csv"', 'path = "buys.csv"\npaht = "x"'))


def test_repeats_are_excluded_by_default(load):
    assert load(SHOP).dataset.recommend.repeats == "exclude"
    loaded = load(SHOP, "recommend.repeats=only")
    assert loaded.dataset.recommend.repeats == "only"
    assert loaded.index.for_repeats("only").kind == "exact"
    assert loaded.index.for_repeats("allow") == loaded.index
    with pytest.raises(ConfigError, match="recommend.repeats: .*received 'never'"):
        load(SHOP, "recommend.repeats=never")


def test_the_order_of_lists_is_by_relevance_by_default(load):
    recommend = load(SHOP).recommend
    assert (recommend.diversity, recommend.calibration) == (0, 0)
    for key in ("diversity", "calibration"):
        with pytest.raises(ConfigError, match=f"recommend.{key}: .* received 1.5"):
            load(SHOP, f"recommend.{key}=1.5")


def test_calibration_requires_categories(load):
    with pytest.raises(ConfigError, match="recommend.calibration expects data.items.filter"):
        load(SHOP, "recommend.calibration=0.5")
    declared = ["features.items.genres={kind = 'set'}", "data.items.filter=genres"]
    assert load(SHOP, "recommend.calibration=0.5", *declared).recommend.calibration == 0.5


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["recommend.repeats=only", "index.kind=ivf"], "expected index.kind .* received 'ivf'"),
        (
            ["blessing.baselines=[{baseline = 'personal_frequency'}]"],
            'personal_frequency only where .* received recommend.repeats = "exclude"',
        ),
    ],
)
def test_settings_that_conflict_with_repeats_are_refused(load, overrides, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load(SHOP, *overrides)


def test_a_rule_names_a_peer_only_on_request(load):
    rule = "blessing.baselines=[{baseline = 'als'}]"
    with pytest.raises(ConfigError, match=r"als only if evaluation.peers has it, .* \['bpr'\]"):
        load(SHOP, rule, "evaluation.peers=['bpr']")
    assert load(SHOP, rule, "evaluation.peers=['als']").evaluation.peers == ["als"]
    assert load(SHOP).evaluation.peers == []
