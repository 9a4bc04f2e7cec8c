"""What the instances of a region claim to be, each claim with whether it holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from builders.catalogue import make_catalogue, models_of
from builders.placement import copies, tiles
from edgebench.spec import RegionSpec

Claims = Iterator[tuple[str, bool]]


def instance_claims(instances: pl.DataFrame, nodes: pl.DataFrame, spec: RegionSpec) -> Claims:
    """The claims of the table of instances: the models of the catalogue, placed by `spec.placement` where they fit."""
    placed = instances.join(nodes.select("node_id", "storage_gb"), on="node_id")
    yield "instance_id counts from 0", instances["instance_id"].to_list() == list(range(instances.height))
    yield "instances lie on nodes", placed.height == instances.height
    yield "every model fits its node", bool((placed["memory_gb"] <= placed["storage_gb"]).all())
    yield "no node holds a model twice", not instances.select("node_id", "model_id").is_duplicated().any()
    yield "quality is between 0 and 1", bool(instances["quality"].is_between(0.0, 1.0).all())
    counts = models_of(spec.workload.experts)
    yield f"model types are {', '.join(counts)}", set(instances["model_type"]) == set(counts)
    for model_type, count in counts.items():
        mine = instances.filter(pl.col("model_type") == model_type)
        yield f"{count} {model_type} models", mine["model_id"].n_unique() == count
        yield f"{model_type} is on two nodes or more", mine["node_id"].n_unique() > 1
    yield from _placement_claims(instances, nodes, spec)


def _placement_claims(instances: pl.DataFrame, nodes: pl.DataFrame, spec: RegionSpec) -> Claims:
    catalogue = make_catalogue(spec.workload.experts)
    found = dict(instances["model_id"].value_counts().iter_rows())
    count = np.array([found.get(model, 0) for model in catalogue["model_id"]])
    if spec.placement == "random":
        yield "every model is placed once", bool((count == 1).all())
    elif spec.placement == "tiled":
        yield f"every model is placed {tiles(nodes.height)} times", bool((count == tiles(nodes.height)).all())
    elif spec.placement == "popularity":
        expected = copies(catalogue, nodes["storage_gb"].to_numpy())
        yield "every model has the instances of its rank", bool((count == expected).all())
    else:
        types = instances.group_by("node_id").agg(pl.col("model_type").n_unique())
        yield "every node hosts one type", types.height == nodes.height and bool((types["model_type"] == 1).all())
