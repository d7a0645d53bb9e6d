"""Training on planted timelines, in this process or, as `python -m tests.trainer.chains`, in its
own.

Item n is always followed by item n + 1 (of 8, cyclically), so training has much to learn.
"""

import argparse
import dataclasses
import json
import logging
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig, TrainerConfig
from trainer.data.catalogue import Catalogue
from trainer.data.timelines import Timelines
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower
from trainer.retrieval.training import fit_model
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware, create_hardware

ITEMS = 8
CONFIG = RetrievalConfig(
    embedding_dim=8,
    epochs=4,
    patience=4,
    positions_per_batch=256,
    uniform_negatives=16,
    learning_rate=0.02,
    popularity_prior=False,
    user_ids=True,
)
ONE = Hardware()


def _timelines(users: int, length: int) -> Timelines:
    user, step = np.divmod(np.arange(users * length), length)
    return Timelines(
        user_ids=np.array([b"u%d" % n for n in range(users)], object),
        user_index=(np.arange(users) % 5).astype(np.int32),
        row_splits=np.arange(users + 1) * length,
        target_from=np.ones(users, np.int64),
        item_index=((user + step) % ITEMS + 1).astype(np.int32),
        timestamps=86_400 * step,
        positive=np.ones(users * length, bool),
        labels={},
        context={},
        users={},
    )


TIMELINES = _timelines(128, 12)


def model(config: RetrievalConfig = CONFIG, hardware: Hardware = ONE) -> RetrievalModel:
    """An untrained model, always the same."""
    tf.keras.utils.set_random_seed(4)
    ids = np.array([b"", *(b"%d" % n for n in range(1, ITEMS + 1))], object)
    frequency = np.array([0.0] + [1 / ITEMS] * ITEMS)
    with hardware.scope():
        candidate = CandidateTower(Catalogue(ids, ids, {}), [], frequency > 0, config)
        query = QueryTower(5, [], [], config)
        return RetrievalModel(query, candidate, frequency, None, config, hardware.static_shapes)


def ranked(trained: RetrievalModel) -> dict[str, float]:
    """NDCG of the item that follows one user's last event: 1 / log2(rank + 1)."""
    batch = {
        "item_index": tf.constant([[1, 2, 3, 4]]),
        "timestamps": tf.constant([[0, 86_400, 172_800, 259_200]], tf.int64),
        "user_index": tf.constant([0]),
    }
    vectors = trained.candidate_tower(tf.range(ITEMS + 1))
    query = trained.query_tower(batch, tf.gather(vectors, batch["item_index"]))[0, -1]
    scores = tf.linalg.matvec(vectors, query).numpy()[1:]
    rank = 1 + int((scores > scores[3]).sum())
    return {"ndcg@10": 1 / np.log2(rank + 1), "recall@10": 1.0}


def context(folder, config=CONFIG, hardware=ONE) -> TrainingContext[RetrievalConfig]:
    """Context of a training that writes everything under `folder`."""
    data: Any = types.SimpleNamespace(train=TIMELINES, valid=TIMELINES)
    return TrainingContext(
        data, config, 1, str(folder / "tensorboard"), str(folder / "checkpoints"), hardware
    )


@dataclasses.dataclass
class PlantedMeasure:
    """The given metrics, with no queries that they are means of."""

    metrics: Callable[[], dict[str, float]]

    def __call__(self) -> dict[str, float]:
        return self.metrics()

    def ndcg_by_query(self) -> np.ndarray:
        return np.zeros(0)


def fitted(folder, config=CONFIG, model=None, measure=None, hardware=ONE):
    """History of a training that writes everything under `folder`."""
    trained = model or globals()["model"](config, hardware)
    measured = measure or PlantedMeasure(lambda: ranked(trained))
    return fit_model(trained, context(folder, config, hardware), measured)


def main() -> None:
    """Trains and prints one line per epoch; the last line is the history as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--strategy", default="one")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--mixed-precision", action="store_true")
    parser.add_argument("--no-dropout", action="store_true")
    args = parser.parse_args()
    if args.devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * args.devices
        tf.config.set_logical_device_configuration(cpu, parts)
    hardware = create_hardware(
        TrainerConfig(strategy=args.strategy, xla=args.xla, mixed_precision=args.mixed_precision)
    )
    quiet = {"dropout": 0.0, "id_dropout": 0.0} if args.no_dropout else {}
    config = CONFIG.model_copy(update=quiet)
    logging.getLogger("tandem.progress").setLevel(logging.INFO)
    logging.getLogger("tandem.progress").addHandler(logging.StreamHandler(sys.stdout))
    history = fitted(args.folder, config, hardware=hardware)
    sys.stdout.write(json.dumps(history) + "\n")


if __name__ == "__main__":
    main()
