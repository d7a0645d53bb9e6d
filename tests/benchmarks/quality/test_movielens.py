"""MovieLens 1M in the layouts of its two evaluations, from planted files."""

import pytest

from benchmarks.quality import data, movielens
from pipeline.config.config import load_config
from schema.errors import UsageError

RATINGS = "7::2::5::20\n7::9::4::10\n8::9::3::5\n7::4::1::20\n"
FILMS = "2::Misérables, Les (1995)::Drama\n3::Unrated (1990)::Comedy\n4::B::\n9::C::Drama|War\n"


@pytest.fixture
def public(tmp_path, monkeypatch):
    """The folder of public data sets, with a script in place of the files."""
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "ml-1m.py").write_text(
        "import pathlib, sys\n"
        "out = pathlib.Path(sys.argv[1])\n"
        "out.mkdir(parents=True)\n"
        f"(out / 'ratings.dat').write_text({RATINGS!r}, 'utf-8')\n"
        f"(out / 'movies.dat').write_text({FILMS!r}, 'utf-8')\n"
        "(out / 'users.dat').write_text('7::F::1::10::48067\\n', 'utf-8')\n"
    )
    monkeypatch.setenv("TANDEM_DATA", str(folder))
    return folder


def test_sequences_are_in_order_of_time_and_of_the_file_within_a_second(public, tmp_path):
    data_set = data.prepare_data_set("ml-1m", tmp_path / "root", 0)
    config = load_config(data_set.config)
    log = (data_set.data / config.data.interactions.path).read_text()
    assert log == "7 9 2 4\n8 9\n"
    assert data_set.source.read_text() == log
    assert config.split.kind == "last_item"


def test_only_rated_films_can_be_listed_where_the_last_item_is_held_out(public, tmp_path):
    data_set = data.prepare_data_set("ml-1m", tmp_path / "root", 0)
    films = (data_set.data / "movies.dat").read_text("utf-8").splitlines()
    assert [film.split("::")[0] for film in films] == ["2", "4", "9"]


def test_by_the_clock_the_run_reads_what_grouplens_publishes_and_the_referee_all_films(
    public, tmp_path
):
    data_set = data.prepare_data_set("ml-1m-clock", tmp_path / "root", 0)
    table = load_config(data_set.config).data.item_tables[0]
    assert (data_set.data / table.path).read_text(table.encoding) == FILMS
    assert (data_set.source / "movies.dat").read_text("utf-8") == FILMS
    assert (data_set.data / "ratings.dat").read_text() == RATINGS
    assert data_set.protocol == "movietweetings"


def test_the_script_runs_once_and_not_where_its_folder_is_present(public, tmp_path):
    made = movielens.find_files(public, tmp_path / "made")
    (public / "ml-1m.py").write_text("raise SystemExit(1)")
    assert movielens.find_files(public, tmp_path / "made") == made
    (public / "ml-1m").mkdir()
    assert movielens.find_files(public, tmp_path / "made") == public / "ml-1m"


def test_a_failing_script_is_an_error_that_says_what_to_run(public, tmp_path):
    (public / "ml-1m.py").write_text("raise SystemExit(3)")
    with pytest.raises(UsageError, match=r"received exit code 3; run it yourself: python .*ml-1m"):
        movielens.find_files(public, tmp_path / "made")
    assert not (tmp_path / "made").exists()
