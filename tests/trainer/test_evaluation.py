import pytest

from schema.errors import DataRefused
from trainer import evaluation, questions


def test_a_test_split_in_which_nobody_takes_anything_new_is_refused(timelines_of):
    split = timelines_of([(b"a", 1, [1, 1], [0, 10], 1), (b"b", 2, [0], [10], 0)])
    with pytest.raises(DataRefused, match=r"expected a test user .* received none; use more data"):
        evaluation._askable(questions.ask(split, 10))


def test_one_user_with_one_answer_is_enough_to_ask(timelines_of):
    asked = questions.ask(timelines_of([(b"a", 1, [1, 2], [0, 10], 1)]), 10)
    assert evaluation._askable(asked) is asked
