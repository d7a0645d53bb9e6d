"""Milliseconds; empty transaction ids; properties over time in two files, of hashed values."""

from tests.pipeline.recipes.sample import Sample

START = 1_433_220_000
KINDS = ("view", "view", "addtocart", "transaction")
SAMPLE = Sample(
    {
        "events.csv": "timestamp,visitorid,event,itemid,transactionid\n"
        + "".join(
            f"{START + 100 * visitor + n}123,{visitor},{kind},{355908 + n},"
            f"{4000 if kind == 'transaction' else ''}\n"
            for visitor in range(5)
            for n, kind in enumerate(KINDS)
        ),
        "item_properties_part1.csv": "timestamp,itemid,property,value\n"
        f"{START - 9000}000,355908,categoryid,1338\n"
        f"{START - 9000}000,355908,888,1116713 960601 n277.200\n"
        f"{START - 9000}000,355909,available,0\n"
        f"{START - 9000}000,355909,790,n32880.000\n"
        f"{START - 9000}000,355910,categoryid,1400\n"
        f"{START - 8000}000,355911,available,1\n",
        "item_properties_part2.csv": "timestamp,itemid,property,value\n"
        f"{START - 7000}000,355908,categoryid,1114\n"
        f"{START + 9000}000,355908,categoryid,9999\n",
        "category_tree.csv": "categoryid,parentid\n1114,213\n1338,\n",
    },
    events=20,
    items=4,
    users=5,
    event=("3", "355911", START + 303),
    labels={"label_cart": [0.0] * 10 + [1.0] * 10, "weight": [1.0] * 10 + [2.0] * 5 + [5.0] * 5},
    # 790 is not declared, and the last value is from after the beginning of the test split.
    duplicates={"items": 1},
    unused={"items": 2},
    item={
        "item_id": ["355908"],
        "title": ["355908"],
        "available": [1],
        "item_category": ["1114"],
        "item_words": ["1116713", "960601", "n277.200"],
    },
)
