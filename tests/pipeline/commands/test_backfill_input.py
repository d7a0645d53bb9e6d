"""A backfill that is not possible ends with one sentence before any run."""

import pytest

from pipeline import cli

SHOP = """
name = "shop"
[data.interactions]
path = "events/{SPAN}"
last_spans = 2
[data.items]
path = "items.csv"
"""


@pytest.fixture
def shop(tmp_path):
    """Events of 30 January to 2 February, except 1 February."""
    (tmp_path / "shop.toml").write_text(SHOP)
    (tmp_path / "items.csv").write_text("item_id\ni1\n")
    for day in ("2024-01-30", "2024-01-31", "2024-02-02"):
        (tmp_path / "events" / day).mkdir(parents=True)
        text = "user_id,item_id,timestamp\nu1,i1,1706600000\n"
        (tmp_path / "events" / day / "events.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("first", "last", "settings", "message"),
    [
        ("2024-01-31", "2024-01-30", [], "--from expects a span that is not after --to"),
        ("2024-01-30", "2024-02-02", [], "for span 2024-02-01; fix the path or give --data"),
        ("7", "9", [], "expected spans like those of"),
        ("monday", "friday", [], "two dates such as 2024-01-31, or two numbers"),
        (
            "2024-01-30", "2024-01-31",
            ['data.interactions={path="events/2024-01-30/events.csv"}'],
            "backfill expects {SPAN} in data.interactions.path",
        ),
        (
            "2024-01-30", "2024-01-31", ['data.interactions={path="events/{SPAN}"}'],
            "backfill expects data.interactions.last_spans",
        ),
    ],
)  # fmt: skip
def test_an_impossible_request_gives_one_sentence(shop, capfd, first, last, settings, message):
    root = shop / "run"
    overrides = [part for setting in settings for part in ("--set", setting)]
    arguments = ["--config", str(shop / "shop.toml"), "--root", str(root), *overrides]
    assert cli.main(["backfill", *arguments, "--from", first, "--to", last]) == 2
    complaint = capfd.readouterr().err
    assert message in complaint
    assert complaint.startswith("tandem: ")
    assert complaint.count("\n") == 1
    assert not root.exists()
