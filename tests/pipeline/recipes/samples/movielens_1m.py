"""Two colons; a title that begins with a quotation mark; Latin-1."""

from tests.pipeline.recipes.sample import Sample

SAMPLE = Sample(
    {
        "ratings.dat": "".join(
            f"{user}::{item}::{(user + item) % 5 + 1}::{978300000 + 100 * user + item}\n"
            for user in range(1, 6)
            for item in (1, 2, 30)
        ),
        "movies.dat": (
            "1::Paper Lion (1995)::Animation|Children's|Comedy\n"
            '2::"Señor" Green (1996)::Drama\n'
            "30::Night: A Tale (1999)::Horror|Sci-Fi\n"
        ).encode("latin-1"),
        "users.dat": "".join(f"{user}::M::25::{user}::0{user}117\n" for user in range(1, 6)),
    },
    events=15,
    items=3,
    users=5,
    event=("3", "30", 978300330),
    user={"user_age": ["25"], "user_gender": ["M"], "user_occupation": ["3"]},
    item={
        "item_id": ["2"],
        "title": ['"Señor" Green (1996)'],
        "item_title": ['"Señor" Green (1996)'],
        "item_genres": ["Drama"],
    },
)
