"""Python dicts with u''; dates alone; prices in words; games without an id; missing keys."""

from tests.pipeline.recipes.sample import Sample


def review(user: int, game: int) -> str:
    known = f"u'user_id': u'7656119797096{user}', " if user == 1 else ""
    return (
        f"{{u'username': u'Cha\\u00f6s {user}', u'hours': {user}.{game}, u'products': 41, "
        f"u'product_id': u'72528{game}', u'page_order': 0, {known}"
        f"u'date': u'2017-12-{10 + 4 * user + game}', u'text': u'It\\'s \"good\"\\nenough', "
        f"u'early_access': {user == 0}, u'page': 1}}\n"
    )


GAMES = (
    "{u'publisher': u'Koto', u'genres': [u'Action', u'Indie'], u'app_name': u\"Rain's End\", "
    "u'title': u\"Rain's End\", u'url': u'http://example.com/app/725280/', "
    "u'release_date': u'2018-01-04', u'tags': [u'Strategy', u'Action'], u'discount_price': 4.49, "
    "u'reviews_url': u'http://example.com/725280', u'specs': [u'Single-player'], u'price': 4.99, "
    "u'early_access': False, u'id': u'725280', u'developer': u'Koto', u'sentiment': 'Mixed'}\n"
    "{u'app_name': u'Pool', u'price': u'Free To Play', u'id': u'725281', u'tags': []}\n"
    "{u'app_name': u'Trip', u'release_date': u'Soon..', u'price': 0.99, u'id': u'725282'}\n"
    "{u'url': u'http://example.com/', u'reviews_url': u'http://example.com/', u'price': 19.99}\n"
)
SAMPLE = Sample(
    {
        "steam_reviews.json.gz": "".join(
            review(user, game) for user in range(4) for game in range(3)
        ),
        "steam_games.json.gz": GAMES,
    },
    events=12,
    items=3,
    users=4,
    rejected={"items": {"missing_item_id": 1}},
    event=("Chaös 1", "725281", 1513296000),
    item={
        "item_id": ["725280"],
        "title": ["Rain's End"],
        "item_name": ["Rain's End"],
        "item_genres": ["Action", "Indie"],
        "item_tags": ["Strategy", "Action"],
        "item_developer": ["Koto"],
        "item_price": [4.99],
    },
)
