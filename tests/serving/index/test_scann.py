import numpy as np
import pytest

from schema.errors import ConfigError
from serving.index.eligibility import Eligibility
from serving.index.scann import ScannIndex


def test_too_few_items_are_refused():
    """There are sixteen, one of which is unavailable."""
    eligible = Eligibility(np.arange(16) > 0, np.zeros((16, 1), np.int32))
    with pytest.raises(ConfigError, match=r"at least 16 available.*received 15; set index.kind"):
        ScannIndex(np.ones((16, 8), np.float32), eligible, 4, 1, 100)
