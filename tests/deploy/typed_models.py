"""Documents read by the typed models of the API that they are for."""

import json
import types
from typing import Any


def as_read(api: Any, document: dict, kind: str) -> dict:
    """Through the typed models of an `ApiClient` and back: unknown keys are lost, required ones are
    missed and values of another type change.
    """
    response = types.SimpleNamespace(data=json.dumps(document))
    return api.sanitize_for_serialization(api.deserialize(response, kind))
