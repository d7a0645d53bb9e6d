"""Begin and end of the objects of JSON text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.read.objects import object_bounds
from components.ingest.read.objects.object_bounds import find_last_object_end, find_objects

OBJECTS = [
    {"a": 1},
    {"text": 'braces } ] and "quotes" \\', "list": [{"b": {}}, {}]},
    {},
    {"é": "\n\u2028{"},
]


def cut(text: str, is_whole: bool = True) -> list[str]:
    data = text.encode()
    return [data[begin:end].decode() for begin, end in find_objects(data, is_whole)]


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("wrap", ["[{}]", "[\n{}\n]\n", "{}"])
@pytest.mark.parametrize("separator", [",", ", ", ",\n", "\n", " "])
def test_objects_are_found_in_arrays_and_in_a_row(indent, wrap, separator):
    texts = [json.dumps(each, indent=indent, ensure_ascii=False) for each in OBJECTS]
    assert cut(wrap.replace("{}", separator.join(texts))) == texts


def test_an_incomplete_object_is_left_for_the_next_block():
    assert cut('{"a": 1}\n{"b": ', is_whole=False) == ['{"a": 1}']
    assert find_last_object_end(b'[{"a": 1}, {"b": 2') == len('[{"a": 1}')
    assert find_last_object_end(b'[{"a": ') == 0


def test_a_missing_closing_brace_affects_one_record():
    lines = ['{"a": 1}', '{"a": {"b": 2}', '{"a": 3}', '{"a": 4}']
    assert cut("\n".join(lines)) == lines
    assert cut("[" + ",\n ".join(lines) + "]") == lines


def test_a_missing_brace_in_indented_text_does_not_split_nested_objects():
    whole = json.dumps({"a": [{"b": 1}, {"c": 2}]}, indent=2)
    broken = whole.rstrip("}").rstrip()
    assert cut(f"{broken}\n{whole}\n") == [broken, whole]


def test_a_missing_quotation_mark_affects_one_line():
    lines = ['{"a": "x}', '{"a": "y"}', '{"a": "z"}']
    assert cut("\n".join(lines)) == lines


def test_a_superfluous_closing_brace_is_between_objects():
    assert cut('{"a": 1}}, {"b": 2}') == ['{"a": 1}', '{"b": 2}']


def test_a_broken_object_is_given_up_at_a_size(monkeypatch):
    monkeypatch.setattr(object_bounds, "MAX_OBJECT_BYTES", 20)
    assert cut('{"a": \n{"b": 1}\n{"c": ', is_whole=False) == ['{"a":', '{"b": 1}']
    assert cut('{"a": 1234567890123', is_whole=False) == []
    assert cut('{"a": 12345678901234567890', is_whole=False) == ['{"a": 12345678901234567890']
    assert find_last_object_end(b"x" * 20) == 20


@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=6), max_size=3), max_size=5),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_objects_of_the_json_module_are_read_again(objects, indent, is_ascii):
    text = json.dumps(objects, indent=indent, ensure_ascii=is_ascii)
    assert [json.loads(each) for each in cut(text)] == objects
