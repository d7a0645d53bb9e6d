"""The files that a path selects."""

import os
import pathlib

import pytest

from components.ingest.output import dead_letters
from components.ingest.read.files import find_files
from components.ingest.read.paths import PathPattern, locate_table
from schema.errors import ConfigError, UsageError
from schema.sources import Source


@pytest.fixture
def tree(tmp_path):
    """tree(*paths) -> a folder with these files, each with a different length."""

    def grow(*paths: str) -> str:
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("x" * len(path))
        return str(tmp_path)

    return grow


def result(root: str, path: str, span: str | None = None, last: int | None = None) -> list[str]:
    sizes = find_files(root, Source(path=path, span=span, last_spans=last))
    assert list(sizes.values()) == [pathlib.Path(file).stat().st_size for file in sizes]
    return [str(pathlib.Path(file).relative_to(root)) for file in sizes]


def test_a_path_can_be_a_file_a_glob_or_a_folder(tree):
    root = tree("log/b.csv", "log/a.csv", "log/day/c.csv", "log.csv", "other.csv")
    assert result(root, "log.csv") == ["log.csv"]
    assert result(root, "log/*.csv") == ["log/a.csv", "log/b.csv"]
    assert result(root, "log") == ["log/a.csv", "log/b.csv", "log/day/c.csv"]
    assert result(root, "log/") == ["log/a.csv", "log/b.csv", "log/day/c.csv"]
    assert result(root, "l?g") == ["log/a.csv", "log/b.csv", "log/day/c.csv"]
    assert result(root, str(pathlib.Path(root) / "other.csv")) == ["other.csv"]
    assert result(root, "nowhere") == []


def test_an_empty_folder_has_no_files(tree, tmp_path):
    (tmp_path / "log").mkdir()
    assert result(str(tmp_path), "log") == []


def test_markers_of_other_engines_are_ignored(tree):
    root = tree("log/a.csv", "log/_SUCCESS", "log/.a.csv.crc", "log/_temporary/b.csv", "_own/d.csv")
    assert result(root, "log") == ["log/a.csv"]
    assert result(root, "log/*") == ["log/a.csv"]
    assert result(root, "_own/*.csv") == ["_own/d.csv"]
    assert result(root, "log/_SUCCESS") == ["log/_SUCCESS"]


DAYS = ("2024-01-30", "2024-01-31", "2024-02-01")


def test_spans_by_date(tree):
    root = tree(*(f"log/{day}/part-{n}.csv" for day in DAYS for n in (1, 2)), "log/new/part-1.csv")
    path = "log/{SPAN}/*.csv"
    one = [f"log/2024-01-31/part-{n}.csv" for n in (1, 2)]
    assert result(root, path, "2024-01-31") == one
    assert result(root, path, "2024-01-31..2024-02-01") == [
        *one, "log/2024-02-01/part-1.csv", "log/2024-02-01/part-2.csv",
    ]  # fmt: skip
    assert len(result(root, path)) == 6
    assert result(root, path, "2023-01-01") == []
    assert result(root, "log/{SPAN}", "2024-01-31") == one


def test_spans_by_number_are_compared_as_numbers(tree):
    root = tree("day=9.csv", "day=10.csv", "day=011.csv", "day=x.csv")
    assert result(root, "day={SPAN}.csv", "9..10") == ["day=10.csv", "day=9.csv"]
    assert result(root, "day={SPAN}.csv", "11") == ["day=011.csv"]


def test_a_window_consists_of_the_last_existing_spans(tree):
    root = tree(*(f"log/{day}/{n}.csv" for day in (*DAYS, "2024-02-05") for n in (1, 2)))
    path = "log/{SPAN}"
    assert result(root, path, last=1) == ["log/2024-02-05/1.csv", "log/2024-02-05/2.csv"]
    assert result(root, path, "2024-02-01", last=2) == [
        f"log/{day}/{n}.csv" for day in ("2024-01-31", "2024-02-01") for n in (1, 2)
    ]
    # Three days without logs are between them.
    assert result(root, path, "2024-02-05", last=2)[0] == "log/2024-02-01/1.csv"
    assert len(result(root, path, "2024-01-31", last=30)) == 4


def test_a_window_with_a_missing_last_span_is_empty(tree):
    assert result(tree("log/1/a.csv", "log/3/a.csv"), "log/{SPAN}", "2", last=2) == []


def test_a_window_is_ordered_by_number(tree):
    root = tree("day=9.csv", "day=10.csv", "day=011.csv")
    assert result(root, "day={SPAN}.csv", last=2) == ["day=011.csv", "day=10.csv"]
    assert result(root, "day={SPAN}.csv", "10", last=2) == ["day=10.csv", "day=9.csv"]


def test_a_window_over_dates_and_numbers_requires_a_span(tree):
    root = tree("log/7/a.csv", "log/2024-01-31/a.csv")
    with pytest.raises(ConfigError, match="expected dates or numbers"):
        result(root, "log/{SPAN}", last=1)
    assert result(root, "log/{SPAN}", "7", last=1) == ["log/7/a.csv"]


def test_a_window_requires_a_placeholder_and_a_single_span():
    with pytest.raises(ValueError, match=r"last_spans goes with one \{SPAN\}"):
        Source(path="log", last_spans=3)
    with pytest.raises(ValueError, match=r"received span = '1\.\.3'"):
        Source(path="{SPAN}", span="1..3", last_spans=3)


def test_regular_expression_characters_in_names_are_literal(tree):
    root = tree("a+b (1)/span-7/x.csv", "a+b (1)/span-8/x.csv")
    assert result(root, "a+b (1)/span-{SPAN}/x.csv", "8") == ["a+b (1)/span-8/x.csv"]


def test_dates_and_numbers_do_not_mix(tree):
    root = tree("log/1/a.csv")
    with pytest.raises(ConfigError, match=r"such as 1, received span = '2024-01-31'"):
        result(root, "log/{SPAN}/a.csv", "2024-01-31")


def test_a_span_requires_a_placeholder():
    for path, span in (("log", "7"), ("{SPAN}/{SPAN}", None)):
        with pytest.raises(ValueError, match=r"one \{SPAN\} in path"):
            Source(path=path, span=span)
    for span in ("latest", "2024-01-31..7", "1.."):
        with pytest.raises(ValueError, match="pattern"):
            Source(path="{SPAN}", span=span)


def test_a_missing_file_system_package_is_named():  # its package is not in the locked set
    with pytest.raises(UsageError, match=r"pip install 'apache-beam\[hadoop\]'"):
        find_files("", Source(path="hdfs://host/log.csv"))


@pytest.mark.parametrize("path", ["", "ftp://host/log.csv", "s3://", "s3://logs//x", "s3:/logs/x"])
def test_an_invalid_path_is_refused(path):
    with pytest.raises(ValueError, match=f"expected .*, received {path!r}; "):
        Source(path=path)


def test_a_relative_path_is_joined_with_a_url(tree):
    where = locate_table("s3://logs/shop/", Source(path="day/*.csv"))
    assert where == PathPattern("", "s3://logs/shop/day/*.csv")
    assert locate_table("s3://logs", Source(path="gs://other/x/")).glob == "gs://other/x"
    with pytest.raises(UsageError, match=r"expected no /\.\./ within a URL"):
        locate_table("s3://logs/shop", Source(path="../other/*.csv"))
    root = tree("log.csv")
    assert list(find_files(f"file://{root}/", Source(path="log.csv"))) == [f"{root}/log.csv"]
    assert list(find_files("", Source(path=f"file://{root}/log.csv"))) == [f"{root}/log.csv"]


ODD = (
    "[b]", "a*b", "who?", "two words", "é ü 中", "#%41&", "'\"", "-dash", "{a}", "back\\slash", "[",
    "]", "!x", "~", "$HOME",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_existing_name_is_not_a_glob(tree, name):
    root = tree(f"{name}/{name}/{name}.csv", f"{name}/{name}/x.csv", "b/b/b.csv", "axb/axb/axb.csv")
    assert result(root, f"{name}/{name}/{name}.csv") == [f"{name}/{name}/{name}.csv"]
    both = sorted([f"{name}/{name}/{name}.csv", f"{name}/{name}/x.csv"])
    assert result(root, f"{name}/{name}") == both
    assert result(root, f"{name}/{name}/") == both
    assert result(root, f"{name}/{name}/*.csv") == both
    assert result(root, f"{name}/*/*.csv") == both
    assert result(f"{root}/{name}", f"{name}/x.csv") == [f"{name}/x.csv"]
    assert result(f"{root}/{name}", "*/x.csv") == [f"{name}/x.csv"]
    assert result(root, f"{root}/{name}/{name}/x.*") == [f"{name}/{name}/x.csv"]


def test_a_data_folder_is_not_a_glob(tree):
    root = tree("ab/log.csv")
    assert result(f"{root}/a*", "log.csv") == []
    assert result(root, "a*/log.csv") == ["ab/log.csv"]


def test_spans_below_a_name_with_wildcards_are_found(tree):
    root = tree("[b]*/day=7/x.csv", "[b]*/day=8/x.csv", "b/day=8/x.csv")
    assert result(f"{root}/[b]*", "day={SPAN}", "8") == ["day=8/x.csv"]
    assert result(root, "[b]*/day={SPAN}/*.csv", last=1) == ["[b]*/day=8/x.csv"]


def test_a_leading_tilde_is_the_home_folder(tree, monkeypatch):
    root = tree("home/log.csv", "data/log.csv")
    monkeypatch.setenv("HOME", f"{root}/home")
    assert list(find_files(f"{root}/data", Source(path="~/log.csv"))) == [f"{root}/home/log.csv"]
    tree("data/~/log.csv")
    assert result(f"{root}/data", "~/log.csv") == ["~/log.csv"]


def test_links_are_followed_and_shared_folders_are_read_once(tree, tmp_path):
    root = tree("log/1/a.csv", "far/b.csv", "far/c.csv")
    log = tmp_path / "log"
    (log / "link").symlink_to(tmp_path / "far")
    (log / "same").symlink_to(tmp_path / "far")
    (log / "0-newest").symlink_to(log / "1")
    (log / "loop").symlink_to(log)
    (tmp_path / "way").symlink_to(log)
    names = ["1/a.csv", "link/b.csv", "link/c.csv"]
    for folder in ("log", "way"):
        sizes = find_files(root, Source(path=folder))
        assert list(sizes) == [f"{root}/{folder}/{name}" for name in names]
    assert list(find_files(root, Source(path="way/link/*b*"))) == [f"{root}/way/link/b.csv"]


def test_a_broken_link_is_named(tree, tmp_path):
    root = tree("log/a.csv")
    (tmp_path / "log" / "gone.csv").symlink_to(tmp_path / "nowhere")
    for path in ("log", "log/gone.csv", "log/*"):
        with pytest.raises(ConfigError, match=r"log/gone\.csv, received: No such file"):
            find_files(root, Source(path=path))


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "log.csv")
    with pytest.raises(ConfigError, match=r"received a pipe or a device at .*log\.csv"):
        find_files(str(tmp_path), Source(path="log.csv"))


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"log-\xff.csv")).write_text("x")
    with pytest.raises(ConfigError, match=r"expected a name in UTF-8, received '.*log-\\udcff"):
        find_files(str(tmp_path), Source(path="log*"))


@pytest.mark.parametrize("name", ODD)
def test_dead_letters_of_an_earlier_run_are_removed(tmp_path, name):
    for _ in range(2):
        folder = pathlib.Path(dead_letters.prepare(f"{tmp_path}/{name}/rejected", "items"))
        assert (folder.relative_to(tmp_path), list(folder.iterdir())) == (
            pathlib.Path(name, "rejected", "items"),
            [],
        )
        (folder / "part.jsonl").write_text("{}")
