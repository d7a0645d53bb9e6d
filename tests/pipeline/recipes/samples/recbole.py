"""Names with types in the header; tabs; lists separated by blanks; no quoting."""

from tests.pipeline.recipes.sample import Sample

SAMPLE = Sample(
    {
        "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        + "".join(
            f"{user}\t{item}\t{(user + item) % 5 + 1}\t{881250000 + 100 * user + item}\n"
            for user in range(1, 5)
            for item in (1, 2, 30)
        ),
        "ml-100k.item": (
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        )
        + "1\tPaper Lion\t1995\tAnimation Children's Comedy\n"
        '2\t"Great" Lion\t\tDrama\n'
        "30\tunknown\t1998\t\n",
    },
    events=12,
    items=3,
    users=4,
    event=("4", "30", 881250430),
    item={
        "item_id": ["1"],
        "title": ["Paper Lion"],
        "item_title": ["Paper Lion"],
        "item_year": ["1995"],
        "item_genres": ["Animation", "Children's", "Comedy"],
    },
)
