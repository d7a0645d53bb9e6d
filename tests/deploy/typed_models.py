"""Documents read by the typed models of their API."""

import json
import types
from typing import Any


def round_trip(api: Any, document: dict, kind: str) -> dict:
    """Parses a document with the typed models of an `ApiClient` and serializes it: unknown keys are
    dropped, missing required ones raise ValueError, and values of another type change.
    """
    response = types.SimpleNamespace(data=json.dumps(document))
    return api.sanitize_for_serialization(api.deserialize(response, kind))
