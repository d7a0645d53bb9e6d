"""A user and their items in a line; two other files, which are not read."""

from tests.pipeline.recipes.sample import Sample

SAMPLE = Sample(
    {
        "Beauty.txt": "1 1 2 3 4 5\n2 6 7 3 1 8\n3 4 2 9 5\n",
        "Beauty_sample.txt": "1 6 7 8 9\n2 2 4 5 9\n3 1 3 6 7\n",
        "Beauty_item2attributes.json": '{"1": [1, 2], "2": [2]}',
    },
    events=14,
    items=9,
    users=3,
    event=("3", "5", 946684800),
    item={"item_id": ["9"], "title": ["9"]},
)
