"""Single sections for planted summaries, computed by hand."""

from xml.etree.ElementTree import Element

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from pipeline.report.html.data import (
    count_events_per_step,
    describe_events_over_time,
    describe_history_lengths,
    describe_popularity,
    draw_events_over_time,
    draw_history_lengths,
)
from pipeline.report.html.fairness import describe_item_gap, describe_user_gap
from pipeline.report.html.labels import (
    add_analysis_section,
    describe_reliability,
    draw_reliability,
    group_metrics_by_head,
)
from pipeline.report.html.performance import describe_execution, describe_index, draw_index_frontier
from pipeline.report.html.quality import collect_metrics, describe_differences
from pipeline.report.html.slices import SliceRows, describe_slices, make_slice_dots
from pipeline.report.html.training import describe_losses, describe_metric, select_curves
from pipeline.report.html.verdict import add_verdict, choose_headline
from schema.evaluation_summary import ItemFairness, LabelSummary, UserFairness
from schema.run_summary import IndexSummary, RunSummary


def parse(summary: dict) -> RunSummary:
    return RunSummary.model_validate(summary)


def slices(summary: dict) -> SliceRows:
    return parse(summary).ranking.slices["history"]


FAILURE = "users.region: gap of ndcg@10 at most 0.125: expected 0.1250, received 0.2500"
WARNING = "final lists for new users: worse than recent in ndcg@10"


def list_verdict_lines(summary: dict) -> list[str]:
    body = Element("body")
    add_verdict(body, parse(summary))
    return ["".join(line.itertext()) for line in body.iter("li")]


def test_not_blessed_names_failed_rules(summary):
    summary["verdict"]["rules"][1]["failure"] = FAILURE
    assert choose_headline(parse(summary).verdict) == ("Not blessed: nothing was pushed", "bad")
    assert list_verdict_lines(summary) == [FAILURE]


def test_warnings_are_in_the_verdict_of_blessed_models_too(summary):
    warning = {"rule": "not worse than recent", "passed": False, "failure": WARNING}
    summary["verdict"] = {"blessed": True, "rules": [], "warnings": [warning]}
    assert choose_headline(parse(summary).verdict)[0] == "Blessed"
    assert list_verdict_lines(summary) == [WARNING]


@pytest.mark.parametrize(
    ("blessed", "forced", "expected"),
    [
        (True, None, "Blessed"),
        (False, {"who": "ada", "why": "demo", "at": "today"}, "Not blessed, pushed by force"),
    ],
)
def test_other_verdicts(summary, blessed, forced, expected):
    summary["verdict"] |= {"blessed": blessed, "forced": forced}
    assert choose_headline(parse(summary).verdict)[0] == expected


def test_the_best_baseline_is_the_one_with_the_highest_ndcg(summary):
    assert parse(summary).retrieval.best_baseline == "recent"


def test_the_pushed_model_is_compared_with_the_others(summary):
    summary["verdict"]["pushed_before"] = {"version": 2, "path": "/", "ndcg@10": 0.25}
    assert list(collect_metrics(parse(summary))) == [
        "final lists",
        "retrieval",
        "pushed",
        "popular",
        "recent",
    ]


def test_a_pushed_model_that_could_not_be_evaluated_is_omitted(summary):
    summary["verdict"]["pushed_before"] = {"version": 2, "path": "/", "failure": "no graph"}
    assert "pushed" not in collect_metrics(parse(summary))


def test_quality_is_described_with_verdicts(summary):
    assert describe_differences(parse(summary), "ndcg@10") == (
        "User by user, the final lists are better than popular; inside the noise of popular now."
    )


def test_slices_are_compared_by_their_intervals(summary):
    result = summary["ranking"]["slices"]["history"]
    assert describe_slices(slices(summary)).endswith("Their intervals do not overlap.")
    result["warm users"]["recall@10"] |= {"low": 0.1875}
    assert describe_slices(slices(summary)).endswith("Their intervals overlap.")


def test_a_slice_of_too_few_users_is_noted_and_not_the_worst(summary):
    result = summary["ranking"]["slices"]["history"]
    recall = result["new users"]["recall@10"]
    result["bots"] = {"users": 3, "note": "too few users: received 3", "recall@10": recall}
    result["kids"] = {"users": 2, "note": "too few users: received 2", "recall@10": recall}
    assert "Worst: new users" in describe_slices(slices(summary))
    assert describe_slices(slices(summary)).endswith(" Too few users: bots and kids.")
    assert [dot.ours for dot in make_slice_dots(slices(summary))] == [True, True, False, False]


def test_a_gap_is_compared_with_its_limit(summary):
    result = summary["fairness"]["users"]["users.region"]
    assert describe_user_gap(UserFairness(**result)) == (
        "north is 0.2500 (0.1875 to 0.3125) above south. The limit is 0.1250: exceeded."
    )
    assert "met" in describe_user_gap(UserFairness(**result | {"limit": 0.25}))
    items = ItemFairness(**summary["fairness"]["items"]["items.category"])
    assert "lamps gets 12.5% less than it is worth" in describe_item_gap(items)


def test_reliability_names_the_bin_furthest_off_and_leaves_out_empty_ones(summary):
    label = LabelSummary(**summary["ranking"]["labels"]["click"])
    assert "0.7500 predicted, 0.8750 observed (10 events)" in describe_reliability(label)
    (points,) = draw_reliability(label).axes[0].collections
    assert np.asarray(points.get_offsets()).tolist() == [[0.25, 0.25], [0.75, 0.875]]


def test_each_head_of_tfma_has_its_own_table(summary):
    analysis = parse(summary).analysis
    assert group_metrics_by_head(analysis.slices) == {
        "rating": ["mean_label"],
        "relevance": ["example_count", "auc"],
    }
    body = Element("body")
    add_analysis_section(body, analysis)
    tables = [[list(row.itertext()) for row in table.iter("tr")] for table in body.iter("table")]
    assert tables == [
        [["mean label"], ["Overall", "3.500"]],
        [["examples", "AUC"], ["Overall", "900", "0.8125"]],
        [["examples", "AUC"], ["region:north", "–", "0.6875"]],
    ]
    assert "gift: constant in train" in list(body.itertext())


def test_days_without_events_are_steps_without_height(volumes):
    first, counted = count_events_per_step(volumes)
    assert first.tolist() == [18_000, 18_001, 18_002, 18_003]
    assert counted.tolist() == [2, 5, 0, 3]


def test_a_long_log_is_grouped_by_week(volumes):
    long = np.array([18_000, 18_006, 18_007, 18_600])
    first, counted = count_events_per_step(
        type(volumes)(long, np.array([1, 2, 4, 8]), volumes.per_item, volumes.per_user, {})
    )
    assert first[:2].tolist() == [18_000, 18_007]
    assert counted[:3].tolist() == [3, 4, 0]
    assert counted.sum() == 15


def test_the_cut_is_an_upright_line(volumes):
    axes = draw_events_over_time(volumes).axes[0]
    (line,) = axes.get_lines()
    assert line.get_label() == "test begins"
    assert np.asarray(line.get_xdata())[0] == np.datetime64("2019-04-17T00:00:05")


def test_data_captions(volumes):
    assert describe_events_over_time(volumes) == (
        "2019-04-14 to 2019-04-17; at most 5 events, from 2019-04-15 on. Test begins on 2019-04-17."
    )
    assert "(1 of 3 items with events) has 70.0% of the events; 33.3%" in describe_popularity(
        volumes
    )
    assert describe_history_lengths(volumes).startswith(
        "The median user has 3 events, the longest his"
    )


def test_histories_are_counted_in_doubling_steps(volumes):
    bars = draw_history_lengths(volumes).axes[0].patches
    heights = [bar.get_height() for bar in bars if isinstance(bar, Rectangle)]
    assert heights == [1, 1, 1]  # 1; 2–3; 4–7


def test_training_compares_the_best_epoch_with_the_best_baseline():
    values_by_name = {"valid": [(0, 0.125), (1, 0.5), (2, 0.25)], "popular": [(0, 0.375)]}
    assert describe_metric(values_by_name) == (
        "Highest in epoch 2: 0.5000. The best baseline, popular, has 0.3750."
    )
    assert describe_losses(values_by_name) == (
        "Lowest on valid in epoch 1 of 3: 0.1250, after which it rises."
    )


def test_a_metric_that_only_baselines_have_is_not_a_curve():
    curves = {"popular": {"recall@100": [(0, 0.5)]}, "train": {"loss": [(0, 1.0)]}}
    assert select_curves(curves, "recall@100") == {}
    assert select_curves(curves, "loss") == {"train": [(0, 1.0)]}


def test_the_index_is_compared_with_exact_search(summary):
    assert describe_index(parse(summary).index) == (
        "The chosen index is 4.0 times as fast as plain exact search and finds 96.9% of what it "
        "finds. Settings tried: 1."
    )
    assert describe_index(IndexSummary(**summary["index"] | {"kind": "exact"})).startswith(
        "Exact search was chosen"
    )


def test_the_frontier_is_drawn_in_order_of_latency(summary):
    summary["index"]["frontier"] = [
        {"ann_recall@100": 0.875, "p50_ms": 0.5}, {"ann_recall@100": 0.75, "p50_ms": 0.25},
    ]  # fmt: skip
    tried = draw_index_frontier(parse(summary).index).axes[0].get_lines()[0]
    assert np.asarray(tried.get_xydata()).tolist() == [[0.25, 0.75], [0.5, 0.875]]


def test_times_are_added_up(summary):
    assert describe_execution(parse(summary).stages).startswith("1 of 2 stages were executed")
    assert "1 min 2 s" in describe_execution(parse(summary).stages)
