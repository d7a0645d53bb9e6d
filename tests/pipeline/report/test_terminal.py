"""What a person sees of a run: the figures of the summary, and other people's text as it is."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline.report import terminal
from schema.run_summary import UserRecommendations
from tests.pipeline.run_summaries import make_summary


def metrics(recall: float, ndcg: float = 0.5, **more: object) -> dict:
    return {"recall@10": recall, "ndcg@10": ndcg, "recall@100": 0.75, "coverage@10": 0.01} | more


def difference(value: float, verdict: str) -> dict:
    low, high = value - 0.01, value + 0.01
    return {"value": value, "low": low, "high": high, "users": 900, "verdict": verdict}


SUMMARY = {
    "stages": [{"name": "ItemsGen", "seconds": 1.5, "cached": False}],
    "rows": {
        "read": 1010, "accepted": 1000, "rejected": 7, "duplicates": 3, "users": 20, "items": 4000,
        "train": 800, "valid": 100, "test": 100,
    },
    "rejected_by_reason": {"interactions": {"bad_timestamp": 5, "bad_id": 2}, "items": {}},
    "unused": {"items.1": 2400, "interactions": 60},
    "unnamed_kinds": {"wish": 1200, "": 30, "a": 1, "b": 1, "c": 1, "d": 1},
    "assumed_utc": {"interactions": {"data.interactions.timestamp": 1300}},
    "unreadable": {
        "interactions": {},
        "items": {"features.items.price": {"values": 1200, "example": "received 'n/a'"}},
    },
    "retrieval": metrics(
        0.1234,
        intervals={"ndcg@10": {"low": 0.4811, "high": 0.5199}},
        users=1900,
        baselines={"popular": metrics(0.1, 0.3), "recent": metrics(0.11, 0.4)},
        against={
            "popular": {"ndcg@10": difference(0.2, "better")},
            "recent": {"ndcg@10": difference(0.1, "better")},
        },
    ),
    "ranking": metrics(
        0.2345,
        order="ranking",
        labels={
            "rating": {
                "kind": "regression", "events": 1100, "rmse": 0.9, "bias_baseline_rmse": 0.95,
                "mae": 0.7, "bias_baseline_mae": 0.75,
            },
        },
        against={
            "recent": {"ndcg@10": difference(0.1, "better")},
            "retrieval": {"ndcg@10": difference(0.0, "inside the noise")},
        },
        training={
            "valid_ranking_ndcg@10": 0.25,
            "valid_retrieval_ndcg@10": 0.125,
            "valid_difference": 0.125,
            "valid_difference_low": -0.05,
            "valid_difference_high": 0.3,
        },
    ),
    "index": {
        "kind": "scann", "items": 4000, "ann_recall@100": 0.9876, "p50_ms": 1.5,
        "exact_p50_ms": 3.25,
    },
    "fairness": {},
    "verdict": {"blessed": True, "rules": [], "pushed_before": None, "forced": None},
    "servables": {"retrieval": {"path": "/runs/shop/serving/retrieval/3", "version": 3}},
    "examples": [],
}  # fmt: skip


def answer(**changed: object) -> dict:
    item = {"rank": 1, "item_id": "i7", "title": "Oak Desk", "score": 1.5, "stage": "ranking"}
    history = [{"item_id": "i1", "title": "Oak Chair", "timestamp": 1_600_000_000}]
    values_by_name = {
        "user_id": "u1",
        "known_user": True,
        "history": history,
        "recommendations": [item],
    }
    return values_by_name | changed


def print_answer(answer: dict, console: Console) -> None:
    terminal.print_recommendations(UserRecommendations.model_validate(answer), console)


@pytest.fixture
def page(monkeypatch):
    """What is printed, unwrapped."""
    monkeypatch.setenv("COLUMNS", "1000")
    file = io.StringIO()
    return terminal.make_console(file), file


def row(text: str, name: str) -> list[str]:
    """The cells of the row whose first one is `name`, that one included."""
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines()]
    (result,) = [cells for cells in rows if cells[0] == name]
    return result


def test_every_metric_is_shown_with_its_baseline(page):
    console, file = page
    terminal.print_report(make_summary(**SUMMARY), console)
    text = file.getvalue()
    assert row(text, "retrieval")[1:] == ["0.5000 .481-.520", "0.1234", "0.7500", "0.0100"]
    assert row(text, "final lists")[2] == "0.2345"
    assert row(text, "popular")[2] == "0.1000"
    assert row(text, "recent")[2] == "0.1100"
    assert "1,010 read, 1,000 accepted, 7 rejected, 3 duplicates" in text
    assert "5 of interactions rejected: bad_timestamp, written to rejected/interactions/" in text
    assert "2 of interactions rejected: bad_id" in text
    assert "of items rejected" not in text
    assert "2,400 of items.1 unused: their ids are not in items" in text
    assert "60 of interactions unused: kinds in labels.events.ignore, or impressions" in text
    assert "1,234 events of kinds that labels.events does not name are history only" in text
    assert "wish 1,200, no kind 30, a 1, b 1, c 1 and 1 more kinds" in text
    assert "1,300 times of interactions (data.interactions.timestamp) have no time zone" in text
    assert "1,200 of items without features.items.price, which could not be read" in text
    assert "received 'n/a'" in text
    assert "800 train, 100 valid, 100 test, of 20 users on 4,000 items" in text
    assert "0.1250 before; the difference is +0.1250 (95 % interval -0.0500 to +0.3000)" in text
    assert "rating: RMSE 0.9000, bias baseline 0.9500; MAE 0.7000" in text
    assert "blessed: 0 rules held" in text
    assert "scann, 4,000 items, ANN recall@100 0.988, p50 1.50 ms (exact 3.25 ms)" in text
    assert "pushed retrieval version 3: /runs/shop/serving/retrieval/3" in text
    assert "nothing changed" not in text
    assert "propensity" not in text


def test_metrics_weighted_by_propensity_are_printed_for_logs_with_impressions(page):
    console, file = page
    weights = {
        "impressions": 1234, "clip": 10, "relevant": 2000, "clipped": 12, "never_shown": 3,
        "effective_users": 89.94,
    }  # fmt: skip
    weighted = {"propensities": weights, "snips_recall@10": 0.4321}
    terminal.print_report(
        make_summary(**SUMMARY | {"retrieval": SUMMARY["retrieval"] | weighted}), console
    )
    text = file.getvalue()
    weighted_table = text.partition("weighted by inverse propensity")[2]
    assert row(weighted_table, "retrieval") == ["retrieval", "", "0.4321", ""]
    assert "Effective number of users: 89.9." in text


def test_a_run_from_the_cache_is_reported(page):
    console, file = page
    cached = [stage | {"cached": True} for stage in SUMMARY["stages"]]
    terminal.print_report(make_summary(**SUMMARY | {"stages": cached}), console)
    assert file.getvalue().startswith("nothing changed: no component was executed")


def test_a_list_names_user_history_and_items(page):
    console, file = page
    print_answer(answer(), console)
    user, history, item = file.getvalue().split("\n")[1:4]
    assert (user, history) == ("user u1", "  after Oak Chair")
    assert item.split() == ["1", "1.500", "Oak", "Desk", "[i7]"]


def test_a_new_user_is_marked(page):
    console, file = page
    print_answer(answer(known_user=False, history=[]), console)
    assert "user u1 (unknown: answered as for a new user)\n" in file.getvalue()
    assert "after" not in file.getvalue()


PRINTABLE = st.characters(exclude_categories=["C", "Z"])


@given(st.text(PRINTABLE, min_size=1, max_size=30))
@pytest.mark.parametrize("field", ["user_id", "history", "title", "item_id"])
def test_text_from_the_data_is_unchanged(field, text):
    changed = answer()
    if field == "user_id":
        changed["user_id"] = text
    elif field == "history":
        changed["history"][0]["title"] = text
    else:
        changed["recommendations"][0][field] = text
    file = io.StringIO()
    console = terminal.make_console(file)
    console.width = 1000
    print_answer(changed, console)
    assert text in file.getvalue()


@pytest.mark.parametrize("title", ["[/b]", "[red]Alert", ":heart: Actually", "\\[x]", "[link=x]"])
def test_what_looks_like_markup_is_a_title(title, page):
    console, file = page
    print_answer(answer(history=[{"item_id": "i1", "title": title, "timestamp": 1}]), console)
    assert f"after {title}\n" in file.getvalue()
