"""Lines of JSON, compressed; prices that are null or text; a repeated review; empty lists."""

import json

from tests.pipeline.recipes.sample import Sample

START = 1_588_687_728


def review(user: int, item: int, **values: object) -> str:
    row = {
        "rating": float(1 + (user + item) % 5),
        "title": 'Such a "lovely" scent',
        "text": "Smells nice.<br />Would buy\tagain.",
        "images": [],
        "asin": f"B00VARIANT{item}",
        "parent_asin": f"B00PARENT{item}",
        "user_id": f"AGKHLEW2SOWHNM{user}",
        "timestamp": 1000 * (START + 100 * user + item) + 123,
        "helpful_vote": 0,
        "verified_purchase": user > 0,
    }
    return json.dumps(row | values) + "\n"


def product(item: int, **values: object) -> str:
    row = {
        "main_category": "All Beauty",
        "title": f"Hair clip {item}",
        "average_rating": 4.8,
        "rating_number": 10,
        "features": [],
        "description": [],
        "price": None,
        "images": [{"thumb": "https://example.com/1.jpg", "large": None, "variant": "MAIN"}],
        "videos": [],
        "store": "Clipp",
        "categories": [],
        "details": {"Package Dimensions": "7 x 5 inches", "UPC": "617390882781"},
        "parent_asin": f"B00PARENT{item}",
        "bought_together": None,
    }
    return json.dumps(row | values) + "\n"


SAMPLE = Sample(
    {
        "All_Beauty.jsonl.gz": "".join(review(user, n) for user in range(4) for n in range(3))
        + review(3, 2, text="Once more."),
        "meta_All_Beauty.jsonl.gz": product(0)
        + product(1, price=12.99, categories=["Beauty", "Hair Care"])
        + product(2, price="from 9.50", store=None)
        + product(3),
    },
    events=12,
    items=4,
    users=4,
    duplicates={"interactions": 1},
    event=("AGKHLEW2SOWHNM2", "B00PARENT1", START + 201),
    item={
        "item_id": ["B00PARENT1"],
        "title": ["Hair clip 1"],
        "item_title": ["Hair clip 1"],
        "item_store": ["Clipp"],
        "item_categories": ["Beauty", "Hair Care"],
        "item_price": [12.99],
    },
)
