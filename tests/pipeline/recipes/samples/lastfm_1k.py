"""Tabs without quoting; absent MusicBrainz ids; a song in quotation marks; a header with #id."""

from tests.pipeline.recipes.sample import Sample

ARTISTS = (("f1b1cf71", 'Mono "Lake"'), ("", "Låt & Co"), ("a7f7df4a", "NA"))
SONGS = {
    'Mono "Lake"': '"Heroes"',
    "Låt & Co": "Composition 0919 (Live_2009_4_15)",
    "NA": "Aurora, 'Pt. 2'",
}
SAMPLE = Sample(
    {
        "userid-timestamp-artid-artname-traid-traname.tsv": "".join(
            f"user_00000{user}\t2009-05-04T{23 - hour:02}:0{n}:0{user}Z\t{id_}\t{name}\t"
            f"\t{SONGS[name]}\n"
            for user in range(1, 4)
            for hour in range(2)
            for n, (id_, name) in enumerate(ARTISTS)
        ),
        "userid-profile.tsv": "#id\tgender\tage\tcountry\tregistered\n"
        "user_000001\tm\t\tJapan\tAug 13, 2006\n"
        "user_000002\tf\t31\t\tFeb 24, 2006\n"
        "user_000003\t\t\t\t\n",
    },
    events=18,
    items=3,
    users=3,
    event=("user_000001", "NA", 1241478121),
    user={
        "user_gender": ["m"],
        "user_age": [],
        "user_country": ["Japan"],
        "user_registered": [1155427200],
    },
    item={"item_id": ["NA"], "title": ["NA"]},
)
