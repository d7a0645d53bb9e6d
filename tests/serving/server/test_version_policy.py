"""Which versions each policy takes."""

import sys

import pytest
from google.protobuf import text_format

from serving import version_policy


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
def test_wanted(policy, versions, enough):
    parsed = text_format.Parse(policy, version_policy.ServableVersionPolicy())
    assert version_policy.wanted(parsed, [4, 30, 1]) == (versions, enough)
