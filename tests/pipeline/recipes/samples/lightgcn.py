"""A user and their items in a line, blanks at its end; a user alone; two files of splits."""

from tests.pipeline.recipes.sample import Sample

TRAIN = "".join(f"{user} {' '.join(map(str, range(user, user + 10)))}\n" for user in range(4))
SAMPLE = Sample(
    {
        "train.txt": TRAIN + "4\n",
        "test.txt": "0 10 11\n1 0 \n2 1 13\n3 0\n4 \n",
        "user_list.txt": "org_id remap_id\n900 0\n901 1\n902 2\n903 3\n904 4\n",
        "item_list.txt": "org_id remap_id\n" + "".join(f"{70 + n} {n}\n" for n in range(14)),
    },
    events=46,
    items=14,
    users=4,
    event=("2", "13", 946684800),
    item={"item_id": ["13"], "title": ["13"]},
)
