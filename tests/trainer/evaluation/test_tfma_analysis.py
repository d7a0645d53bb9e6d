"""TFMA's numbers compared with results by hand."""

import json

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from apache_beam.options.pipeline_options import PipelineOptions

from trainer.evaluation.slices import Slice
from trainer.evaluation.tfma_analysis import (
    add_analysis,
    build_query_extracts,
    build_row_extracts,
    read_analysis,
)
from trainer.evaluation.tfma_inputs import HeadRows, QueryRows
from trainer.metrics.ranking import compute_user_metrics

SECOND = 1 / np.log2(3)


def chosen(name, *positions):
    return Slice(name, np.array(positions, bool))


# Three queries of three candidates each: the relevant one is first, second and third.
RELEVANCE = HeadRows(
    kind="relevance",
    label=np.array([1, 0, 0, 0, 1, 0, 0, 0, 1], np.float32),
    prediction=np.array([0.9, 0.5, 0.1, 0.8, 0.6, 0.4, 0.7, 0.3, 0.2], np.float32),
    slices={
        "history": [chosen("new", 1, 1, 1, 0, 0, 0, 0, 0, 0)],
        "item_genre": [chosen("crime", 1, 0, 0, 1, 0, 0, 1, 0, 0), chosen("none", *[0] * 9)],
    },
    queries=QueryRows(
        query=np.repeat([0, 1, 2], 3),
        slices={"history": [chosen("new", 1, 0, 0), chosen("warm", 0, 1, 1)]},
    ),
)
CLICK = HeadRows(
    kind="binary",
    label=np.array([1, 0, 1, 0], np.float32),
    prediction=np.array([0.8, 0.4, 0.6, 0.2], np.float32),
    slices={"context_device": [chosen("phone", 1, 0, 1, 0), chosen("web", 0, 1, 0, 1)]},
)
RATING = HeadRows(
    kind="regression",
    label=np.array([5, 3, 1, 1], np.float32),
    prediction=np.array([4, 3, 3, 2], np.float32),
    slices={"context_device": [chosen("phone", 1, 1, 0, 0)]},
)


def write(heads, folder):
    options = PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        add_analysis(pipeline, heads, str(folder))


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis")
    write({"relevance": RELEVANCE, "click": CLICK, "rating": RATING}, folder)
    return str(folder)


@pytest.fixture(scope="module")
def actual(uri):
    return read_analysis(uri)


def test_auc_is_the_share_of_pairs_in_order(actual):
    """Relevant .9 .6 .2, others .5 .1 .8 .4 .7 .3: 6 + 4 + 1 of 18 pairs are in order."""
    assert actual["Overall"]["relevance/auc"] == pytest.approx(11 / 18, abs=1e-6)
    assert actual["Overall"]["relevance/example_count"] == 9


def test_ndcg_is_ours(actual):
    expected = (1 + SECOND + 1 / 2) / 3
    lists = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    ours = compute_user_metrics(lists, [np.array([1]), np.array([2]), np.array([3])], (10,))
    assert ours["ndcg@10"].mean() == pytest.approx(expected)
    assert actual["Overall"]["relevance/ndcg@10"] == pytest.approx(expected)
    assert actual["history:new"]["relevance/ndcg@10"] == pytest.approx(1)
    assert actual["history:warm"]["relevance/ndcg@10"] == pytest.approx((SECOND + 1 / 2) / 2)


def test_a_slice_of_items_has_pairs_and_no_lists(actual):
    """Crime: the relevant item has .9, the others .8 and .7."""
    assert actual["item_genre:crime"]["relevance/auc"] == pytest.approx(1, abs=1e-6)
    assert "relevance/ndcg@10" not in actual["item_genre:crime"]


def test_a_slice_without_rows_is_not_there(actual):
    assert "item_genre:none" not in actual


def test_a_binary_label_has_auc_calibration_brier_and_log_loss(actual):
    row = actual["Overall"]
    assert row["click/auc"] == pytest.approx(1, abs=1e-6)
    assert row["click/calibration"] == pytest.approx(2.0 / 2)
    assert row["click/brier_score"] == pytest.approx((0.04 + 0.16 + 0.16 + 0.04) / 4, rel=1e-5)
    expected = -(np.log(0.8) + np.log(0.6) + np.log(0.6) + np.log(0.8)) / 4
    assert row["click/binary_crossentropy"] == pytest.approx(expected, rel=1e-5)
    assert row["click/example_count"] == 4


def test_undefined_metrics_are_omitted_and_noted(actual):
    """No user clicked on the web: no pairs for AUC, and no mean for the calibration."""
    row = actual["context_device:web"]
    assert "click/auc" not in row
    assert "click/calibration" not in row
    assert row["click/brier_score"] == pytest.approx((0.16 + 0.04) / 2, rel=1e-5)
    assert row["note"].endswith("all labels are equal: click/auc, click/calibration")
    assert "note" not in actual["Overall"]
    json.dumps(actual, allow_nan=False)


def test_a_regression_label_has_errors_and_calibration(actual):
    row = actual["Overall"]
    assert row["rating/root_mean_squared_error"] == pytest.approx(np.sqrt(6 / 4), rel=1e-5)
    assert row["rating/mean_absolute_error"] == pytest.approx(1)
    assert row["rating/calibration"] == pytest.approx(12 / 10)
    phone = actual["context_device:phone"]
    assert phone["rating/root_mean_squared_error"] == pytest.approx(np.sqrt(1 / 2), rel=1e-5)


def test_the_artifact_opens_with_plots(uri):
    result = tfma.load_eval_result(uri)
    plots = dict(result.plots)[()]
    buckets = plots["click"][""]["calibrationHistogramBuckets"]["buckets"]
    filled = [b for b in buckets if b.get("numWeightedExamples", 0)]
    assert sum(b["numWeightedExamples"] for b in filled) == 4
    assert "calibrationHistogramBuckets" in plots["rating"][""]
    columns = [list(spec.feature_keys) for spec in result.config.slicing_specs]
    assert columns == [[], ["context_device"], ["history"], ["item_genre"]]


def test_rows_equal_for_auc_are_merged():
    label = np.array([0, 1, 0, 0], np.float32)
    rows = HeadRows("relevance", label, np.array([0.5, 0.5, 0.5001, 1.0], np.float32), {})
    (element,) = build_row_extracts("relevance", rows)
    result = zip(
        element["labels"]["relevance"].tolist(),
        element["predictions"]["relevance"].tolist(),
        element["example_weights"]["relevance"].tolist(),
        strict=True,
    )
    expected = [(0, 0.5005, 2), (1, 0.5005, 1), (0, 0.9995, 1)]
    assert list(result) == [pytest.approx(row) for row in expected]


def test_a_list_is_cut_to_its_head_and_its_relevant_items():
    """Twelve candidates, relevant ones at positions 3 and 12: position 11 does not change
    NDCG@10.
    """
    label = np.zeros(12, np.float32)
    label[[2, 11]] = 1
    rows = HeadRows(
        "relevance", label, np.linspace(1, 0, 12, dtype=np.float32), {}, QueryRows(np.zeros(12), {})
    )
    (element,) = build_query_extracts("relevance", rows)
    assert element["features"]["gain"].tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_heads_without_rows_are_noted(tmp_path):
    write({}, tmp_path)
    analysis = read_analysis(str(tmp_path))
    assert analysis == {"Overall": {"note": "no head has a row to be measured on"}}
