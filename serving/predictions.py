"""The one way from a request's inputs to its answer, for gRPC and REST alike."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from serving import request_log
from serving.batching import BatchQueue, Caller
from serving.metrics import Metrics
from serving.request_log import RequestLog
from serving.servable import Outputs, Servable


class Predictions:
    """Waits for a turn, runs, measures, and keeps what the log is to know."""

    def __init__(self, queue: BatchQueue, metrics: Metrics, log: RequestLog | None) -> None:
        self._queue = queue
        self._metrics = metrics
        self._log = log

    def request_id(self, given: str | None) -> str | None:
        """By which the log knows a request; None where there is no log."""
        return None if self._log is None else request_log.request_id(given)

    def answer(
        self,
        servable: Servable,
        signature_name: str,
        inputs: Mapping[str, tf.Tensor],
        output_filter: Sequence[str],
        caller: Caller,
        request: str | None,
    ) -> Outputs:
        """As `Servable.predict`, and `BatchQueue.run`; `request` is what `request_id` gave."""
        call = servable.call(signature_name, inputs, output_filter)
        with self._metrics.runtime(servable.name):
            outputs = self._queue.run(servable, call, caller)
        if self._log is not None and request is not None:
            self._log.record(servable, request, call, outputs)
        return outputs
