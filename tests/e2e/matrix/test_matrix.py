"""Whatever may be left out of a configuration may be left out: each case goes through the whole
DAG and serves an answer, or ends with one sentence and an exit code that says whose fault it is.

A case takes about a minute of one core, most of it in Transform and in making graphs. So the first
cases of the cover always run, in which almost every level of every factor stands, and all of them
where TANDEM_MATRIX=all is in the environment, about half an hour; TANDEM_MATRIX=kinds takes the
larger cover in which every kind of feature also stands alone. They share one process; the infra
check, which has one of its own in a run, is called in it.
"""

import os
import types

import pytest

from components import infra_check
from tests.e2e.matrix import cover, factors, made_data, walk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

ALWAYS = 5
ASKED = os.environ.get("TANDEM_MATRIX", "")
CASES = cover.pairwise(factors.SINGLE if ASKED == "kinds" else factors.FACTORS, factors.possible)
CHOSEN = [
    pytest.param(place, id=factors.name(case))
    for place, case in enumerate(CASES if ASKED else CASES[:ALWAYS])
]


@pytest.fixture(autouse=True)
def _infra_check_in_this_process(monkeypatch):
    monkeypatch.setattr(infra_check, "subprocess", types.SimpleNamespace(run=walk.check_here))


@pytest.mark.parametrize("position", CHOSEN)
def test_it_serves_or_reports_missing_parts(position, tmp_path):
    case = CASES[position]
    config = made_data.write(case, tmp_path, position)
    code, rows = walk.ended(config, tmp_path, tmp_path / "root")
    assert code in factors.exit_codes(case)
    if code:
        return
    assert rows["items"] == int(case["catalogue"])
    assert rows["users"] == int(case["people"])
    result = walk.answered(tmp_path / "root")
    assert len(set(result)) == len(result) == min(5, int(case["catalogue"]))
