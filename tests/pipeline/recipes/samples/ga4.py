"""BigQuery's JSON: whole numbers as texts, absent nulls, nested records, `(not set)`."""

import json

from tests.pipeline.recipes.sample import Sample

START = 1_706_659_200


def record(user: int, n: int, kind: str, **values: object) -> str:
    row = {
        "event_date": "20240131",
        "event_timestamp": f"{START + 100 * user + n}123456",
        "event_name": kind,
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "1706659100"}},
            {"key": "page_title", "value": {"string_value": "Lamps"}},
        ],
        "user_pseudo_id": f"1234567.{user}",
        "user_properties": [],
        "device": {"category": "mobile", "mobile_brand_name": "Apple"},
        "geo": {"country": "Germany", "city": "(not set)"},
        "platform": "WEB",
        "items": [
            {
                "item_id": f"SKU_{n}",
                "item_name": f"Lamp {n}",
                "item_brand": "(not set)",
                "item_category": "Lamps",
                "price": 9.5 + n,
                "quantity": "1",
            }
        ],
    }
    return json.dumps(row | values) + "\n"


KINDS = ("view_item", "view_item", "add_to_cart", "purchase")
SAMPLE = Sample(
    {
        "events_000000000000.json": "".join(
            record(user, n, kind) for user in range(3) for n, kind in enumerate(KINDS)
        ),
        "events_000000000001.json.gz": record(3, 0, "view_item", user_id="anna")
        + record(3, 1, "view_item", user_id="anna")
        + record(3, 2, "page_view", items=[])
        + record(3, 3, "view_item_list")
        + record(3, 9, "purchase", items=[{"item_id": "SKU_1"}, {"item_id": "SKU_3"}]),
    },
    events=16,
    items=4,
    users=5,
    rejected={
        "interactions": {"missing_item_id": 1},
        "items": {"missing_item_id": 1},
    },
    duplicates={"items": 12},
    unused={"interactions": 1},
    event=("anna", "SKU_1", START + 301),
    labels={
        "label_cart": [0.0] * 8 + [1.0] * 8,
        "label_purchase": [0.0] * 11 + [1.0] * 5,
        "weight": [1.0] * 8 + [3.0] * 3 + [5.0] * 5,
    },
    item={
        "item_id": ["SKU_1"],
        "title": ["SKU_1"],
        "item_name": [],
        "item_brand": [],
        "item_category": [],
        "item_price": [],
    },
)
