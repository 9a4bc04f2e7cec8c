"""Whatever the links, weights and sizes, what mending leaves is sound, and mending it again finds nothing."""

import networkx
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from legacy_toy import SERVERS, vamappo_tables, write_vamappo

from builders.importers.mending import mend_all
from builders.importers.report import Report
from builders.importers.vamappo import read_vamappo

names = st.integers(1, SERVERS + 1).map(str)
weights = st.floats(-1, 2, allow_nan=False)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return read_vamappo(write_vamappo(tmp_path_factory.mktemp("toy") / "data", vamappo_tables()), Report())


def with_links(data, pairs):
    rows = [(src, dst, None, line) for line, (src, dst) in enumerate(pairs, start=2)]
    return data.with_table("links", pl.DataFrame(rows, schema=data.links.schema, orient="row"))


def mended(data):
    report = Report()
    result = mend_all(data, report)
    assert not report.counts("fatal")
    again = Report()
    mend_all(result, again)
    assert not again.counts("mend")
    return result, report


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=st.lists(st.tuples(names, names), max_size=25))
def test_links(sound, pairs):
    result, report = mended(with_links(sound, pairs))
    found = list(result.links.select("src", "dst").iter_rows())
    assert len(set(found)) == len(found)
    assert {(dst, src) for src, dst in found} == set(found)
    graph = networkx.Graph(found)
    assert networkx.is_connected(graph) and set(graph) == set(sound.servers["server"])
    assert not list(networkx.selfloop_edges(graph))
    known = {(a, b) for a, b in pairs if a != b and {a, b} <= set(graph)}
    added = report.counts("mend").get("disconnected", 0)
    assert len(found) == len(known | {(b, a) for a, b in known}) + 2 * added


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(st.tuples(weights, weights, st.integers(-3, 600)), min_size=30, max_size=30))
def test_tasks(sound, drawn):
    quality, speed, size = (list(map(float, column)) for column in zip(*drawn, strict=True))
    changed = sound.tasks.with_columns(
        quality_weight=pl.Series(quality), speed_weight=pl.Series(speed), size=pl.Series(size)
    )
    result, report = mended(sound.with_table("tasks", changed))
    first, second = (result.tasks[name].to_numpy() for name in ("quality_weight", "speed_weight"))
    assert np.abs(first + second - 1.0).max() < 1e-12
    assert min(first.min(), second.min()) >= 0
    assert result.tasks["size"].min() > 0
    assert report.counts("mend").get("zero size", 0) == sum(value <= 0 for value in size)
    usable = (np.array(quality) >= 0) & (np.array(speed) >= 0) & (np.array(quality) + speed > 0)
    share = np.array(quality)[usable] / (np.array(quality) + speed)[usable]
    assert first[usable] == pytest.approx(share)
    assert (first[~usable] == 0.5).all()
