import pytest

from benchmarks.train import run as train

MEASURED = {
    "events": 1000,
    "timelines": 50,
    "mean_length": 20.0,
    "positives_per_batch": 100,
    "steps_per_epoch": 10,
    "ours": [500.0, 1000.0, 2000.0],
    "stock": [90.0, 100.0, 400.0],
    "measuring": [0.5, 0.02, 0.01],
    "input": {
        "ours": {"step": 0.1, "from_memory": 0.098, "input_alone": 0.03},
        "stock": {"step": 0.5, "from_memory": 0.4, "input_alone": 0.25},
    },
}


def test_the_summary_is_of_medians():
    """Epochs of 1,000 events took 2, 1 and 0.5 s; the median measurement took 0.02 s."""
    result = train.summary(MEASURED)
    assert result["events_per_second"] == {"tandem": 1000, "stock": 100}
    assert result["slowest_to_fastest"] == {"tandem": [500, 2000], "stock": [90, 400]}
    assert result["ratio_to_stock"] == 10.0
    assert result["metrics_share"] == pytest.approx(0.02)
    assert result["mean_length"] == 20.0


def test_input_costs_what_a_step_takes_longer_than_from_memory():
    result = train.summary(MEASURED)["input"]
    assert result["tandem"] == {"step_ms": 100.0, "added": 0.02, "alone": 0.3}
    assert result["stock"] == {"step_ms": 500.0, "added": 0.2, "alone": 0.5}


def test_input_that_costs_nothing_is_reported_with_the_noise_it_has():
    costs = train.input_costs({"step": 0.1, "from_memory": 0.101, "input_alone": 0.0})
    assert costs == {"step_ms": 100.0, "added": -0.01, "alone": 0.0}


def test_the_table_has_a_line_for_each_way_and_each_catalogue():
    steps = {"10000": {"sparse": 12.0, "dense": 13.5}, "1000000": {"sparse": 14.0, "dense": 700.25}}
    result = {"data": {"shop": train.summary(MEASURED)}, "milliseconds_a_step_by_items": steps}
    _, ours, stock, ratio, _, small, large = map(str.split, train.table(result).splitlines())
    assert ours == ["shop", "1,000", "20.0", "tandem", "1,000", "100.0", "2.0%", "30.0%"]
    assert stock == ["shop", "1,000", "20.0", "stock", "100", "500.0", "20.0%", "50.0%"]
    assert ratio[:2] == ["10.0", "times"]
    assert "2.0%" in ratio
    assert small[-3:] == ["10,000", "12.0", "13.5"]
    assert large[-3:] == ["1,000,000", "14.0", "700.2"]
