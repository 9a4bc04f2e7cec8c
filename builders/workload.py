"""Sites + instances -> tasks: who asks, for what, and when."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from builders.nodes import nearest_node
from builders.streams import Stream, grid
from edgebench.constants import (
    DEADLINE_MS,
    FIRST_TYPE,
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
from edgebench.schema import SPLITS, TASKS
from edgebench.spec import RegionSpec

SITE_SHARES: Final = {"train": 0.6, "val": 0.2, "test": 0.2}
"""Share of the sites whose users a split holds."""
HOME_RADIUS_KM: Final = 0.3
"""Users are spread evenly over a disc of this radius around their site, about an urban cell's range."""
KM_PER_DEGREE: Final = 111.195
"""A degree of latitude on the sphere of `builders.geo`."""

_SPLIT_CODES: Final = range(len(SPLITS))


def make_tasks(
    nodes: pl.DataFrame, sites: pl.DataFrame, instances: pl.DataFrame, spec: RegionSpec, seed: int
) -> pl.DataFrame:
    """Draw the users of each split, their workflows and their moments.

    Args:
        nodes: Table of `builders.nodes.choose_nodes`.
        sites: Table of `builders.sites.find_sites`, in the order of site_id.
        instances: Table of `builders.placement.place_models`; sets the rate of arrival.
        spec: Its `workload` says who asks for what and when.
        seed: Seed of the hashed draws; give each region its own (`builders.streams.region_seed`).

    Returns:
        The columns of `edgebench.schema.TASKS`, split by split in order of arrival.

    Raises:
        EdgeBenchError: Too few sites to give each split its own.
    """
    counts = [SPLIT_TASKS[split] for split in SPLITS]
    workflows = draw_workflows(sum(counts), seed)
    users = make_users(nodes, sites, seed)
    moments = draw_arrivals(max(counts), rate_per_s(workflows, nodes, instances), seed)
    when = pl.DataFrame(
        {
            "user_id": np.concatenate([_owners(code, seed) for code in _SPLIT_CODES]),
            "arrival_ms": np.concatenate([moments[code, :count] for code, count in enumerate(counts)]),
        }
    )
    tasks = pl.concat((when, workflows), how="horizontal").join(users, on="user_id", maintain_order="left")
    return tasks.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("task_id"), pl.lit(DEADLINE_MS, pl.Float64).alias("deadline_ms")
    ).select(TASKS.names)


def split_sites(sites: int, seed: int) -> dict[str, NDArray[np.int64]]:
    """Divide site_id 0 … sites-1 by hash among the splits in `SITE_SHARES`; each site is in exactly one.

    Raises:
        EdgeBenchError: A split would be left without a site.
    """
    shuffled = np.argsort(grid(seed, Stream.SITE_SPLIT, sites, 1)[:, 0], kind="stable").astype(np.int64)
    ends = np.rint(np.cumsum([SITE_SHARES[split] for split in SPLITS]) * sites).astype(np.int64)
    parts = np.split(shuffled, ends[:-1])
    if min(len(part) for part in parts) == 0:
        raise EdgeBenchError(
            f"{sites} sites are too few to give the users of each split sites of their own",
            mend="give more cells or a larger bounding box",
        )
    return {split: np.sort(part) for split, part in zip(SPLITS, parts, strict=True)}


def make_users(nodes: pl.DataFrame, sites: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Users near the sites of their split, drawn in proportion to the sites' cells; each has fixed weights.

    Returns:
        user_id (0 … over all splits), split, lat, lon (degrees, six decimals), node_id (the nearest node),
        quality_weight and speed_weight (three decimals, sum 1).
    """
    counts = [SPLIT_USERS[split] for split in SPLITS]
    homes = _home_sites(sites["cells"].to_numpy(), counts, seed)
    lat, lon = _around(sites["lat"].to_numpy()[homes], sites["lon"].to_numpy()[homes], seed)
    quality = np.round(_quality_weights(grid(seed, Stream.WEIGHTS, len(homes), 1)[:, 0]), 3)
    places = pl.DataFrame({"lat": lat, "lon": lon})
    return places.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("user_id"),
        pl.Series("split", np.repeat(SPLITS, counts)),
        pl.Series("node_id", nearest_node(places, nodes)),
        pl.Series("quality_weight", quality),
        pl.Series("speed_weight", np.round(1.0 - quality, 3)),
    )


def _quality_weights(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of quality from uniform draws: the lower half of the draws is in a hurry, the upper particular."""
    kind = (draws >= 0.5).astype(np.int64)
    least, most = np.array(QUALITY_WEIGHTS).T
    return np.asarray(least[kind] + (most - least)[kind] * (2.0 * draws - kind))


def _home_sites(cells: NDArray[np.int32], counts: list[int], seed: int) -> NDArray[np.int64]:
    parts = split_sites(len(cells), seed)
    draws = np.split(grid(seed, Stream.HOME_SITE, sum(counts), 1)[:, 0], np.cumsum(counts)[:-1])
    homes = []
    for split, drawn in zip(SPLITS, draws, strict=True):
        reached = np.cumsum(np.maximum(cells[parts[split]].astype(np.int64), 1))
        homes.append(parts[split][np.searchsorted(reached, drawn * reached[-1], side="right")])
    return np.concatenate(homes)


def _around(
    lat: NDArray[np.float64], lon: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    draws = grid(seed, Stream.HOME_OFFSET, len(lat), 2)
    radius = HOME_RADIUS_KM * np.sqrt(draws[:, 0]) / KM_PER_DEGREE
    angle = 2.0 * np.pi * draws[:, 1]
    north = lat + radius * np.sin(angle)
    east = lon + radius * np.cos(angle) / np.cos(np.radians(lat))
    return np.round(north, 6), np.round(east, 6)


def _owners(code: int, seed: int) -> NDArray[np.int32]:
    """The user of each task of a split: all users in turn, in shuffled order."""
    split = SPLITS[code]
    first_user = sum(SPLIT_USERS[earlier] for earlier in SPLITS[:code])
    draws = grid(seed, Stream.OWNER, len(SPLITS), max(SPLIT_TASKS.values()))[code, : SPLIT_TASKS[split]]
    return (first_user + np.argsort(draws, kind="stable") % SPLIT_USERS[split]).astype(np.int32)


def draw_workflows(count: int, seed: int) -> pl.DataFrame:
    """`count` chains of `STAGES_PER_TASK` stages: types from a Markov chain, tokens log-normal.

    Returns:
        stage_types, stage_parents (each stage needs the one before), stage_tokens, prompt_mb and stage_output_mb.
    """
    types = _chain_types(grid(seed, Stream.STAGE_TYPE, count, STAGES_PER_TASK))
    tokens = _tokens(types, grid(seed, Stream.STAGE_TOKENS, count, STAGES_PER_TASK))
    parents = (1 << np.arange(STAGES_PER_TASK)) >> 1
    return pl.DataFrame(
        {
            "stage_types": np.array(MODEL_TYPES)[types].tolist(),
            "stage_parents": [parents.tolist()] * count,
            "stage_tokens": tokens.tolist(),
            "prompt_mb": np.full(count, PROMPT_MB),
            "stage_output_mb": np.array(PAYLOAD_MB)[types].tolist(),
        },
        schema_overrides={"stage_tokens": pl.List(pl.Int32), "stage_parents": pl.List(pl.Int32)},
    )


def _chain_types(draws: NDArray[np.float64]) -> NDArray[np.int64]:
    first, following = _cumulative(np.array(FIRST_TYPE)), _cumulative(np.array(NEXT_TYPE))
    types = np.empty(draws.shape, np.int64)
    types[:, 0] = (draws[:, :1] >= first).sum(axis=1)
    for stage in range(1, draws.shape[1]):
        types[:, stage] = (draws[:, stage, None] >= following[types[:, stage - 1]]).sum(axis=1)
    return types


def _cumulative(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative chances along the last axis, ending in exactly 1 so that every draw finds a type."""
    reached = np.cumsum(chances, axis=-1)
    return np.asarray(reached / reached[..., -1:])


def _tokens(types: NDArray[np.int64], draws: NDArray[np.float64]) -> NDArray[np.int64]:
    median, sigma, least, most = (column[types] for column in np.array(TOKENS).T)
    drawn = np.clip(median * np.exp(sigma * ndtri(draws)), least, most)
    return np.asarray(np.rint(drawn), np.int64)


def rate_per_s(workflows: pl.DataFrame, nodes: pl.DataFrame, instances: pl.DataFrame) -> float:
    """Tasks a second that keep the scarcest model type, or all nodes together, busy for `TARGET_UTILISATION`.

    A type's capacity in stages a second is the sum, over the nodes that host it, of one over the mean service time
    there of its instances; over the type's stages per task it is the most tasks a second. All types share the nodes,
    so no more than (nodes in use / mean service time of a whole task) are possible either. Loading, queueing
    and the network are left out.

    Args:
        workflows: Columns stage_types and stage_tokens, of `draw_workflows` or of a task table.
        nodes: Columns node_id and compute.
        instances: Columns node_id, model_type and work.
    """
    demand = _demand(workflows)
    hosts = _host_seconds(nodes, instances).join(demand, on="model_type")
    hosts = hosts.with_columns(seconds=pl.col("seconds_per_token") * pl.col("tokens")).sort("model_type", "node_id")
    by_type = hosts.group_by("model_type", maintain_order=True).agg(
        capacity=(1.0 / pl.col("seconds")).sum() / pl.col("stages").first(),
        seconds_per_task=pl.col("seconds").mean() * pl.col("stages").first(),
    )
    shared = hosts["node_id"].n_unique() / float(by_type["seconds_per_task"].sum())
    return round(TARGET_UTILISATION * min(float(by_type["capacity"].to_numpy().min()), shared), 6)


def _demand(workflows: pl.DataFrame) -> pl.DataFrame:
    """Per type: mean stages a task and mean tokens a stage."""
    stages = workflows.select("stage_types", "stage_tokens").explode("stage_types", "stage_tokens")
    return stages.group_by(model_type="stage_types").agg(
        stages=pl.len() / workflows.height, tokens=pl.col("stage_tokens").mean()
    )


def _host_seconds(nodes: pl.DataFrame, instances: pl.DataFrame) -> pl.DataFrame:
    """Per type and hosting node: mean seconds a token of the node's instances of the type."""
    work = instances.group_by("model_type", "node_id").agg(pl.col("work").mean())
    speed = pl.col("compute") * TOKENS_PER_S_PER_COMPUTE
    return work.join(nodes, on="node_id").select("model_type", "node_id", seconds_per_token=pl.col("work") / speed)


def draw_arrivals(count: int, rate: float, seed: int) -> NDArray[np.float64]:
    """Poisson arrivals of each split at `rate` a second: float64[splits, count] in ms from its start, strictly rising.

    Gaps are whole microseconds, one at least.
    """
    gaps_us = np.rint(-np.log1p(-grid(seed, Stream.ARRIVAL, len(SPLITS), count)) / rate * 1e6)
    return np.cumsum(np.maximum(gaps_us, 1.0), axis=1) / 1000.0
