import pyarrow as pa

from components.ingest.fields.ids import convert_ids
from tests.components.ingest.fields.outcomes import outcomes


def text(*values):
    return pa.array(values, pa.large_string())


def test_the_first_column_with_an_id_is_used():
    account = text("a1", "", None, "a4", "  ", "", "")
    cookie = text("c1", "c2", "c3", "", "c5", "", "c\n7")
    session = text("s1", "s2", "s3", "s4", "s5", "", "s7")
    assert outcomes(convert_ids(account, cookie, missing="missing_user_id")) == [
        "a1", "c2", "c3", "a4", "c5", "missing_user_id", "bad_id",
    ]  # fmt: skip
    assert outcomes(convert_ids(account, cookie, session, missing="missing_user_id")) == [
        "a1", "c2", "c3", "a4", "c5", "missing_user_id", "bad_id",
    ]  # fmt: skip
    assert outcomes(convert_ids(text(None), text(""), text("s"), missing="none")) == ["s"]


def test_a_bad_id_is_not_replaced_by_a_later_one():
    assert outcomes(convert_ids([[1], 1.5, None], ["c", "c", 7], missing="none")) == [
        "wrong_kind", "inexact_id", "7",
    ]  # fmt: skip
