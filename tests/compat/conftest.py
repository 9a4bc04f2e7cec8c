"""A small data set of each system, and the original ones where the machine has them."""

import os
from pathlib import Path

import polars as pl
import pytest

from edgebench.compat.data import LegacyData, TrapConfig


def make_data(system, *, sizes=(100.0, 200.0), traps=None):
    """Three servers on a meridian, one model of each type on the first two, text alone on the third."""
    servers = pl.DataFrame(
        {
            "server": ["a", "b", "c"],
            "lat": [47.0, 47.1, 47.2],
            "lon": [8.0, 8.0, 8.0],
            "compute": [50.0, 25.0, 40.0],
            "storage": [20.0, 20.0, 20.0],
            "mbps": [50.0, 50.0, 50.0],
            "line": [2, 3, 4],
        }
    )
    links = pl.DataFrame({"src": ["a", "b"], "dst": ["b", "a"], "latency_ms": [0.3, 0.3], "line": [2, 3]})
    models = pl.DataFrame(
        {
            "type": [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0],
            "score": [0.5, 0.5, 0.5, 0.9, 0.9, 0.9, 1.0],
            "server": ["a", "a", "a", "b", "b", "b", "c"],
            "usd_per_1k": [0.0015, 0.03, 0.06, 0.0015, 0.03, 0.06, 0.0015],
            "line": range(2, 9),
        }
    )
    tasks = pl.DataFrame(
        {
            "split": ["test"] * len(sizes),
            "user": [str(number) for number in range(len(sizes))],
            "lat": [47.0] * len(sizes),
            "lon": [8.0] * len(sizes),
            "route": [[1, 2, 3]] * len(sizes),
            "quality_weight": [0.4] * len(sizes),
            "speed_weight": [0.6] * len(sizes),
            "size": list(sizes),
            "tokens": pl.Series([None] * len(sizes), dtype=pl.List(pl.Int64)),
            "line": range(2, 2 + len(sizes)),
        }
    )
    return LegacyData(system, "toy", servers, links, models, tasks, {}, traps)


@pytest.fixture
def toy():
    """`toy("vamappo", sizes=…, traps=…)` makes a small data set."""
    return make_data


@pytest.fixture
def trap_b():
    """The second server is a trap."""
    return TrapConfig(("b",), 2000.0, 1.0, 1.2)


@pytest.fixture(scope="session")
def originals():
    """The folder that holds the original data sets."""
    configured = os.environ.get("EDGEBENCH_TEST_DATA")
    if not configured or not (Path(configured) / "vamappo").is_dir():
        pytest.skip("EDGEBENCH_TEST_DATA names no folder with vamappo and topofreerl")
    return Path(configured)
