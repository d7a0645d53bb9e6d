"""The preflight names the format of a file that is not in the configured one."""

import gzip
import io
import itertools
import json
import pickle
import sqlite3
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from components.ingest import preflight
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

LOG = "user_id,item_id,timestamp\nPAR1,ORC,1600000000\n"
ROWS = [{"user_id": "u", "item_id": "i", "timestamp": 1_600_000_000 + n} for n in range(4)]
TABLE = pa.Table.from_pylist(ROWS)


def serialise(write, *arguments) -> bytes:
    sink = io.BytesIO()
    write(*arguments, sink)
    return sink.getvalue()


def packed(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)  # a time would be part of the case's name


def compress_zip(name: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, LOG)
    return sink.getvalue()


def compress_tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("log.csv"))
    return sink.getvalue()


def database(tmp_path) -> bytes:
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("create table log (user_id)")
    return (tmp_path / "db").read_bytes()


@pytest.fixture
def check(lay):
    folders = map(str, itertools.count())

    """check(bytes of the log, format) runs the preflight."""

    def run(raw: bytes | str, format_: str = "csv", **keys) -> None:
        folder = lay({"log": raw, "items.csv": "item_id\ni\n"}, next(folders))
        source = {"path": "log", "format": format_, **keys}
        data = {"interactions": source, "items": {"path": "items.csv"}}
        split = {"kind": "last_item"} if format_ == "sequences" else {}
        preflight.check(Dataset.model_validate({"data": data, "split": split}), folder)

    return run


@pytest.mark.parametrize("format_", ["csv", "jsonl", "sequences"])
@pytest.mark.parametrize(
    ("raw", "name", "advice"),
    [
        (serialise(pq.write_table, TABLE), "received Parquet", 'format = "parquet"'),
        (serialise(orc.write_table, TABLE), "received ORC", "Parquet"),
        (serialise(feather.write_feather, TABLE), "Arrow", "Parquet"),
        (b"Obj\x01\x04\x14avro.codec", "Avro", "Parquet"),
        (compress_zip("log.csv"), "zip archive", "extract"),
        (compress_zip("xl/workbook.xml"), "Excel", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel", "CSV"),
        (compress_tar(), "tar archive", "extract"),
        (b"7z\xbc\xaf\x27\x1c", "archive", "extract"),
        (LOG.encode("utf-16"), "UTF-16", 'encoding = "utf-16"'),
        (LOG.encode("utf-32"), "UTF-32", "iconv"),
        (packed(packed(LOG.encode())), "compressed twice", "decompress it once"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "NumPy", "save it"),
        (LOG.encode("utf-16-le"), "UTF-16", 'encoding = "utf-16-le"'),
        (LOG.encode("utf-16-be"), "UTF-16", 'encoding = "utf-16-be"'),
        (b"\n <!DOCTYPE html><html>", "web page", "download"),
        (pickle.dumps(ROWS), "pickle", "CSV"),
    ],
)  # fmt: skip
def test_a_binary_file_is_named_by_its_format(check, raw, name, advice, format_):
    with pytest.raises((ConfigError, DataRefused)) as caught:
        check(raw, format_)
    message = str(caught.value)
    assert name in message
    assert advice in message
    assert "codec" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [("utf-16", "utf-16"), ("utf-16", "utf-16-be"), ("utf-16-le", "utf-16"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_utf_16_is_accepted_if_configured(check, encoding, read_as):
    check(LOG.encode(encoding), encoding=read_as)


def test_other_text_if_utf_16_is_configured(check):
    with pytest.raises(ConfigError, match='received text of single bytes; set encoding = "utf-8"'):
        check(LOG, encoding="utf-16")
    with pytest.raises(ConfigError, match='received text in UTF-16; set encoding = "utf-16-be"'):
        check(LOG.encode("utf-16-be"), encoding="utf-16")


def test_a_database(check, tmp_path):
    with pytest.raises(DataRefused, match="SQLite"):
        check(database(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps(ROWS), 'format = "json"'),
        (json.dumps(ROWS, indent=2), 'format = "json"'),
        ("[" + ",\n".join(map(json.dumps, ROWS)) + "]", 'format = "json"'),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), 'format = "json"'),
        ("\n".join(map(str, ROWS)), 'format = "python"'),
        (LOG, 'format = "csv"'),
        ("[" + "1," * 10_000_000, "one array"),
    ],
)  # fmt: skip
def test_text_that_is_not_json_lines_is_described(check, text, words):
    with pytest.raises(ConfigError) as caught:
        check(text, "jsonl")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "format_", "words"),
    [
        (LOG, "json", 'expected JSON objects, received other text; set format = "csv"'),
        ("\n".join(map(str, ROWS)), "json", 'format = "python"'),
        (json.dumps({**ROWS[0], "device": None}), "python", 'format = "jsonl"'),
        (json.dumps(ROWS, indent=2), "python", 'format = "json"'),
        (LOG, "python", "expected one Python dict per line, received other text"),
    ],
)
def test_text_of_another_format_of_objects_is_described(check, text, format_, words):
    with pytest.raises(ConfigError) as caught:
        check(text, format_)
    assert words in str(caught.value)


def test_objects_of_each_format_pass(check):
    check("\n".join(map(json.dumps, ROWS)), "json")
    check(json.dumps(ROWS, indent=2), "json")
    check("\n".join(map(str, ROWS)), "python")


@pytest.mark.parametrize(
    ("raw", "words"),
    [(LOG, 'format = "csv"'), (json.dumps(ROWS[0]), 'format = "jsonl"'),
     (json.dumps(ROWS), 'format = "json"'), (str(ROWS[0]), 'format = "python"'),
     (compress_zip("log.parquet"), "zip archive")],
)  # fmt: skip
def test_a_file_that_is_not_parquet_is_described(check, raw, words):
    with pytest.raises(ConfigError, match="expected Parquet") as caught:
        check(raw, "parquet")
    assert words in str(caught.value)


def test_json_instead_of_delimited_text(check):
    with pytest.raises(ConfigError, match='format = "jsonl"'):
        check("".join(json.dumps(row) + "\n" for row in ROWS))
    with pytest.raises(ConfigError, match='format = "json"'):
        check(json.dumps(ROWS, indent=1))
    with pytest.raises(ConfigError, match='format = "python"'):
        check("\n".join(map(str, ROWS)))


def test_an_error_shows_only_a_short_excerpt(check):
    with pytest.raises(ConfigError) as caught:
        check(",".join(f"column{n}{'x' * 1000}" for n in range(1000)))
    assert len(str(caught.value)) < 1500
    with pytest.raises(DataRefused) as refused:
        check(b"\xe9" * 100_000)
    assert "codec" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_a_blank_first_line_and_a_second_header_are_named(check):
    check("\n" + LOG)
    with pytest.raises(ConfigError, match="first line is blank"):
        check(" \n" + LOG.replace("item_id", "item"))
    columns = ["user", "item", "timestamp"]
    with pytest.raises(ConfigError, match="expected no header, since data"):
        check(LOG, columns=columns, user_id="user", item_id="item")


def test_good_text_passes(check):
    check(LOG)


def test_a_log_whose_ids_begin_like_a_magic_number_passes(check):
    check("PAR1,ORC,1600000000\n", columns=["user_id", "item_id", "timestamp"])
