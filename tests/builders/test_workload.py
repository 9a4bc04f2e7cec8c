from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import scattered_nodes, spec_of

from builders.catalogue import make_catalogue
from builders.feasibility import prove_feasible, quickest_ms, set_deadlines
from builders.geo import haversine_km
from builders.links import build_links, paths_over
from builders.placement import place_models
from builders.streams import region_seed
from builders.workload import (
    HOME_RADIUS_KM,
    draw_arrivals,
    draw_workflows,
    make_tasks,
    make_users,
    rate_per_s,
    split_sites,
)
from edgebench.constants import (
    DEADLINE_MS,
    DEADLINE_SLACK,
    FAIL_FACTOR,
    FIRST_TYPE,
    LOAD_GB_PER_S,
    MODEL_TYPES,
    NEXT_TYPE,
    PAYLOAD_MB,
    PROMPT_MB,
    QUALITY_WEIGHTS,
    SPLIT_TASKS,
    SPLIT_USERS,
    STAGES_PER_TASK,
    TARGET_UTILISATION,
    TOKENS,
    TOKENS_PER_S_PER_COMPUTE,
)
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS
from edgebench.schema import SPLITS, TASKS

NODES = scattered_nodes(25)
SITES = scattered_nodes(400, seed=9).select(
    site_id="node_id", lat="lat", lon="lon", cells=(pl.col("node_id") % 40).cast(pl.Int32)
)
INSTANCES = place_models(make_catalogue(), NODES, REGIONS["s1"], 3)
LINKS = build_links(NODES, spec_of(25), 3)
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


def test_workflows_follow_the_chain() -> None:
    types = np.array(draw_workflows(4000, 1)["stage_types"].to_list())
    assert types.shape == (4000, STAGES_PER_TASK)
    first = [(types[:, 0] == kind).mean() for kind in MODEL_TYPES]
    assert first == pytest.approx(list(FIRST_TYPE), abs=0.03)
    before, after = types[:, :-1].ravel(), types[:, 1:].ravel()
    for kind, chances in zip(MODEL_TYPES, NEXT_TYPE, strict=True):
        shares = [(after[before == kind] == following).mean() for following in MODEL_TYPES]
        assert shares == pytest.approx(list(chances), abs=0.03)
        assert [share == 0 for share in shares] == [chance == 0 for chance in chances]


def test_tokens_follow_their_law() -> None:
    stages = draw_workflows(4000, 1).select("stage_types", "stage_tokens").explode("stage_types", "stage_tokens")
    for kind, (median, sigma, least, most) in zip(MODEL_TYPES, TOKENS, strict=True):
        tokens = stages.filter(pl.col("stage_types") == kind)["stage_tokens"]
        assert tokens.is_between(least, most).all()
        assert tokens.median() == pytest.approx(median, rel=0.05)
        inner = np.log(tokens.quantile(0.84) / tokens.quantile(0.16)) / 2
        assert inner == pytest.approx(sigma, rel=0.1)


def test_each_stage_needs_the_one_before_and_yields_what_its_kind_yields() -> None:
    yields = dict(zip(MODEL_TYPES, PAYLOAD_MB, strict=True))
    for row in draw_workflows(200, 2).iter_rows(named=True):
        assert row["stage_output_mb"] == [yields[kind] for kind in row["stage_types"]]
        assert row["stage_parents"] == [0, 1, 2, 4, 8]
        assert row["prompt_mb"] == PROMPT_MB


def test_arrivals_are_poisson_at_the_rate() -> None:
    gaps_s = np.diff(draw_arrivals(5000, 1.4, 8), axis=1) / 1000.0
    assert gaps_s.mean() == pytest.approx(1 / 1.4, rel=0.03)
    assert gaps_s.std() == pytest.approx(1 / 1.4, rel=0.05)


def test_even_a_flood_of_arrivals_rises_strictly() -> None:
    assert (np.diff(draw_arrivals(1000, 1e9, 8), axis=1) > 0).all()


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


def test_regions_and_seeds_have_words_of_their_own() -> None:
    drawn = [
        set(
            draw_workflows(1400, region_seed(region, seed))
            .select(pl.struct("stage_types", "stage_tokens").hash())
            .to_series()
        )
        for region, seed in (("s1", 0), ("s2", 0), ("s3", 0), ("s1", 1))
    ]
    assert all(not one & other for index, one in enumerate(drawn) for other in drawn[:index])


def test_drawing_twice_gives_the_same_tasks() -> None:
    assert TASKS_DRAWN.equals(make_tasks(NODES, SITES, INSTANCES, REGIONS["s1"], 3))
    assert not TASKS_DRAWN.equals(make_tasks(NODES, SITES, INSTANCES, REGIONS["s1"], 4))


@pytest.mark.parametrize("cold", [True, False])
def test_the_quickest_plan_is_the_best_of_all_plans(cold: bool) -> None:
    few = INSTANCES.filter(pl.col("instance_id") % 20 == 0).extend(INSTANCES.tail(2))
    tasks = TASKS_DRAWN.head(12)
    assert quickest_ms(tasks, NODES, LINKS, few, cold=cold) == pytest.approx(
        [quickest_by_recursion(task, few, cold) for task in tasks.iter_rows(named=True)]
    )


def quickest_by_recursion(task: dict, instances: pl.DataFrame, cold: bool) -> float:
    paths = paths_over(LINKS, NODES.height)

    def move(start: int, end: int, megabytes: float) -> float:
        return paths.delay_ms[start, end] + megabytes * paths.ms_per_mb[start, end]

    def from_stage(stage: int, node: int) -> float:
        if stage == STAGES_PER_TASK:
            return move(node, task["node_id"], task["stage_output_mb"][-1])
        plans = []
        payload = [task["prompt_mb"], *task["stage_output_mb"]]
        for instance in instances.filter(pl.col("model_type") == task["stage_types"][stage]).iter_rows(named=True):
            home = instance["node_id"]
            loading = instance["memory_gb"] / LOAD_GB_PER_S * 1000.0 if cold else 0.0
            speed = TOKENS_PER_S_PER_COMPUTE * NODES["compute"][home]
            service = task["stage_tokens"][stage] * instance["work"] / speed * 1000.0
            plans.append(move(node, home, payload[stage]) + loading + service + known(stage + 1, home))
        return min(plans)

    memory: dict[tuple[int, int], float] = {}

    def known(stage: int, node: int) -> float:
        if (stage, node) not in memory:
            memory[stage, node] = from_stage(stage, node)
        return memory[stage, node]

    return known(0, task["node_id"])


def test_feasibility_is_told_as_a_share_of_the_deadline() -> None:
    tasks = set_deadlines(TASKS_DRAWN, NODES, LINKS, INSTANCES)
    told = prove_feasible(tasks, NODES, LINKS, INSTANCES)
    quickest = quickest_ms(tasks, NODES, LINKS, INSTANCES, cold=False) / tasks["deadline_ms"].to_numpy()
    assert told["resident"]["max"] == pytest.approx(quickest.max(), abs=1e-4)
    assert told["resident"]["median"] == pytest.approx(np.median(quickest), abs=1e-4)
    assert all(told["cold"][name] > told["resident"][name] for name in ("min", "median", "max"))


def test_deadlines_leave_slack_and_are_no_longer_than_need_be() -> None:
    deadline = set_deadlines(TASKS_DRAWN, NODES, LINKS, INSTANCES)["deadline_ms"].to_numpy()
    resident = quickest_ms(TASKS_DRAWN, NODES, LINKS, INSTANCES, cold=False)
    cold = quickest_ms(TASKS_DRAWN, NODES, LINKS, INSTANCES, cold=True)
    needed = np.maximum(DEADLINE_SLACK * resident, DEADLINE_SLACK * cold / FAIL_FACTOR)
    assert (deadline >= np.maximum(DEADLINE_MS, needed)).all()
    assert (deadline < np.maximum(DEADLINE_MS, needed) + 100.0).all()
    assert (deadline > DEADLINE_MS).any() and (deadline == DEADLINE_MS).any()


def test_a_plan_too_slow_from_cold_models_is_named() -> None:
    cold = quickest_ms(TASKS_DRAWN, NODES, LINKS, INSTANCES, cold=True)
    resident = quickest_ms(TASKS_DRAWN, NODES, LINKS, INSTANCES, cold=False)
    slowest = int(np.argmax(cold - FAIL_FACTOR * resident))
    deadline = np.where(np.arange(len(cold)) == slowest, cold / (FAIL_FACTOR + 0.1), 1e9)
    tasks = TASKS_DRAWN.with_columns(deadline_ms=pl.Series(deadline))
    with pytest.raises(EdgeBenchError, match=f"task {slowest} cannot be done in time: .* with cold models"):
        prove_feasible(tasks, NODES, LINKS, INSTANCES)


def test_a_task_that_cannot_be_done_in_time_is_named() -> None:
    hurried = TASKS_DRAWN.with_columns(deadline_ms=pl.when(pl.col("task_id") == 77).then(1.0).otherwise(1e9))
    with pytest.raises(EdgeBenchError, match="task 77 cannot be done in time"):
        prove_feasible(hurried, NODES, LINKS, INSTANCES)
