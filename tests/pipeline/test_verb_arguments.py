"""Paths on the command line."""

import pathlib

import pytest

from pipeline import cli


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run(*arguments) -> what `tandem run` is given, with a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return lambda *given: cli.parser().parse_args(["run", *given])


def test_a_tilde_is_the_home_behind_an_equals_sign_too(run, tmp_path):
    args = run("--config=~/shop.toml", "--data=~/logs", "--root=~/runs/shop")
    assert args.config == tmp_path / "shop.toml"
    assert (args.data, args.root) == (f"{tmp_path}/logs", f"{tmp_path}/runs/shop")


def test_a_path_may_begin_with_a_dash_and_be_relative(run):
    args = run("--config=-shop.toml", "--data=-logs/", "--root=s3://bucket/~/run/")
    assert args.config == pathlib.Path("-shop.toml")
    assert args.data == f"{pathlib.Path.cwd()}/-logs"
    assert args.root == "s3://bucket/~/run"
