"""Sites + instances -> tasks: who asks, for what, and when."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from builders.arrivals import draw_arrivals
from builders.burstgpt import read_trace
from builders.users import make_users, owners_of
from builders.workflows import draw_workflows
from edgebench.constants import DEADLINE_MS, SPLIT_TASKS, TARGET_UTILISATION, TOKENS_PER_S_PER_COMPUTE
from edgebench.schema import TASKS
from edgebench.spec import RegionSpec


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
        EdgeBenchError: Too few sites to give each split its own, or the file of token lengths is not one.
    """
    workload = spec.workload
    lengths = None if workload.tokens is None else read_trace(Path(workload.tokens)).lengths
    workflows = draw_workflows(sum(SPLIT_TASKS.values()), workload, seed, lengths)
    users = make_users(nodes, sites, seed)
    rate = rate_per_s(workflows, nodes, instances, workload.utilisation)
    when = draw_arrivals(owners_of(seed), users["lon"].to_numpy(), workload.arrivals, rate, seed)
    tasks = pl.concat((when, workflows), how="horizontal").join(users, on="user_id", maintain_order="left")
    return tasks.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("task_id"), pl.lit(DEADLINE_MS, pl.Float64).alias("deadline_ms")
    ).select(TASKS.names)


def rate_per_s(
    workflows: pl.DataFrame, nodes: pl.DataFrame, instances: pl.DataFrame, utilisation: float = TARGET_UTILISATION
) -> float:
    """Tasks a second that keep the scarcest model type, or all nodes together, busy for `utilisation`.

    A type's capacity in stages a second is the sum, over the nodes that host it, of one over the mean service time
    there of its instances; over the type's stages per task it is the most tasks a second. All types share the nodes,
    so no more than (nodes in use / mean service time of a whole task) are possible either. Loading, queueing
    and the network are left out.

    Args:
        workflows: Columns stage_types and stage_tokens, of `draw_workflows` or of a task table.
        nodes: Columns node_id and compute.
        instances: Columns node_id, model_type and work.
        utilisation: Offered load over capacity.
    """
    demand = _demand(workflows)
    hosts = _host_seconds(nodes, instances).join(demand, on="model_type")
    hosts = hosts.with_columns(seconds=pl.col("seconds_per_token") * pl.col("tokens")).sort("model_type", "node_id")
    by_type = hosts.group_by("model_type", maintain_order=True).agg(
        capacity=(1.0 / pl.col("seconds")).sum() / pl.col("stages").first(),
        seconds_per_task=pl.col("seconds").mean() * pl.col("stages").first(),
    )
    shared = hosts["node_id"].n_unique() / float(by_type["seconds_per_task"].sum())
    return round(utilisation * min(float(by_type["capacity"].to_numpy().min()), shared), 6)


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
