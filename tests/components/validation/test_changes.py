import pytest

from components.validation.changes import find_changes

BEFORE = {
    "item_kind": ["book", "book", "toy"],
    "item_price": [1.0, 2.0, 3.0],
    "item_tags": [["x"], ["x"], ["x"]],
    "item_gone": ["g"] * 3,
    "item_title": ["one", "two", "three"],
}
NOW = {
    "item_kind": ["book", "cup", "cup", None],
    "item_price": [0.5, 2.0, 2.5, 2.5],
    "item_tags": [["x"], ["x", "x"], ["x"], ["x"]],
    "item_new": ["n"] * 4,
    "item_title": ["one", "two", "three", "one"],
}


@pytest.fixture(scope="module")
def described(describe):
    return describe({"all": BEFORE})[0]["all"], describe({"all": NOW})[0]["all"]


def test_added_and_removed_values_are_described(described):
    assert [
        (change.feature, change.change) for change in find_changes("items", "all", *described)
    ] == [
        ("*", "3 → 4 Examples"),
        ("item_new", "a new feature"),
        ("item_gone", "removed"),
        ("item_kind", "present in 100 % → 75 % of the Examples"),
        ("item_kind", "new values 'cup' (2)"),
        ("item_kind", "no longer 'toy' (1)"),
        ("item_price", "smallest 1 → 0.5"),
        ("item_tags", "1 → 1 to 2 values each"),
    ]


def test_the_same_data_change_nothing(described):
    assert find_changes("items", "all", described[0], described[0]) == []


def test_many_values_are_described_by_their_number(describe):
    many = [describe({"all": {"item_id": [f"i{n}" for n in range(count)]}})[0]["all"]
            for count in (99, 101)]  # fmt: skip
    result = {change.feature: str(change) for change in find_changes("items", "all", *many)}
    assert result["item_id"] == "items/all: item_id: 99 → 101 different values"
