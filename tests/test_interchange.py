"""The tables of a region, read by others: datasets, polars and duckdb see what `edgebench.load` sees."""

import pytest

from edgebench.card import SPLIT
from edgebench.schema import TABLES


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


@pytest.fixture
def datasets(monkeypatch, tmp_path):
    """The library, offline, with its caches in the test's folder."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    return pytest.importorskip("datasets")


def rows(table):
    return table.to_pylist()


def test_datasets_reads_every_table(s1, datasets, tmp_path):
    files = {name: str(s1.path / f"{name}.parquet") for name in TABLES}
    for name, file in files.items():
        found = datasets.load_dataset(
            "parquet", data_files={SPLIT: file}, split=SPLIT, cache_dir=str(tmp_path / "cache")
        )
        assert found.column_names == TABLES[name].names
        assert found.to_list() == rows(s1.tables[name])


@pytest.mark.parametrize("table", TABLES)
def test_datasets_reads_the_folder_by_its_card(s1, datasets, tmp_path, table):
    found = datasets.load_dataset(str(s1.path), table, split=SPLIT, cache_dir=str(tmp_path / "cache"))
    assert found.to_list() == rows(s1.tables[table])


@pytest.mark.parametrize("table", TABLES)
def test_polars_reads_every_table(s1, table):
    import polars

    assert polars.read_parquet(s1.path / f"{table}.parquet").to_dicts() == rows(s1.tables[table])


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_every_table(s1, table):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(s1.path / f"{table}.parquet"))
        values = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert values == rows(s1.tables[table])


def test_duckdb_counts_the_tasks_of_a_split(s1):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        query = "SELECT count(*) FROM read_parquet(?) WHERE split = 'val'"
        (counted,) = connection.execute(query, [str(s1.path / "tasks.parquet")]).fetchone()
    assert counted == len(s1.tasks("val"))
