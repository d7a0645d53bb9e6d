"""Two folders that repeat news; marks of clicks; histories; entities as JSON in a column."""

from tests.pipeline.recipes.sample import Sample

_ENTITY = '[{"Label": "A Park", "Type": "L", "WikidataId": "Q60", "Confidence": 1.0}]'


def _news(*numbers: int) -> str:
    return "".join(
        f'N{n}\tnews\tlocal\tThe "{n}" mile run\tText.\thttps://x/{n}.html\t{_ENTITY}\t[]\n'
        for n in numbers
    )


def _clicks(first: int, day: int) -> str:
    return "".join(
        f"{n}\tU{n % 2}\t11/{day}/2019 {n % 12 + 1}:05:58 PM\tN7 N8\tN{n % 4}-1 N{(n + 1) % 4}-0\n"
        for n in range(first, first + 6)
    )


SAMPLE = Sample(
    {
        "MINDsmall_train/behaviors.tsv": _clicks(0, 14),
        "MINDsmall_train/news.tsv": _news(0, 1, 2, 7, 8),
        "MINDsmall_dev/behaviors.tsv": _clicks(6, 15) + "12\tU1\t11/15/2019 9:00:00 AM\t\tN1-0\n",
        "MINDsmall_dev/news.tsv": _news(0, 1, 3),
    },
    events=12,
    items=6,
    users=2,
    event=("U1", "N1", 1573740358),
    duplicates={"items": 2},
    unused={"interactions": 1},
    user={"user_id": ["U1"]},
    item={
        "item_id": ["N3"],
        "title": ['The "3" mile run'],
        "item_category": ["news"],
        "item_subcategory": ["local"],
        "item_words": ['The "3" mile run'],
        "item_entities": ["Q60"],
    },
)
