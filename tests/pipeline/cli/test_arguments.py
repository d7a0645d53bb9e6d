"""Paths on the command line."""

import pathlib

import pytest

from pipeline import cli
from pipeline.cli.command_line import VerbParser


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run(*arguments) -> the parsed arguments of `tandem run`, with a temporary home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return lambda *arguments: cli.build_parser().parse_args(["run", *arguments])


def test_a_tilde_is_the_home_behind_an_equals_sign_too(run, tmp_path):
    args = run("--config=~/shop.toml", "--data=~/logs", "--root=~/runs/shop")
    assert args.config == tmp_path / "shop.toml"
    assert (args.data, args.root) == (f"{tmp_path}/logs", f"{tmp_path}/runs/shop")


def test_a_path_may_begin_with_a_dash_and_be_relative(run):
    args = run("--config=-shop.toml", "--data=-logs/", "--root=s3://bucket/~/run/")
    assert args.config == pathlib.Path("-shop.toml")
    assert args.data == f"{pathlib.Path.cwd()}/-logs"
    assert args.root == "s3://bucket/~/run"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--config=x", "--root="], "--root: expected a path or a URL, received ''"),
        (["run", "--config=s3://b/x", "--root=x"], "--config: expected a local path"),
        (["run", "--config=x", "--data=ftp://x", "--root=x"],
         "--data: expected a path, or a URL with s3:// or gs:// or hdfs://, received 'ftp://x'"),
        (["serve", "--root", "s3:/b"], "--root: expected two slashes after s3:"),
        (["compile", "--root", "s3://b//x"], "--root: expected no // within a URL"),
        (["compile", "--data", "logs"], "--data: expected a URL or an absolute path, valid"),
        (["submit", "--root", "~/runs"], "--root: expected a URL or an absolute path, valid"),
        (["backfill", "--root", "minio://b/x"], "--root: expected a path, or a URL with s3:// or"),
        (["refresh", "--items", "s3://"], "--items: expected a bucket after s3://"),
        (["batch", "--users="], "--users: expected a path or a URL, received ''"),
        (["batch", "--out=gs://b/lists"], "--out: expected a local path"),
    ],
)  # fmt: skip
def test_an_invalid_location_gives_one_sentence_with_the_arguments_name(
    arguments, sentence, capsys
):
    assert cli.main(arguments) == 2
    output = capsys.readouterr().err
    assert output.startswith(f"tandem: {sentence}")
    assert output.count("\n") == 1


def test_every_location_argument_is_parsed_by_one_function():
    """With a bare pathlib.Path as type, an empty argument of a new verb would mean the current
    folder.
    """
    (verbs,) = (each for each in cli.build_parser()._actions if each.dest == "verb")
    assert isinstance(verbs.choices, dict)
    bare = [
        f"{name} {action.option_strings}"
        for name, verb in verbs.choices.items()
        for each in (verb, *_list_verbs(verb))
        for action in each._actions
        if action.type is pathlib.Path
        or (
            action.dest in ("root", "data", "out", "config")
            and type(action).__name__ != "_LocationAction"
        )
    ]
    assert bare == []


def _list_verbs(verb: VerbParser) -> list[VerbParser]:
    return [
        parser
        for action in verb._actions
        if isinstance(action.choices, dict)
        for parser in action.choices.values()
    ]


def test_all_users_need_no_file(run):
    batch = cli.build_parser().parse_args(["batch", "--root=x", "--users=all", "--out=lists"])
    assert (batch.users, batch.out) == ("all", pathlib.Path("lists"))
    batch = cli.build_parser().parse_args(["batch", "--root=x", "--users=./all", "--out=lists"])
    assert batch.users == f"{pathlib.Path.cwd()}/all"


def test_a_trailing_slash_is_not_compiled():
    """KFP leaves `s3://bucket/shop//artifacts` unchanged, and Arrow rejects it."""
    args = cli.build_parser().parse_args(
        ["compile", "--config=x", "--out=x", "--root=s3://bucket/shop/", "--data=/data/"]
    )
    assert (args.root, args.data) == ("s3://bucket/shop", "/data")
