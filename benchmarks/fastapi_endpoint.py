"""What people write: FastAPI over a loaded SavedModel. A peer of `benchmarks.serving`.

    python -m benchmarks.fastapi_endpoint FOLDER PORT

FOLDER is that of a recommender's SavedModel. Requests and answers are typed, as FastAPI's own
tutorial has it; a `def` endpoint runs in FastAPI's threads.
"""

import sys

import fastapi
import pydantic
import tensorflow as tf
import uvicorn
from scann.scann_ops.py import scann_ops  # noqa: F401 - a SavedModel may have them


class Asked(pydantic.BaseModel):
    """One user's request."""

    user_id: str
    history_item_ids: list[str]
    history_timestamps: list[int]
    now: int
    k: int


class Answer(pydantic.BaseModel):
    """The list."""

    item_ids: list[str]
    scores: list[float]


def application(folder: str) -> fastapi.FastAPI:
    """One endpoint, `POST /recommend`."""
    model = tf.saved_model.load(folder)
    serve = model.signatures["serving_default"]
    specs = serve.structured_input_signature[1]
    absent = {tf.string: "", tf.float32: float("nan"), tf.int64: 0, tf.int32: 0}
    app = fastapi.FastAPI()

    @app.post("/recommend")
    def recommend(asked: Asked) -> Answer:
        inputs = {
            "user_id": tf.constant([asked.user_id]),
            "history_item_ids": tf.constant([asked.history_item_ids]),
            "history_timestamps": tf.constant([asked.history_timestamps], tf.int64),
            "now": tf.constant([asked.now], tf.int64),
            "k": tf.constant([asked.k], tf.int32),
        }
        for name, spec in specs.items():
            if name not in inputs:
                shape = [1, *(size or 0 for size in spec.shape[1:])]
                inputs[name] = tf.fill(shape, tf.constant(absent[spec.dtype], spec.dtype))
        found = serve(**inputs)
        ids = [item.decode() for item in found["item_ids"].numpy()[0]]
        return Answer(item_ids=ids, scores=found["scores"].numpy()[0].tolist())

    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
