"""Names of columns are compared without their spelling, and files by what they are about."""

import pytest

from components.ingest.draft.names import guess_kind, is_known_name, may_count_events, normalize


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("User-ID", "userid"),
        ("user_id:token", "userid"),
        ("event.user_id", "userid"),
        ("user.id", "userid"),
        ("items[0].id", "itemid"),
        ("items[].item_id", "itemid"),
        ("#id", "id"),
        ("Größe", "größe"),
    ],
)
def test_spellings_of_one_name(name, normalized):
    assert normalize(name) == normalized


def test_usual_names():
    assert all(map(is_known_name, ["visitorId", "t_dat", "parent_asin", "products[0].id"]))
    assert not any(map(is_known_name, ["colour", "value", "id"]))


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("average_rating", True),
        ("reviewCount", True),
        ("num votes", True),
        ("country", False),
        ("discount", False),
        ("account_age", False),
    ],
)
def test_names_of_counts_of_events(name, counts):
    assert may_count_events(name) == counts


def test_files_are_guessed_by_name_unless_it_suggests_both():
    kinds = map(guess_kind, ["users.dat", "meta_Books.jsonl", "user_items.csv", "log.csv"])
    assert list(kinds) == ["users", "items", None, None]
