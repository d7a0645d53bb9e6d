"""Times as of Twitter; numbers in texts; empty texts for what is unknown; authors as objects."""

import json

from tests.pipeline.recipes.sample import Sample


def shelve(user: int, book: int, **values: object) -> str:
    row = {
        "user_id": f"8842281e1d1347389f2ab93d60773d{user}d",
        "book_id": f"1824596{book}",
        "review_id": f"r{user}{book}",
        "is_read": user > 0,
        "rating": 4 if user > 0 else 0,
        "review_text_incomplete": "",
        "date_added": f"Fri Mar 10 2{user}:02:2{book} -0800 2017",
        "date_updated": "Fri Mar 10 22:02:21 -0800 2017",
        "read_at": "",
        "started_at": "",
    }
    return json.dumps(row | values) + "\n"


def describe(book: int, **values: object) -> str:
    row = {
        "isbn": "",
        "text_reviews_count": "1",
        "series": [],
        "country_code": "US",
        "language_code": "",
        "popular_shelves": [{"count": "2634", "name": "to-read"}, {"count": "2", "name": "poetry"}],
        "asin": "",
        "is_ebook": "false",
        "average_rating": "4.03",
        "similar_books": [],
        "description": "",
        "authors": [],
        "publisher": "",
        "num_pages": "",
        "publication_year": "",
        "book_id": f"1824596{book}",
        "title": f"Poems {book}",
    }
    return json.dumps(row | values) + "\n"


AUTHORS = [{"author_id": "604031", "role": ""}, {"author_id": "626222", "role": "Translator"}]
SAMPLE = Sample(
    {
        "goodreads_interactions_poetry.json.gz": "".join(
            shelve(user, book) for user in range(4) for book in range(3)
        ),
        "goodreads_books_poetry.json.gz": describe(0)
        + describe(1, authors=AUTHORS, num_pages="256", publication_year="1984")
        + describe(2, language_code="eng", description="Short ones.", title='"Odes", and more'),
    },
    events=12,
    items=3,
    users=4,
    event=("8842281e1d1347389f2ab93d60773d2d", "18245961", 1489212141),
    labels={"label_read": [0.0] * 3 + [1.0] * 9},
    item={
        "item_id": ["18245961"],
        "title": ["Poems 1"],
        "item_title": ["Poems 1"],
        "item_description": [],
        "item_authors": ["604031", "626222"],
        "item_language": [],
        "item_pages": [256],
        "item_year": [1984],
    },
)
