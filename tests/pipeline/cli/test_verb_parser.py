"""Values that begin with a dash, as ids may."""

import pytest

from pipeline import cli


def _recommend(*words: str):
    return cli.build_parser().parse_args(["recommend", "--root", "r", *words])


@pytest.mark.parametrize("user", ["-KxYz", "-1", "--x", "-h7", "-", "-k=3", "- a", "plain"])
def test_an_id_may_begin_with_a_dash(user):
    args = _recommend("--user", user, "--k", "3", "--category", "-c", "--json")
    assert (args.user, args.k, args.categories, args.json) == (user, 3, ["-c"], True)


@pytest.mark.parametrize("user", ["--k", "-h", "--json"])
def test_one_that_is_an_option_needs_the_equals_sign(user):
    assert _recommend(f"--user={user}").user == user


@pytest.mark.parametrize("words", [["--user"], ["--user", "--k", "3"], ["--user", "u", "-KxYz"]])
def test_missing_or_excess_arguments_are_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        _recommend(*words)
    assert ended.value.code == 2
    assert "usage: tandem" in capsys.readouterr().err
