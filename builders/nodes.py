"""Sites -> nodes: where the edge servers stand, which sites they serve and how strong they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from builders.geo import MICRO, micro_degrees, sphere_km
from builders.node_methods import NODE_METHODS, SAME_KM
from edgebench.errors import EdgeBenchError
from edgebench.sim.counter import uniforms
from edgebench.spec import Range, RegionSpec

COMPUTE_STREAM: Final = 101
STORAGE_STREAM: Final = 102
PRICE_STREAM: Final = 103

DEMAND_TILE: Final = 50_000
"""Side of the tile in which sites are counted as demand, in micro-degrees (0.05 degrees)."""
DEMAND_WEIGHT: Final = 0.5
"""How much of a node's compute follows the demand it serves; the rest is chance."""
PRICE_RANGE: Final = (0.8, 1.2)
"""Price of a node over the catalogue price, least and most; EdgeBench's choice."""


def choose_nodes(sites: pl.DataFrame, spec: RegionSpec, seed: int) -> tuple[pl.DataFrame, NDArray[np.int32]]:
    """Place `spec.nodes` edge servers on sites by the method of `spec`, and furnish them.

    Args:
        sites: Table of `builders.sites.find_sites`.
        spec: How many nodes, `nodes_by` (`builders.node_methods`), and the ranges of their compute and storage.
        seed: Seed of the hashed draws.

    Returns:
        The nodes (columns of `edgebench.schema.NODES`, the place of most demand first) and, for each site,
        the node_id nearest to it (int32[S]).

    Raises:
        EdgeBenchError: Fewer sites than nodes, or ranges whose mean cannot be met.
    """
    if sites.height < spec.nodes:
        raise EdgeBenchError(
            f"{sites.height} sites are too few for {spec.nodes} nodes",
            where=f"region {spec.name}",
            mend="give more cells, a larger bounding box, or ask for fewer nodes",
        )
    ranked = sites[_rank_by_demand(sites)]
    chosen = ranked[NODE_METHODS[spec.nodes_by](ranked, spec.nodes, seed)]
    home = nearest_node(sites, chosen)
    return _furnish(_served(sites, chosen, home), spec, seed), home


def nearest_node(sites: pl.DataFrame, nodes: pl.DataFrame) -> NDArray[np.int32]:
    """For each site the row of the nearest node (int32[S]); both tables have lat and lon in degrees."""
    tree = cKDTree(sphere_km(nodes["lat"].to_numpy(), nodes["lon"].to_numpy()))
    points = sphere_km(sites["lat"].to_numpy(), sites["lon"].to_numpy())
    if nodes.height == 1:
        return np.zeros(sites.height, np.int32)
    found = tree.query(points, k=2)
    distance, row = np.asarray(found[0], np.float64), np.asarray(found[1], np.int32)
    tied = distance[:, 1] - distance[:, 0] < SAME_KM
    return np.where(tied, row.min(axis=1), row[:, 0]).astype(np.int32)


def _rank_by_demand(sites: pl.DataFrame) -> NDArray[np.int64]:
    """Rows of `sites`, most demand first: sites in the tile, the site's own cells, then position."""
    lat, lon = micro_degrees(sites["lat"].to_numpy()), micro_degrees(sites["lon"].to_numpy())
    tiles = np.stack([lat // DEMAND_TILE, lon // DEMAND_TILE], axis=1)
    _, tile, count = np.unique(tiles, axis=0, return_inverse=True, return_counts=True)
    demand = count[tile.reshape(-1)]
    return np.asarray(np.lexsort((lon, lat, -sites["cells"].to_numpy(), -demand)), np.int64)


def _served(sites: pl.DataFrame, chosen: pl.DataFrame, home: NDArray[np.int32]) -> pl.DataFrame:
    """What each node serves: its sites, their cells and the shares of the radios."""
    served = (
        sites.with_columns(pl.Series("node_id", home))
        .group_by("node_id")
        .agg(pl.len().cast(pl.Int32).alias("sites"), pl.col("cells", "gsm", "umts", "lte", "nr").sum())
    )
    shares = [_share(radio) for radio in ("gsm", "umts", "lte", "nr")]
    places = chosen.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("node_id"), "lat", "lon")
    return places.join(served, on="node_id", how="left").sort("node_id").with_columns(shares)


def _share(radio: str) -> pl.Expr:
    """Cells of `radio` over all cells, to six decimals; rounded in integers, for libraries differ in the last half."""
    part, cells = pl.col(radio).cast(pl.Int64), pl.col("cells").cast(pl.Int64)
    return ((2 * MICRO * part + cells) // (2 * cells) / MICRO).alias(radio)


def _furnish(nodes: pl.DataFrame, spec: RegionSpec, seed: int) -> pl.DataFrame:
    count = nodes.height
    demand = np.argsort(np.argsort(nodes["sites"].to_numpy(), kind="stable"), kind="stable") / max(count - 1, 1)
    wish = DEMAND_WEIGHT * demand + (1.0 - DEMAND_WEIGHT) * uniforms(seed, COMPUTE_STREAM, count)
    low, high = PRICE_RANGE
    price = np.round(low + (high - low) * uniforms(seed, PRICE_STREAM, count), 3)
    return nodes.select(
        "node_id",
        "lat",
        "lon",
        pl.Series("compute", spread_integers(wish, spec.compute)),
        pl.Series("storage_gb", spread_integers(uniforms(seed, STORAGE_STREAM, count), spec.storage_gb)),
        pl.Series("price", price),
        *("sites", "cells", "gsm", "umts", "lte", "nr"),
    )


def spread_integers(wish: NDArray[np.float64], target: Range) -> NDArray[np.int32]:
    """Integers in the order of `wish` that reach both ends of `target` and sum to its mean times their number.

    The k-th smallest of n is min + (max - min) * (k / (n - 1)) ** p with p chosen for the mean (the integral of
    x ** p is 1 / (p + 1)), rounded; what rounding leaves over goes to the middle ones, a unit each.

    Raises:
        EdgeBenchError: No such integers exist.
    """
    count = len(wish)
    span, rise = target.max - target.min, target.mean - target.min
    if count < 3 or not 0.0 < rise < span:
        raise _unreachable(count, target)
    steps = np.linspace(0.0, 1.0, count) ** (span / rise - 1.0)
    values = target.min + np.rint(np.round(span * steps, 6)).astype(np.int64)
    _settle(values, round(target.mean * count) - int(values.sum()), target)
    if abs(values.mean() - target.mean) > 0.01 * target.mean:
        raise _unreachable(count, target)
    spread = np.empty(count, np.int32)
    spread[np.argsort(np.round(wish, 9), kind="stable")] = values
    return spread


def _settle(values: NDArray[np.int64], surplus: int, target: Range) -> None:
    """Spread `surplus` over all but the first and last of ascending `values`, from the middle outwards, in place."""
    inner = np.arange(1, len(values) - 1)
    middle_first = inner[np.argsort(np.abs(2 * inner - len(values) + 1), kind="stable")]
    step = 1 if surplus > 0 else -1
    while surplus:
        movable = [k for k in middle_first if target.min <= values[k] + step <= target.max][: abs(surplus)]
        if not movable:
            return
        values[movable] += step
        surplus -= step * len(movable)
    values.sort()


def _unreachable(count: int, target: Range) -> EdgeBenchError:
    return EdgeBenchError(
        f"no {count} integers reach {target.min} and {target.max} with mean {target.mean}",
        mend="give the range a mean between its ends, and the region at least three nodes",
    )
