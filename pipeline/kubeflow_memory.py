"""What each component was measured to need, and so is kept free for its task by default.

A request, and no limit: a log of another size needs another amount, and a limit ends what passes
it.
"""

import math

PEAK_MB = {
    "InteractionsGen": 977,
    "ItemsGen": 718,
    "SchemaGen-interactions": 623,
    "SchemaGen-items": 623,
    "StatisticsGen-interactions": 1003,
    "StatisticsGen-items": 691,
    "ExampleValidator-interactions": 632,
    "ExampleValidator-items": 632,
    "DataGate": 635,
    "Transform-interactions": 902,
    "Transform-items": 914,
    "RetrievalTrainer": 1635,
    "Indexer": 971,
    "RankingTrainer": 1855,
    "RankingAnalysis": 1612,
    "Evaluator": 1747,
    "Recommender": 987,
    "InfraCheck": 1016,
    "Pusher": 627,
}
"""Most megabytes (10^6 bytes) that a component has had at once with a million events, 50,000 users
and 20,000 items: `python -m benchmarks.memory`."""
IMPORTS_MB = 620
"""Of them TensorFlow, TFX and Beam themselves. Components that no run on one machine has were not
measured; they read and write small files."""
_AS_MUCH_AS = {"RunReport": "InfraCheck"}
"""Both start the models and ask them."""

_MARGIN = 1.25
_STEP = 250


def request_of(component: str) -> str:
    """Memory as Kubernetes writes it: a quarter more than was measured, in steps of 250 MB."""
    peak = PEAK_MB.get(_AS_MUCH_AS.get(component, component), IMPORTS_MB)
    return f"{math.ceil(peak * _MARGIN / _STEP) * _STEP}M"
