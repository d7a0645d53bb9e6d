"""Quoted titles with commas and doubled quotation marks; no genres; halves of stars; CRLF."""

from tests.pipeline.recipes.sample import Sample

SAMPLE = Sample(
    {
        "ratings.csv": "userId,movieId,rating,timestamp\r\n"
        + "".join(
            f"{user},{item},{(user + n) / 2},{1147860000 + 100 * user + n}\r\n"
            for user in range(1, 5)
            for n, item in enumerate((1, 296, 5000))
        ),
        "movies.csv": "movieId,title,genres\r\n"
        "1,Paper Lion (1995),Adventure|Animation\r\n"
        '296,"""Great"" Lion, The (1998)",Drama|Film-Noir\r\n'
        "5000,Silence (2011),(no genres listed)\r\n"
        "5001,Unseen (2012),Drama\r\n",
        "tags.csv": "userId,movieId,tag,timestamp\r\n1,296,slow,1147860000\r\n",
    },
    events=12,
    items=4,
    users=4,
    event=("4", "5000", 1147860402),
    labels={
        "label_rating": [0.5, 1.0, 1.0, 1.5, 1.5, 1.5, 2.0, 2.0, 2.0, 2.5, 2.5, 3.0],
    },
    item={
        "item_id": ["296"],
        "title": ['"Great" Lion, The (1998)'],
        "item_title": ['"Great" Lion, The (1998)'],
        "item_genres": ["Drama", "Film-Noir"],
    },
)
