"""No header; milliseconds with a Z; the categories 0 and S; two tables of events."""

from tests.pipeline.recipes.sample import Sample

SAMPLE = Sample(
    {
        "yoochoose-clicks.dat": "".join(
            f"{session},2014-04-07T10:{minute:02}:09.868Z,{214536502 + minute},{category}\n"
            for session in range(1, 5)
            for minute, category in enumerate(("0", "S", "7", "2088931720"))
        ),
        "yoochoose-buys.dat": "2,2014-04-07T10:40:46.163Z,214536505,1046,1\n"
        "3,2014-04-07T10:41:46.178Z,214536505,0,0\n",
    },
    events=18,
    items=4,
    users=4,
    event=("2", "214536505", 1396867246),
    labels={"label_buy": [0.0] * 16 + [1.0] * 2},
    item={"item_id": ["214536505"], "title": ["214536505"]},
)
