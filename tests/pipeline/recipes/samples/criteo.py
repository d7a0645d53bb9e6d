"""Tabs, a header, seconds from 0, conversions of -1 for none, every row an impression."""

from tests.pipeline.recipes.sample import Sample

HEADER = (
    "timestamp\tuid\tcampaign\tconversion\tconversion_timestamp\tconversion_id\tattribution\tclick\t"
    "click_pos\tclick_nb\tcost\tcpo\ttime_since_last_click\t"
    "cat1\tcat2\tcat3\tcat4\tcat5\tcat6\tcat7\tcat8\tcat9\n"
)
CATEGORIES = "\t".join(f"{30763030 + n}" for n in range(1, 10))
SAMPLE = Sample(
    {
        "criteo_attribution_dataset.tsv.gz": HEADER
        + "".join(
            f"{1000 * user + n}\t2007397{user}\t734141{n}\t{int(n == 2)}\t"
            f"{1008 if n == 2 else -1}\t-1\t0\t{int(n > 0)}\t-1\t-1\t1.0e-05\t0.390794\t-1\t"
            f"{CATEGORIES}\n"
            for user in range(4)
            for n in range(3)
        )
    },
    events=12,
    items=3,
    users=4,
    event=("20073972", "7341411", 1483230801),
    labels={"label_click": [0.0] * 4 + [1.0] * 8, "label_conversion": [0.0] * 8 + [1.0] * 4},
    user={"context_cat1": ["30763031"] * 3},
    item={"item_id": ["7341412"], "title": ["7341412"]},
)
