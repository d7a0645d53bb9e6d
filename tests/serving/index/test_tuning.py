import numpy as np
import tensorflow as tf

from serving.index.eligibility import Eligibility
from serving.index.measurement import ExactAnswers
from serving.index.tuning import (
    IndexSetting,
    TuningPoint,
    choose_point,
    compute_frontier,
    find_fastest_point,
    tune_index,
)


class Planted(tf.Module):
    """Finds the first `4 × probes` of the hundred positions that are requested."""

    kind = "planted"

    def __init__(self, leaf_count):
        super().__init__()
        self.leaf_count, self.probes = leaf_count, 1

    def search(self, queries, excluded, allowed, k):
        selected = tf.where(tf.range(k) < 4 * self.probes, tf.range(1, k + 1), 0)
        return tf.repeat(selected[tf.newaxis], tf.shape(queries)[0], axis=0), None


def build_exact_answers():
    """Three queries; the product with the item at position i is 101 - i."""
    vectors = np.arange(100, 0, -1, dtype=np.float32)[:, None]
    positions = np.tile(np.arange(1, 101), (3, 1))
    return ExactAnswers(vectors, Eligibility.of_all(100), np.ones((3, 1), np.float32), positions)


def tune(target, seconds):
    exact = build_exact_answers()
    return tune_index(lambda setting: Planted(setting.leaves), 1024, (0,), exact, target, seconds)


def test_tuning_finds_the_fewest_probes_that_reach_the_target():
    """A recall of .48 needs 12 probes; up to an eighth more is accepted."""
    points = tune(0.48, 0).points
    enough = [point.setting.probes for point in points if point.recall >= 0.48]
    assert min(enough) in (12, 13)
    assert {point.setting.leaves for point in points} == {32}


def test_an_unreachable_target_ends_with_all_leaves():
    """32 leaves of 4 find everything; 16 (of 256 items) reach a recall of .64 at most."""
    exact = build_exact_answers()
    index = tune_index(lambda setting: Planted(setting.leaves), 256, (0,), exact, 0.9, 0)
    points = index.points
    assert max(point.setting.probes for point in points) == 16
    assert find_fastest_point(points, 0.9) is None


def test_remaining_time_is_spent_on_other_leaf_counts():
    assert {point.setting.leaves for point in tune(0.3, 1000).points} == {32, 64, 16}


def point(probes, recall, p50_ms):
    return TuningPoint(IndexSetting(8, probes, 0), recall, recall - 0.01, p50_ms)


def test_the_best_point_is_the_fastest_that_certainly_reaches_the_target():
    points = [point(1, 0.9, 1.0), point(2, 0.955, 2.0), point(3, 0.97, 3.0), point(4, 0.99, 4.0)]
    assert find_fastest_point(points, 0.95) == points[2]


def test_the_frontier_omits_dominated_points():
    points = [point(1, 0.5, 1.0), point(2, 0.9, 3.0), point(3, 0.8, 4.0), point(4, 0.95, 5.0)]
    assert compute_frontier(points[::-1]) == [points[0], points[1], points[3]]


def test_a_setting_has_the_configured_number_of_leaves():
    """Two of the 32 were empty; an index built for 30 would have other leaves."""
    exact = build_exact_answers()
    result = tune_index(lambda setting: Planted(setting.leaves - 2), 1024, (0,), exact, 0.48, 0)
    assert {point.setting.leaves for point in result.points} == {32}


def test_the_tuned_index_has_a_setting_that_reaches_the_target():
    """32, 64 and 16 leaves are tried in this order; a recall of .48 needs 12 probes."""
    for seconds in (0, 1000):
        tuned_index = tune(0.48, seconds).index
        assert tuned_index.leaf_count in ((32, 64, 16) if seconds else (32,))
        assert tuned_index.probes >= 12


class Partitioned(Planted):
    """Finds the first `4 × quality × probes` positions."""

    def __init__(self, leaf_count, quality):
        super().__init__(leaf_count)
        self.quality = quality

    def search(self, queries, excluded, allowed, k):
        reached = tf.range(k) < int(4 * self.quality * self.probes)
        selected = tf.where(reached, tf.range(1, k + 1), 0)
        return tf.repeat(selected[tf.newaxis], tf.shape(queries)[0], axis=0), None


def test_an_index_that_is_built_again_is_measured_again():
    """The second build of one setting needs twice the probes of the first, as with ScaNN; 64 and 16
    leaves never reach the target.
    """
    builds = []

    def build(setting):
        builds.append(setting.leaves)
        return Partitioned(setting.leaves, {1: 1.0, 4: 0.5}.get(len(builds), 0.1))

    index = tune_index(build, 1024, (0,), build_exact_answers(), 0.48, 1000).index
    assert builds == [32, 64, 16, 32]
    assert index.probes >= 24  # each probe finds 2 of the 48 items


def test_without_a_sufficient_setting_the_highest_recall_is_chosen():
    points = [point(1, 0.5, 1.0), point(2, 0.9, 3.0), point(3, 0.8, 4.0)]
    assert choose_point(points, 0.95) == points[1]
