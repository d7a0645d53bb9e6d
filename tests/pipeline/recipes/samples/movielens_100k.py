"""Tabs; bars; Latin-1; dates such as 01-Jan-1995; the item `unknown` without any date."""

from tests.pipeline.recipes.sample import Sample

GENRES = "0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0"
NONE = "1" + "|0" * 18
SAMPLE = Sample(
    {
        "u.data": "".join(
            f"{user}\t{item}\t{(user + item) % 5 + 1}\t{880000000 + 100 * user + item}\n"
            for user in range(1, 6)
            for item in (1, 2, 267)
        ),
        "u.item": (
            f"1|Paper Lion (1995)|01-Jan-1995||http://example.com/?Paper%20Lion|{GENRES}\n"
            f'2|"Été" et l\'hiver (1996)|23-Feb-1996||http://example.com/?%C9t%E9|{GENRES}\n'
            f"267|unknown||||{NONE}\n"
        ).encode("latin-1"),
        "u.user": "".join(f"{user}|{20 + user}|F|writer|E{user}\n" for user in range(1, 6)),
    },
    events=15,
    items=3,
    users=5,
    event=("2", "267", 880000467),
    user={"user_age": [22.0], "user_gender": ["F"], "user_occupation": ["writer"]},
    item={
        "item_id": ["2"],
        "title": ['"Été" et l\'hiver (1996)'],
        "item_title": ['"Été" et l\'hiver (1996)'],
        "item_released": [825033600],
        "item_genres": [0, 0, 0, 1, 1, 1, *[0] * 13],
    },
)
