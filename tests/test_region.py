"""A region is its tables, its digest and its licence; damaged or foreign files are refused with what differs."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.region import read_region
from edgebench.schema import TABLES, table_digest

_json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner))


@pytest.fixture
def copy(regions, tmp_path):
    """A folder of s4 that a test may damage."""
    folder = tmp_path / "s4"
    shutil.copytree(regions["s4"].path, folder)
    return folder


def changed_manifest(folder, **entries):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **entries}), encoding="utf-8")


def test_tables_are_pandas_and_the_graph_networkx(built_home):
    region = edgebench.load("s1")
    assert list(region.nodes.columns) == TABLES["nodes"].names
    assert {split: len(region.tasks(split)) for split in ("train", "val", "test")} == {
        "train": 1000,
        "val": 200,
        "test": 200,
    }
    graph = region.graph()
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (len(region.nodes), len(region.links))
    assert len(region.digest) == 64 and "CC0" in region.licence


def test_what_agents_are_given_has_no_trap_column(regions):
    assert not [name for name in regions["s1"].public() if "trap" in name]


def test_an_unknown_split_suggests_the_nearest(regions):
    with pytest.raises(EdgeBenchError, match="did you mean 'train'"):
        regions["s1"].tasks("trian")


def test_a_region_that_is_not_built_says_how_to_build_it(built_home):
    with pytest.raises(EdgeBenchError, match="edgebench build --region s1 --cells FILE --edition mine"):
        edgebench.load("s1", edition="mine")


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_changed_value_is_found(copy, name):
    path = copy / f"{name}.parquet"
    table = pq.read_table(path)
    column = next(field.name for field in table.schema if pa.types.is_floating(field.type))
    values = table[column].to_pylist()
    values[0] = (values[0] or 0.0) + 1.0
    field = table.schema.field(column)
    table = table.set_column(table.column_names.index(column), field, pa.array(values, field.type))
    pq.write_table(table, path)
    with pytest.raises(EdgeBenchError, match=f"values differ(.|\n)*{name}.parquet(.|\n)*build the region again"):
        read_region(copy)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"PAR1" * 64])
def test_a_file_that_is_no_table_is_refused(copy, content):
    (copy / "links.parquet").write_bytes(content)
    with pytest.raises(EdgeBenchError, match=r"links\.parquet"):
        read_region(copy)


def test_a_foreign_table_is_refused(copy):
    pq.write_table(pa.table({"a": [1]}), copy / "nodes.parquet")
    with pytest.raises(EdgeBenchError, match="columns are"):
        read_region(copy)


def test_another_format_is_refused(copy):
    changed_manifest(copy, format_version=99)
    with pytest.raises(EdgeBenchError, match="format 99"):
        read_region(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[[1, 2]]", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(copy, text):
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(EdgeBenchError, match=r"manifest\.json"):
        read_region(copy)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(entry=st.sampled_from(["tables", "digest", "format_version"]), value=_json)
def test_no_manifest_entry_makes_it_stumble(copy, entry, value):
    kept = (copy / "manifest.json").read_bytes()
    changed_manifest(copy, **{entry: value})
    try:
        with pytest.raises(EdgeBenchError):
            read_region(copy)
    finally:
        (copy / "manifest.json").write_bytes(kept)


def test_the_digest_does_not_depend_on_how_the_file_was_written(copy):
    path = copy / "tasks.parquet"
    table = pq.read_table(path)
    pq.write_table(table, path, compression="none", row_group_size=17, use_dictionary=False)
    assert table_digest(pq.read_table(path)) == table_digest(table)
    assert read_region(copy).name == "s4"
