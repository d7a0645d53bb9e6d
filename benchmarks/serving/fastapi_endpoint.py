"""A hand-written server: FastAPI over a loaded SavedModel, a baseline in `benchmarks.serving`.

    python -m benchmarks.serving.fastapi_endpoint FOLDER PORT

FOLDER holds a recommender's SavedModel. Requests and responses are typed, as in FastAPI's own
tutorial; a `def` endpoint runs in FastAPI's threads.
"""

import sys

import fastapi
import pydantic
import tensorflow as tf
import uvicorn
from scann.scann_ops.py import scann_ops  # noqa: F401 - a SavedModel may have them


class Request(pydantic.BaseModel):
    """One user's request."""

    user_id: str
    history_item_ids: list[str]
    history_timestamps: list[int]
    now: int
    k: int


class Response(pydantic.BaseModel):
    """The recommended items, best first, and their scores."""

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
    def recommend(request: Request) -> Response:
        inputs = {
            "user_id": tf.constant([request.user_id]),
            "history_item_ids": tf.constant([request.history_item_ids]),
            "history_timestamps": tf.constant([request.history_timestamps], tf.int64),
            "now": tf.constant([request.now], tf.int64),
            "k": tf.constant([request.k], tf.int32),
        }
        for name, spec in specs.items():
            if name not in inputs:
                shape = [1, *(size or 0 for size in spec.shape[1:])]
                inputs[name] = tf.fill(shape, tf.constant(absent[spec.dtype], spec.dtype))
        result = serve(**inputs)
        ids = [item.decode() for item in result["item_ids"].numpy()[0]]
        return Response(item_ids=ids, scores=result["scores"].numpy()[0].tolist())

    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
