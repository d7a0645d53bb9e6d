from benchmarks.popularity import build_queries, format_table, measure, read_ratings

DAY = 86_400


def test_ratings_are_in_order_of_time(tmp_path):
    path = tmp_path / "ratings.dat"
    path.write_text("b::x::7::30\na::y::8::10\nb::y::1::20\n", encoding="utf-8")
    user, item, times = read_ratings(path)
    assert times.tolist() == [10, 20, 30]
    assert user.tolist() == [0, 1, 1]
    assert item.tolist() == [2, 2, 1]


def test_only_items_new_to_the_user_are_relevant(tmp_path):
    path = tmp_path / "ratings.dat"
    events = ["a::x::1::1", "b::x::1::2", "a::x::1::3", "b::y::1::4", "c::x::1::5"]
    path.write_text("\n".join(events), encoding="utf-8")
    user, item, _ = read_ratings(path)
    interacted, relevant = build_queries(user, item, 2)
    assert [items.tolist() for items in interacted] == [[1], []]  # of b and c
    assert [items.tolist() for items in relevant] == [[2], [1]]


def test_each_moment_has_a_value_for_each_list(tmp_path):
    """Item `hit` is consumed by a new user each hour, `rare` once a day."""
    path = tmp_path / "ratings.dat"
    events = [f"u{hour}::hit::1::{hour * 3600}" for hour in range(24 * 30)]
    events += [f"v{day}::rare::1::{day * DAY + 60}" for day in range(30)]
    path.write_text("\n".join(events), encoding="utf-8")
    rows = measure(path, seed=1)
    # of 25 users a day 24 find their item first, and one finds it second
    expected = (24 + 1 / 1.584963) / 25
    for name in ("popular, last 7 days", "window of 7 days", "forecast"):
        assert len(rows[name]["ndcg@10"]) == 8
        assert abs(rows[name]["ndcg@10"][0] - expected) < 0.02
        assert rows[name]["recall@100"] == [1.0] * 8
    assert "| forecast |" in format_table(rows)
