"""Items and users joined from several files by id."""

from schema.dataset import Dataset

ITEMS = {
    "items.csv": "item_id,name,price\na,Apple,1\nb,,\nc,Cherry,3\n",
    "tags.csv": "sku;tags;price\nc;red|round;9\nb;yellow;2\nzz;none;5\nb;long;\n",
}
FEATURES = {
    "items": {"price": {"kind": "number"}, "tags": {"kind": "set"}},
    "users": {"age": {"kind": "number"}, "city": {"kind": "category"}},
}


def described(**data):
    tables = {"interactions": {"path": "log.csv"}, "items": {"path": "items.csv"}}
    return Dataset.model_validate({"data": tables | data, "features": FEATURES})


def test_later_tables_add_columns_to_the_items_of_the_first(ingest_items, lay):
    dataset = described(
        items=[
            {"path": "items.csv", "title": "name"},
            {"path": "tags.csv", "delimiter": ";", "item_id": "sku"},
        ],
        users={"path": "users.csv"},
    )
    ingested = ingest_items(dataset, lay(ITEMS))
    rows = ingested.examples("all")
    assert [
        (row["item_id"], row["title"], row["item_price"], row["item_tags"]) for row in rows
    ] == [
        (["a"], ["Apple"], [1.0], []),
        (["b"], ["b"], [], ["long"]),  # of two records of b, the last one is used
        (["c"], ["Cherry"], [3.0], ["red", "round"]),  # the first table's price
    ]
    first, second = ingested.counts.tables["items"], ingested.counts.tables["items.1"]
    assert (first.read, first.accepted, first.unused) == (3, 3, 0)
    assert (second.read, second.accepted, second.duplicates, second.unused) == (4, 2, 1, 1)
    assert ingested.counts.totals["items"] == 3


def test_later_tables_add_columns_to_users(ingest_events, lay):
    dataset = described(users=[{"path": "ages.csv"}, {"path": "cities.csv"}])
    users = [f"u{n}" for n in range(10)]
    files = ITEMS | {
        "log.csv": "user_id,item_id,timestamp\n"
        + "".join(f"{user},a,{1_600_000_000 + n}\n" for n, user in enumerate(users * 3)),
        "ages.csv": "user_id,age\n" + "".join(f"{user},{n}\n" for n, user in enumerate(users)),
        "cities.csv": "user_id,city\nu3,Bern\nstranger,Rome\n",
    }
    ingested = ingest_events(dataset, lay(files))
    seen = {
        row["user_id"][0]: (row["user_age"], row["user_city"]) for row in ingested.examples("train")
    }
    assert seen["u3"] == ([3.0], ["Bern"])
    assert seen["u4"] == ([4.0], [])
    cities = ingested.counts.tables["users.1"]
    assert (cities.read, cities.accepted, cities.unused) == (2, 1, 1)
