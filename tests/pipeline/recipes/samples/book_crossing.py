"""Semicolons, Latin-1, escaped quotation marks, a broken record, HTML's marks, NULL for an age."""

from tests.pipeline.recipes.sample import Sample

IMAGES = ";".join(f'"http://example.com/{size}.jpg"' for size in "SML")
BOOKS = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";'
    '"Image-URL-M";"Image-URL-L"\n'
    f'"0002005018";"Été \\"blue\\"; a novel";"M. Brück";"2001";"H &amp; Sons";{IMAGES}\n'
    f'"034545104X";"Fresh Cuts";"M. Brück";"0";"H &amp; Sons";{IMAGES}\n'
    f'"0155061224";"Plain";"A. B.";"1999";"Other";{IMAGES}\n'
    + "".join(f'"05{n}";"Part {n}";"C. D.";"198{n}";"Other";{IMAGES}\n' for n in range(8))
    + f'"078946697X";"Readers (Level 4)\\";A. Teit";"2000";"DK";{IMAGES}\n'
)
SAMPLE = Sample(
    {
        "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n'
        + "".join(
            f'"{276725 + user}";"{isbn}";"{rating}"\n'
            for user in range(5)
            for isbn, rating in (("0002005018", 0), ("034545104X", 5), ("0155061224", 8))
        )
        + '"276725";"3 423 99999";"9"\n',
        "BX-Books.csv": BOOKS.encode("latin-1"),
        "BX-Users.csv": (
            '"User-ID";"Location";"Age"\n'
            '"276725";"köln, \\"n/a\\", germany";NULL\n'
            + "".join(
                f'"{276725 + user}";"stockton, california, usa";"1{user}"\n' for user in range(1, 6)
            )
        ).encode("latin-1"),
    },
    events=16,
    items=11,
    users=5,
    rejected={"items": {"wrong_field_count": 1}},
    event=("276725", "3 423 99999", 946684800),
    user={"user_age": [], "user_place": ["köln", '"n/a"', "germany"]},
    labels={"label_liked": [5.0] * 5 + [8.0] * 5 + [9.0]},
    item={
        "item_id": ["0002005018"],
        "title": ['Été "blue"; a novel'],
        "item_title": ['Été "blue"; a novel'],
        "item_author": ["M. Brück"],
        "item_publisher": ["H &amp; Sons"],
        "item_year": [2001],
    },
)
