from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import scattered_nodes

from builders.catalogue import make_catalogue
from builders.geo import haversine_km
from builders.placement import place_models
from builders.users import HOME_RADIUS_KM, make_users, split_sites
from builders.workflows import shapes_of
from builders.workload import make_tasks, rate_per_s
from edgebench.constants import (
    DEADLINE_MS,
    QUALITY_WEIGHTS,
    SPLIT_TASKS,
    SPLIT_USERS,
    TARGET_UTILISATION,
    TOKENS_PER_S_PER_COMPUTE,
)
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS
from edgebench.schema import SPLITS, TASKS
from edgebench.spec import WorkloadSpec

NODES = scattered_nodes(25)
SITES = scattered_nodes(400, seed=9).select(
    site_id="node_id", lat="lat", lon="lon", cells=(pl.col("node_id") % 40).cast(pl.Int32)
)
INSTANCES = place_models(make_catalogue(), NODES, REGIONS["s1"], 3)
TASKS_DRAWN = make_tasks(NODES, SITES, INSTANCES, REGIONS["s1"], 3)


def km_between(rows: pl.DataFrame, columns: pl.DataFrame) -> np.ndarray:
    left, right = rows.select("lat", "lon").to_numpy(), columns.select("lat", "lon").to_numpy()
    return haversine_km(left[:, None, 0], left[:, None, 1], right[:, 0], right[:, 1])


def test_the_columns_counts_and_order_are_the_contracts() -> None:
    assert TASKS_DRAWN.columns == TASKS.names
    assert TASKS_DRAWN["task_id"].to_list() == list(range(sum(SPLIT_TASKS.values())))
    for split in SPLITS:
        part = TASKS_DRAWN.filter(pl.col("split") == split)
        assert part.height == SPLIT_TASKS[split]
        assert part["user_id"].n_unique() == SPLIT_USERS[split]
        assert (part["arrival_ms"].diff().drop_nulls() > 0).all()
        assert part["user_id"].value_counts()["count"].unique().to_list() == [SPLIT_TASKS[split] // SPLIT_USERS[split]]
    assert TASKS_DRAWN["deadline_ms"].unique().to_list() == [DEADLINE_MS]


def test_users_live_near_sites_of_their_split_and_nobody_elses() -> None:
    users, parts = make_users(NODES, SITES, 3), split_sites(SITES.height, 3)
    for split in SPLITS:
        own, sites = users.filter(pl.col("split") == split), SITES[parts[split]]
        km = haversine_km(
            own["lat"].to_numpy()[:, None],
            own["lon"].to_numpy()[:, None],
            sites["lat"].to_numpy(),
            sites["lon"].to_numpy(),
        )
        assert km.min(axis=1).max() <= HOME_RADIUS_KM * 1.01
        assert np.median(km.min(axis=1)) > HOME_RADIUS_KM / 2


@settings(deadline=None, max_examples=30)
@given(st.integers(5, 300), st.integers(0, 2**62))
def test_splits_share_no_site_and_leave_none_out(sites: int, seed: int) -> None:
    parts = split_sites(sites, seed)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(sites))
    assert len(parts["train"]) == pytest.approx(0.6 * sites, abs=1)


def test_too_few_sites_for_three_splits_are_refused() -> None:
    with pytest.raises(EdgeBenchError, match="too few to give the users of each split"):
        split_sites(2, 0)


def test_busy_sites_have_more_users() -> None:
    busy = SITES.with_columns(cells=pl.when(pl.col("site_id") % 2 == 0).then(99).otherwise(1).cast(pl.Int32))
    users = make_users(NODES, busy, 3)
    km = haversine_km(
        users["lat"].to_numpy()[:, None],
        users["lon"].to_numpy()[:, None],
        SITES["lat"].to_numpy(),
        SITES["lon"].to_numpy(),
    )
    assert (km.argmin(axis=1) % 2 == 0).mean() > 0.9


def test_the_users_node_is_the_nearest() -> None:
    km = haversine_km(
        TASKS_DRAWN["lat"].to_numpy()[:, None],
        TASKS_DRAWN["lon"].to_numpy()[:, None],
        NODES["lat"].to_numpy(),
        NODES["lon"].to_numpy(),
    )
    assert TASKS_DRAWN["node_id"].to_list() == km.argmin(axis=1).tolist()


def test_weights_belong_to_the_user_and_sum_to_one() -> None:
    weights = TASKS_DRAWN.group_by("user_id").agg(pl.col("quality_weight", "speed_weight").n_unique())
    assert weights.select("quality_weight", "speed_weight").max().row(0) == (1, 1)
    assert np.allclose(TASKS_DRAWN["quality_weight"] + TASKS_DRAWN["speed_weight"], 1.0, atol=1e-12)
    groups = [TASKS_DRAWN["quality_weight"].is_between(least, most) for least, most in QUALITY_WEIGHTS]
    assert (groups[0] ^ groups[1]).all()
    assert groups[0].mean() == pytest.approx(0.5, abs=0.1)


def test_the_rate_keeps_the_scarcest_type_at_the_target() -> None:
    nodes = pl.DataFrame({"node_id": [0, 1], "compute": [10, 20]})
    instances = pl.DataFrame({"node_id": [0, 0, 1], "model_type": ["text", "text", "video"], "work": [1.0, 3.0, 2.0]})
    workflows = pl.DataFrame({"stage_types": [["text", "video"]] * 2, "stage_tokens": [[100, 600], [300, 600]]})
    text_s = 200 * 2.0 / (10 * TOKENS_PER_S_PER_COMPUTE)
    video_s = 600 * 2.0 / (20 * TOKENS_PER_S_PER_COMPUTE)
    possible = min(1 / text_s, 1 / video_s, 2 / (text_s + video_s))
    assert rate_per_s(workflows, nodes, instances) == pytest.approx(TARGET_UTILISATION * possible, abs=1e-6)


def test_types_that_share_nodes_share_their_capacity() -> None:
    nodes = pl.DataFrame({"node_id": [0], "compute": [10]})
    instances = pl.DataFrame({"node_id": [0, 0], "model_type": ["text", "image"], "work": [1.0, 1.0]})
    workflows = pl.DataFrame({"stage_types": [["text", "image"]], "stage_tokens": [[600, 600]]})
    both_s = 1200 / (10 * TOKENS_PER_S_PER_COMPUTE)
    assert rate_per_s(workflows, nodes, instances) == pytest.approx(TARGET_UTILISATION / both_s, abs=1e-6)


def test_drawing_twice_gives_the_same_tasks() -> None:
    assert TASKS_DRAWN.equals(make_tasks(NODES, SITES, INSTANCES, REGIONS["s1"], 3))
    assert not TASKS_DRAWN.equals(make_tasks(NODES, SITES, INSTANCES, REGIONS["s1"], 4))


def tasks_of(workload: WorkloadSpec, seed: int = 3) -> pl.DataFrame:
    instances = place_models(make_catalogue(workload.experts), NODES, REGIONS["s1"], 3)
    return make_tasks(NODES, SITES, instances, dataclasses.replace(REGIONS["s1"], workload=workload), seed)


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from(("poisson", "bursty", "on-off", "diurnal")),
    st.sampled_from(("chain-5", "chain", "diamond", "tree", "hybrid", "dag")),
    st.integers(3, 12),
    st.floats(0.05, 0.9),
    st.integers(0, 2**62),
)
def test_every_workload_keeps_the_contract(
    arrivals: str, workflow: str, experts: int, utilisation: float, seed: int
) -> None:
    workload = WorkloadSpec(arrivals=arrivals, workflow=workflow, experts=experts, utilisation=utilisation)
    tasks = tasks_of(workload, seed)
    assert tasks.columns == TASKS.names
    assert {tuple(row) for row in tasks["stage_parents"].to_list()} <= set(shapes_of(workflow))
    assert tasks.group_by("user_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert tasks.group_by("lat", "lon").agg(pl.col("split").n_unique())["split"].max() == 1
    for split in SPLITS:
        part = tasks.filter(pl.col("split") == split)
        assert (part.height, part["user_id"].n_unique()) == (SPLIT_TASKS[split], SPLIT_USERS[split])
        assert (part["arrival_ms"].diff().drop_nulls() > 0).all()
    assert tasks.equals(tasks_of(workload, seed))
    assert not tasks.equals(tasks_of(workload, seed + 1))


def test_twice_the_utilisation_is_twice_the_rate() -> None:
    once, twice = (tasks_of(WorkloadSpec(utilisation=share))["arrival_ms"].to_numpy() for share in (0.2, 0.4))
    assert twice == pytest.approx(once / 2.0, rel=1e-5, abs=1.0)


def test_arrivals_change_when_and_who_and_not_what_is_asked() -> None:
    columns = ("split", "stage_types", "stage_tokens", "task_id")
    poisson, *others = (tasks_of(WorkloadSpec(arrivals=name)) for name in ("poisson", "bursty", "on-off", "diurnal"))
    for other in others:
        assert other.select(columns).equals(poisson.select(columns))
        assert sorted(other["user_id"]) == sorted(poisson["user_id"])


def test_tokens_come_from_the_file_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n0,m,1,2,123,API log\n")
    stages = tasks_of(WorkloadSpec(tokens=str(path))).select(pl.col("stage_types", "stage_tokens").explode())
    text = stages.filter(pl.col("stage_types") == "text")["stage_tokens"]
    assert text.unique().to_list() == [123]
    assert stages.filter(pl.col("stage_types") != "text")["stage_tokens"].n_unique() > 100


def test_a_file_of_tokens_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgeBenchError, match="no such file of token lengths"):
        tasks_of(WorkloadSpec(tokens=str(tmp_path / "nowhere.csv")))
