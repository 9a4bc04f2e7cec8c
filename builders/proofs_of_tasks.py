"""What the tasks of a region claim to be, each claim with whether it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from builders.catalogue import expert_types, kind_code
from builders.workflows import shapes_of
from builders.workload import rate_per_s
from edgebench.constants import MAX_STAGES, PAYLOAD_MB, SPLIT_TASKS, SPLIT_USERS, TOKENS
from edgebench.schema import SPLITS
from edgebench.spec import RegionSpec

Claims = Iterator[tuple[str, bool]]
RATE_SIGMAS: Final = 5.0
"""A split's mean rate is met within this many standard errors, 1/√tasks of it (Poisson arrivals err most)."""


def task_claims(tables: dict[str, pl.DataFrame], spec: RegionSpec) -> Claims:
    """The claims of the table of tasks: users of their own in each split, workflows as stated, arrivals at the rate."""
    tasks = tables["tasks"]
    yield "task_id counts from 0", tasks["task_id"].to_list() == list(range(tasks.height))
    yield "users are at nodes", bool(tasks["node_id"].is_between(0, spec.nodes - 1).all())
    weights = (tasks["quality_weight"] + tasks["speed_weight"] - 1.0).abs()
    yield "a user's weights sum to 1", bool((weights < 1e-9).all())
    yield "no user is in two splits", _in_one_split(tasks, "user_id")
    yield "no place is in two splits", _in_one_split(tasks.with_columns(place=pl.struct("lat", "lon")), "place")
    yield from _workflow_claims(tasks, spec)
    for split in SPLITS:
        part = tasks.filter(pl.col("split") == split)
        yield f"{SPLIT_TASKS[split]} tasks in {split}", part.height == SPLIT_TASKS[split]
        yield f"{SPLIT_USERS[split]} users in {split}", part["user_id"].n_unique() == SPLIT_USERS[split]
        yield f"arrivals rise in {split}", bool((part["arrival_ms"].diff().drop_nulls() > 0).all())
    is_placed = set(tasks["stage_types"].explode()) <= set(tables["instances"]["model_type"])
    yield "every stage has a type that is placed", is_placed
    if is_placed:
        yield from _rate_claims(tables, spec)


def _in_one_split(tasks: pl.DataFrame, column: str) -> bool:
    return bool((tasks.group_by(column).agg(pl.col("split").n_unique())["split"] == 1).all())


def _rate_claims(tables: dict[str, pl.DataFrame], spec: RegionSpec) -> Claims:
    rate = rate_per_s(tables["tasks"], tables["nodes"], tables["instances"], spec.workload.utilisation)
    for split in SPLITS:
        part = tables["tasks"].filter(pl.col("split") == split)
        yield f"{rate:.3g} tasks a second in {split}", _meets_rate(part["arrival_ms"].to_list(), rate)


def _meets_rate(arrival_ms: list[float], rate: float) -> bool:
    count = len(arrival_ms)
    return count > 0 and abs(arrival_ms[-1] / 1000.0 * rate / count - 1.0) <= RATE_SIGMAS / math.sqrt(count)


def _workflow_claims(tasks: pl.DataFrame, spec: RegionSpec) -> Claims:
    parents = [tuple(row) for row in tasks["stage_parents"].to_list()]
    yield f"workflows have 1 to {MAX_STAGES} stages", all(1 <= len(row) <= MAX_STAGES for row in parents)
    yield "stages stand behind their parents", all(_is_acyclic(row) for row in parents)
    yield f"workflows have the shape {spec.workload.workflow}", set(parents) <= set(shapes_of(spec.workload.workflow))
    columns = ("stage_types", "stage_parents", "stage_tokens", "stage_output_mb")
    lengths = tasks.select(pl.col(columns).list.len()).to_numpy()
    in_step = bool((lengths == lengths[:, :1]).all())
    yield "workflows have the same stages in every column", in_step
    is_known = set(tasks["stage_types"].explode()) <= set(expert_types(spec.workload.experts))
    yield "stages are of the experts' types", is_known
    if in_step and is_known:
        yield from _stage_claims(tasks.select(pl.col(columns).explode()))


def _stage_claims(stages: pl.DataFrame) -> Claims:
    kinds = np.array([kind_code(model_type) for model_type in stages["stage_types"]])
    _, _, least, most = np.array(TOKENS)[kinds].T
    tokens, output = stages["stage_tokens"].to_numpy(), stages["stage_output_mb"].to_numpy()
    yield "tokens are between their kind's least and most", bool(((tokens >= least) & (tokens <= most)).all())
    yield "stages yield what their kind yields", bool((output == np.array(PAYLOAD_MB)[kinds]).all())


def _is_acyclic(parents: tuple[int, ...]) -> bool:
    """Whether every stage needs earlier stages alone."""
    return all(0 <= needs < 1 << stage for stage, needs in enumerate(parents))
