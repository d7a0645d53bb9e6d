import pytest
from pydantic import ValidationError

from schema.dataset import Dataset
from schema.errors import ConfigError

TABLES = {"interactions": {"path": "events.csv"}, "items": {"path": "items.csv"}}


def _dataset(**changes):
    return Dataset.model_validate({"data": TABLES} | changes)


def test_a_dataset_is_restored_from_json():
    dataset = _dataset(
        features={"items": {"tags": {"kind": "set", "separator": ";"}}},
        labels={"positive": {"column": "stars", "at_least": 4}},
    )
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset


def test_user_features_require_a_user_table():
    features = {"users": {"age": {"kind": "number"}}}
    with pytest.raises(
        ValidationError, match=r"features\.users \(age\) expects a \[data\.users\] table"
    ):
        _dataset(features=features)
    assert _dataset(features=features, data=TABLES | {"users": {"path": "users.csv"}})


FEATURES = {"brand": {"kind": "category"}, "tags": {"kind": "set"}, "price": {"kind": "number"}}


@pytest.mark.parametrize("name", ["brand", "tags"])
def test_requests_can_be_filtered_by_a_feature_with_categories(name):
    tables = TABLES | {"items": {"path": "items.csv", "filter": name}}
    described = _dataset(features={"items": FEATURES}, data=tables)
    assert described.data.items_filter == name


@pytest.mark.parametrize(
    ("name", "features", "message"),
    [
        ("price", FEATURES, r"category or set \(brand, tags\), received 'price'"),
        ("colour", FEATURES, r"\(brand, tags\), received 'colour'"),
        ("brand", {}, r"\(there is none\), received 'brand'"),
    ],
)
def test_requests_cannot_be_filtered_by_other_features(name, features, message):
    tables = TABLES | {"items": {"path": "items.csv", "filter": name}}
    with pytest.raises(ValidationError, match=message):
        _dataset(features={"items": features}, data=tables)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature": {}}, "Extra inputs are not permitted"),
        ({"features": {"items": {"x": {"kind": "colour"}}}}, "colour"),
        ({"features": {"items": {"x": {"kind": "vector"}}}}, "size"),
        ({"features": {"items": {"Big Name": {"kind": "text"}}}}, "pattern"),
        ({"features": {"items": {"id": {"kind": "text"}}}}, "id, ids, index are reserved"),
        ({"features": {"context": {"x": {"kind": "set"}}}}, "'category', 'number', 'timestamp'"),
        ({"split": {"valid_fraction": 0.5}}, "less than 0.5"),
    ],
)
def test_an_inconsistent_split_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        _dataset(**changes)


LABEL = {"column": "relevance", "kind": "regression"}


@pytest.mark.parametrize("name", ["relevance", "retrieval", "final"])
def test_a_label_must_not_have_a_reserved_name(name):
    with pytest.raises(ValidationError, match=rf"are reserved, received '{name}'; rename the"):
        _dataset(labels={"ranking": {name: LABEL}})
    assert _dataset(labels={"ranking": {f"{name}_": LABEL}}).labels.ranking[f"{name}_"]
    for table in ("items", "context"):
        assert _dataset(features={table: {name: {"kind": "number"}}})


@pytest.mark.parametrize("name", ["id", "ids", "index"])
def test_no_feature_name_gives_a_field_of_an_example(name):
    for changes in (
        {"features": {"items": {name: {"kind": "number"}}}},
        {"features": {"context": {name: {"kind": "number"}}}},
        {"labels": {"ranking": {name: LABEL}}},
    ):
        with pytest.raises(ValidationError, match=rf"are reserved, received '{name}'; rename the"):
            _dataset(**changes)


IN_SPANS = {
    "interactions": {"path": "log/{SPAN}", "last_spans": 7},
    "items": {"path": "items.csv"},
    "users": {"path": "users/{SPAN}.csv", "span": "2023-12-31"},
}


def test_a_span_applies_to_every_table_with_spans():
    data = _dataset(data=IN_SPANS).select_span("2024-01-31").data
    assert (data.interactions.span, data.interactions.last_spans) == ("2024-01-31", 7)
    assert data.item_tables[0].span is None
    assert data.users is not None
    assert data.users.span == "2024-01-31"


def test_no_span_changes_nothing():
    assert _dataset(data=IN_SPANS).select_span("") == _dataset(data=IN_SPANS)


def test_an_invalid_span_is_refused():
    with pytest.raises(ConfigError, match=r"such as 2024-01-31.*received 'yesterday'"):
        _dataset(data=IN_SPANS).select_span("yesterday")
    with pytest.raises(ConfigError, match=r"received '1\.\.3': last_spans goes with a single span"):
        _dataset(data=IN_SPANS).select_span("1..3")
    with pytest.raises(ConfigError, match=r"no path of \[data\] contains \{SPAN\}, received '7'"):
        _dataset().select_span("7")
