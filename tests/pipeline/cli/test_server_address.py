"""The address from `--server` and related options."""

import argparse
import pathlib

import pytest

from pipeline.cli import arguments as cli_arguments
from pipeline.commands import recommend
from schema.errors import UsageError
from serving.client.connection import PLAIN, Security


def parse_address(*arguments):
    parser = argparse.ArgumentParser()
    cli_arguments.add_server(parser, "ask it")
    return cli_arguments.parse_server(parser.parse_args([str(argument) for argument in arguments]))


def test_none():
    assert parse_address() is None


def test_plain():
    assert parse_address("--server", "h:1") == recommend.ServerAddress("h:1", PLAIN)


def test_tls_with_public_roots():
    assert parse_address("--server", "h:1", "--tls") == recommend.ServerAddress(
        "h:1", Security(tls=True)
    )


def test_files_imply_tls(tmp_path):
    (tmp_path / "token").write_bytes(b"s3cret\r\n")
    files = [
        ("--tls-roots", "ca.pem"),
        ("--tls-certificate", "own.pem"),
        ("--tls-key", "own.key"),
        ("--token-file", tmp_path / "token"),
    ]
    server = parse_address("--server", "h:1", *(text for pair in files for text in pair))
    expected = Security(
        tls=True,
        root_certificates=pathlib.Path("ca.pem"),
        certificate=pathlib.Path("own.pem"),
        key=pathlib.Path("own.key"),
        token="s3cret",
    )
    assert server == recommend.ServerAddress("h:1", expected)


@pytest.mark.parametrize("option", ["--tls", "--tls-roots=a", "--tls-key=a", "--token-file=a"])
def test_protection_of_no_connection(option):
    with pytest.raises(UsageError, match="expected --server with --tls"):
        parse_address(option)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"two words\n", b"two\nlines\n"])
def test_files_without_a_token(tmp_path, content):
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(UsageError, match="token"):
        parse_address("--server", "h:1", "--token-file", tmp_path / "token")


def test_half_a_certificate():
    with pytest.raises(UsageError, match="certificate and its key together"):
        parse_address("--server", "h:1", "--tls-key", "own.key")
