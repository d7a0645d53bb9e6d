"""Which versions each policy selects."""

import sys

import pytest
from google.protobuf import text_format

from serving.server.model_config import ServableVersionPolicy, select_versions


@pytest.mark.parametrize(
    ("policy", "versions", "enough"),
    [
        ("", [30, 4, 1], 1),
        ("latest {}", [30, 4, 1], 1),
        ("latest { num_versions: 2 }", [30, 4, 1], 2),
        ("all {}", [30, 4, 1], sys.maxsize),
        ("specific { versions: 4 versions: 7 versions: 30 }", [30, 4], sys.maxsize),
        ("specific {}", [], sys.maxsize),
    ],
)
def test_selected_versions(policy, versions, enough):
    parsed = text_format.Parse(policy, ServableVersionPolicy())
    assert select_versions(parsed, [4, 30, 1]) == (versions, enough)
