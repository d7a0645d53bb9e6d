"""Optional parts of a configuration can be omitted in any combination: each case runs through the
whole DAG and serves an answer, or ends with one sentence and the exit code of its kind of error.

A case takes about a minute of one core, most of it in Transform and in tracing graphs. By default
only the first cases of the cover run, which contain almost every level of every factor;
TANDEM_MATRIX=all in the environment runs all of them, in about half an hour, and
TANDEM_MATRIX=kinds a larger cover in which each kind of feature also appears alone. The cases share
one process, also with the infra check, which has its own process in a run.
"""

import os
import types

import pytest

from components import infra_check
from tests.e2e.matrix import case_run, cover, factors, synthetic_data

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

ALWAYS = 5
SELECTION = os.environ.get("TANDEM_MATRIX", "")
CASES = cover.pairwise(
    factors.SINGLE if SELECTION == "kinds" else factors.FACTORS, factors.possible
)
PARAMETERS = [
    pytest.param(number, id=factors.name(case))
    for number, case in enumerate(CASES if SELECTION else CASES[:ALWAYS])
]


@pytest.fixture(autouse=True)
def _infra_check_in_this_process(monkeypatch):
    monkeypatch.setattr(infra_check, "subprocess", types.SimpleNamespace(run=case_run.check_here))


@pytest.mark.parametrize("number", PARAMETERS)
def test_each_case_serves_or_reports_missing_parts(number, tmp_path):
    case = CASES[number]
    config = synthetic_data.write(case, tmp_path, number)
    code, rows = case_run.run_to_exit_code(config, tmp_path, tmp_path / "root")
    assert code in factors.exit_codes(case)
    if code:
        return
    assert rows["items"] == int(case["catalogue"])
    assert rows["users"] == int(case["people"])
    items = case_run.recommend(tmp_path / "root")
    assert len(set(items)) == len(items) == min(5, int(case["catalogue"]))
