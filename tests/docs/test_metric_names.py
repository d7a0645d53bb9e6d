"""The metrics in docs/SERVING.md are those that a server exposes, with kind and labels."""

import re

from serving.server.metrics import BatchingMetrics, Metrics
from tests.docs import documents

SUFFIX = re.compile(r"_(bucket|sum|count|created)$")


def read_table():
    """By metric: kind and labels."""
    rows = re.findall(
        r"^\| `(:[\w:]+)` \| (\w+) \|([^|]*)\|", documents.read("docs/SERVING.md"), re.MULTILINE
    )
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def expose(tmp_path):
    """The page of a server that has done everything once."""
    metrics, batching = Metrics(), BatchingMetrics(lambda: 3)
    metrics.add(batching)
    with metrics.request("recommender", "Predict", "GRPC"), metrics.runtime("recommender"):
        pass
    with metrics.load(tmp_path), metrics.warmup(tmp_path) as records:
        records.append(None)
    batching.queued(0.001)
    batching.ran(2)
    return metrics.page().decode()


def find_metrics(page):
    """By metric: kind and labels, from the samples of the page."""
    histograms = set(re.findall(r"^# TYPE (:\S+) histogram$", page, re.MULTILINE))
    gauges = set(re.findall(r"^# TYPE (:\S+) gauge$", page, re.MULTILINE))
    metrics = {}
    for sample, labels in re.findall(r"^(:[\w:]+)(?:\{(.*)\})? \S+$", page, re.MULTILINE):
        base = SUFFIX.sub("", sample)
        name = base if base in histograms else sample
        kind = "histogram" if name in histograms else "gauge" if name in gauges else "counter"
        result = set(re.findall(r'(\w+)="', labels)) - {"le"}
        metrics[name] = (kind, metrics.get(name, (kind, set()))[1] | result)
    return metrics


def test_the_table_is_what_the_server_exposes(tmp_path):
    assert read_table() == find_metrics(expose(tmp_path))
