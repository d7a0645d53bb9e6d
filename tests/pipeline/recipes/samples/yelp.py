"""Lines of JSON; Python's text inside; null attributes; a list of categories in one text."""

import json

from tests.pipeline.recipes.sample import Sample


def review(user: int, place: int) -> dict[str, object]:
    return {
        "review_id": f"r{user}-{place}",
        "user_id": f"mh_-eMZ6K5RLWhZyISBhw{user}",
        "business_id": f"XQfwVwDr-v0ZS3_CbbE5X{place}",
        "stars": float(1 + (user + place) % 5),
        "useful": 0,
        "funny": 0,
        "cool": 0,
        "text": "Nice.\nWould come again; \u201cgreat\u201d!",
        "date": f"2018-07-0{1 + user} 22:09:1{place}",
    }


def business(place: int, **values: object) -> dict[str, object]:
    return {
        "business_id": f"XQfwVwDr-v0ZS3_CbbE5X{place}",
        "name": f"Bakery {place}",
        "address": "",
        "city": "Goleta",
        "state": "CA",
        "postal_code": "93117",
        "latitude": 34.4266787,
        "longitude": -119.7111968,
        "stars": 5.0,
        "review_count": 7,
        "is_open": 1,
        "attributes": None,
        "categories": None,
        "hours": None,
    } | values


def member(user: int) -> dict[str, object]:
    return {
        "user_id": f"mh_-eMZ6K5RLWhZyISBhw{user}",
        "name": "Ann",
        "review_count": 5,
        "yelping_since": f"2007-01-25 16:47:2{user}",
        "useful": 7217,
        "elite": "2007,2008",
        "friends": "NSCy54eWehBJyZdG2iE84w, pe42u7DcCH2QmI81NX-8qA",
        "fans": 267,
        "average_stars": 3.91,
    }


def write_lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


ATTRIBUTES = {
    "RestaurantsPriceRange2": "2",
    "WiFi": "u'free'",
    "BusinessParking": "{'garage': False, 'street': True}",
}
SAMPLE = Sample(
    {
        "yelp_academic_dataset_review.json": write_lines(
            [review(user, place) for user in range(4) for place in range(3)]
        ),
        "yelp_academic_dataset_business.json": write_lines(
            [
                business(0),
                business(1, attributes=ATTRIBUTES, categories="Bakeries, Coffee & Tea, Food"),
                business(2, is_open=0),
            ]
        ),
        "yelp_academic_dataset_user.json": write_lines([member(user) for user in range(5)]),
    },
    events=12,
    items=3,
    users=4,
    event=("mh_-eMZ6K5RLWhZyISBhw1", "XQfwVwDr-v0ZS3_CbbE5X2", 1530569352),
    user={"user_member_since": [1169743641]},
    item={
        "item_id": ["XQfwVwDr-v0ZS3_CbbE5X1"],
        "title": ["Bakery 1"],
        "available": [1],
        "item_name": ["Bakery 1"],
        "item_city": ["Goleta"],
        "item_categories": ["Bakeries", "Coffee & Tea", "Food"],
        "item_price": ["2"],
    },
)
