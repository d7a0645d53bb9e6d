"""The index benchmark: its summary of times, by hand, and its parts on small real indexes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.index import plot as index_plot
from benchmarks.index import rounds as index_rounds
from benchmarks.index import run as index
from benchmarks.index import table
from benchmarks.index import vectors as index_vectors
from benchmarks.index.search_one import measure_recall


def test_rounds_become_medians_and_ratios_are_of_the_same_round():
    """Medians 2, 4 and 9 ms, those of exact search 4, 16 and 10: ratios .5, .25 and .9."""
    rounds = [
        {"exact": _round([4.0], 1), "ours": _round([1.0, 2.0, 3.0], 100)},
        {"exact": _round([16.0], 1), "ours": _round([4.0, 4.0, 4.0], 300)},
        {"exact": _round([10.0], 1), "ours": _round([9.0, 9.0, 9.0], 200)},
    ]
    summary = index_rounds.summary("ours", rounds)
    assert summary["p50_ms"] == 4.0
    assert summary["p50_ratio_to_exact"] == 0.5
    assert summary["batch_per_second"] == 200
    assert summary["p99_ms"] == 9.0


def _round(single_ms, batch_per_second):
    return {"single_ms": single_ms, "batch_per_second": batch_per_second}


def test_no_ratio_without_exact_search():
    rounds = [{"ours": _round([1.0], 1)}]
    assert index_rounds.summary("ours", rounds)["p50_ratio_to_exact"] is None


def test_recall_at_10_uses_only_the_ten_best():
    """All hundred are returned in reverse order: none of the ten best is among the first ten."""
    exact = np.arange(1, 101)[np.newaxis]
    vectors = np.arange(100, 0, -1, dtype=np.float32)[:, np.newaxis]
    query_set = index_vectors.QuerySet(vectors, np.ones((1, 1), np.float32), exact)
    assert measure_recall(lambda queries: exact[:, ::-1], query_set) == {
        "ann_recall@10": 0.0,
        "ann_recall@100": 1.0,
    }


def test_a_ratio_below_the_target_is_none():
    rows = [_row("scann", 0.94, 0.02, 10), _row("ivf-float32", 0.96, 0.05, 10)]
    headline = index.headline({"clustered": {"items": 10, "dim": 5, "rows": rows}})
    assert headline["scann_p50_ratio_to_exact"] is None
    assert headline["stock_p50_ratio_to_exact"] == 0.05
    assert headline["int8_bytes_ratio_to_vectors"] is None


def test_bytes_are_relative_to_those_of_float32_vectors():
    rows = [_row("ivf-int8", 0.96, 0.05, 70)]
    headline = index.headline({"clustered": {"items": 10, "dim": 5, "rows": rows}})
    assert headline["int8_bytes_ratio_to_vectors"] == pytest.approx(70 / 200)


def _row(name, recall, ratio, size):
    query_set = {"ann_recall@10": 1.0, "ann_recall@100": recall, "p50_ratio_to_exact": ratio}
    query_set |= {"p50_ms": 1.0, "p99_ms": 2.0, "batch_per_second": 1000.0}
    built = {"name": name, "build_seconds": 1.0, "bytes": size, "parameters": {}, "points": []}
    return built | {"asked": {"1": query_set | {"p50_ratio_to_exact": 9.0}, "2": query_set}}


def test_the_table_has_a_line_for_each_index_and_number_of_threads():
    rows = [_row("scann", 0.94, 0.02, 10)]
    printed = table.table({"planted": {"items": 10, "dim": 5, "rows": rows}}, 0.95)
    title, _, _, _, one, two = printed.splitlines()
    assert title == "planted: 10 items of 5 columns"
    cells = [cell.strip() for cell in two.strip("|").split("|")]
    assert cells[4:8] == ["2", "1.000", "0.940 (!)", "1.00"]
    assert cells[9] == "50.0"
    assert one.split("|")[5].strip() == "1"


def test_the_frontier_leaves_out_dominated_points():
    points = [(0.9, 1.0), (0.8, 2.0), (0.95, 3.0), (0.7, 0.5), (0.4, 0.1)]
    assert index_plot.frontier(points) == [(0.7, 0.5), (0.9, 1.0), (0.95, 3.0)]


def test_drawn_vectors_have_unit_length_and_sorted_neighbours(tmp_path):
    index_vectors.draw("clustered", 400, 8, tmp_path)
    index_vectors.add_exact_neighbours(tmp_path)
    query_set = index_vectors.held_out(tmp_path)
    assert index_vectors.shape(tmp_path) == (400, 8)
    np.testing.assert_allclose(np.linalg.norm(query_set.vectors, axis=1), 1, rtol=1e-5)
    assert query_set.exact.shape == (512, 100)
    scores = query_set.vectors @ query_set.queries[7]
    expected = np.sort(scores)[::-1][:100]
    np.testing.assert_allclose(scores[query_set.exact[7] - 1], expected, rtol=1e-5)


@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_it_compares_small_indexes_end_to_end(tmp_path):
    plot = tmp_path / "frontier.svg"
    command = [sys.executable, "-m", "benchmarks.index", "--items", "5000", "--dim", "16", "--sets"]
    command += [
        "clustered",
        "--only",
        "exact",
        "ivf-float32",
        "scann-api",
        "--json",
        "--plot",
        plot,
    ]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    rows = results["sets"]["clustered"]["rows"]
    assert [row["name"] for row in rows] == ["exact", "ivf-float32", "scann-api"]
    exact, ours, peer = (row["asked"][str(os.cpu_count())] for row in rows)
    assert exact["ann_recall@100"] == 1
    assert min(ours["ann_recall@100"], peer["ann_recall@100"]) > 0.9
    assert results["int8_bytes_ratio_to_vectors"] is None
    assert results["scann_p50_ratio_to_exact"] is None
    assert plot.read_text(encoding="utf-8").startswith("<?xml")
