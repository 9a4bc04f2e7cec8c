"""Catalogue + nodes -> instances: which node holds which model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.single_type import deal_types
from builders.streams import Stream
from edgebench.constants import POPULAR_COPIES, TILE_NODES
from edgebench.errors import EdgeBenchError
from edgebench.schema import INSTANCES
from edgebench.sim.counter import uniform
from edgebench.spec import PlacementMethod, RegionSpec

Rows = NDArray[np.int64]
"""Rows of the catalogue, or node ids."""


def place_models(catalogue: pl.DataFrame, nodes: pl.DataFrame, spec: RegionSpec, seed: int) -> pl.DataFrame:
    """Place the models on nodes whose storage holds them, every type on two nodes at least.

    `random`: each model once. `tiled`: the catalogue once for every `TILE_NODES` nodes, on consecutive nodes.
    `popularity`: `POPULAR_COPIES` instances a model of the type on average; each has one, the rest go to the models in
    proportion to 1/rank by quality. `single-type`: every node hosts one type (`builders.single_type`).

    Args:
        catalogue: Table of `builders.catalogue.make_catalogue`.
        nodes: Table of `builders.nodes.choose_nodes`.
        spec: Its `placement` names the method.
        seed: Seed of the hashed draws.

    Returns:
        The columns of `edgebench.schema.INSTANCES`; a price is the model's times the node's.

    Raises:
        EdgeBenchError: Too few nodes can hold a model, or there are too few for the types.
    """
    rows, homes = _METHODS[spec.placement](catalogue, nodes["storage_gb"].to_numpy(), seed)
    placed = catalogue[rows]
    price = nodes["price"].to_numpy()[homes]
    return placed.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("instance_id"),
        pl.Series("price_usd_per_1k_tokens", _rounded_price(placed["price_usd_per_1k_tokens"].to_numpy(), price)),
        pl.Series("node_id", homes, pl.Int32),
    ).select(INSTANCES.names)


def _at_random(catalogue: pl.DataFrame, storage: NDArray[np.int32], seed: int) -> tuple[Rows, Rows]:
    rows = np.arange(catalogue.height)
    return rows, _scatter(catalogue, rows, np.arange(len(storage)), storage, seed, 0)


def _by_popularity(catalogue: pl.DataFrame, storage: NDArray[np.int32], seed: int) -> tuple[Rows, Rows]:
    rows = np.repeat(np.arange(catalogue.height), copies(catalogue, storage))
    return rows, _scatter(catalogue, rows, np.arange(len(storage)), storage, seed, 0)


def _in_tiles(catalogue: pl.DataFrame, storage: NDArray[np.int32], seed: int) -> tuple[Rows, Rows]:
    rows = np.arange(catalogue.height)
    blocks = np.array_split(np.arange(len(storage)), tiles(len(storage)))
    homes = [_scatter(catalogue, rows, block, storage, seed, tile * len(rows)) for tile, block in enumerate(blocks)]
    return np.tile(rows, len(blocks)), np.concatenate(homes)


_METHODS: Final[Mapping[PlacementMethod, Callable[..., tuple[Rows, Rows]]]] = {
    "random": _at_random,
    "popularity": _by_popularity,
    "tiled": _in_tiles,
    "single-type": deal_types,
}


def tiles(nodes: int) -> int:
    """How often tiled placement places the whole catalogue on so many nodes."""
    return max(1, nodes // TILE_NODES)


def copies(catalogue: pl.DataFrame, storage: NDArray[np.int32]) -> Rows:
    """Instances of each model by popularity (int64[models]), `POPULAR_COPIES` a model of its type in all.

    No model has more than there are nodes that hold it.
    """
    quality, kinds = catalogue["quality"].to_numpy(), catalogue["model_type"].to_numpy()
    most = (storage[None, :] >= catalogue["memory_gb"].to_numpy()[:, None]).sum(axis=1)
    counts = np.ones(catalogue.height, np.int64)
    for kind in catalogue["model_type"].unique(maintain_order=True):
        members = np.flatnonzero(kinds == kind)
        best_first = members[np.argsort(-quality[members], kind="stable")]
        counts[best_first] = _shared_out(POPULAR_COPIES * len(members), most[best_first])
    return counts


def _shared_out(total: int, most: Rows) -> Rows:
    """`total` in whole parts in proportion to 1/rank, one and no more than `most` each.

    After one each, every next goes where 1/rank over what is there is highest (the rule of D'Hondt).
    """
    parts = np.ones(len(most), np.int64)
    for _ in range(total - len(most)):
        claim = np.where(parts < most, 1.0 / (parts * (1.0 + np.arange(len(most)))), 0.0)
        parts[np.argmax(claim)] += claim.max() > 0.0
    return parts


def _scatter(
    catalogue: pl.DataFrame, rows: Rows, block: Rows, storage: NDArray[np.int32], seed: int, first: int
) -> Rows:
    """Draw a node of `block` for each of `rows`; draws count from `first`.

    The second of a type never lies where its first does, and no two copies of a model on one node.
    """
    models, kinds, memory = (catalogue[name].to_list() for name in ("model_id", "model_type", "memory_gb"))
    of_kind: dict[str, list[int]] = {}
    of_model: dict[int, list[int]] = {}
    homes = np.empty(len(rows), np.int64)
    for position, row in enumerate(rows.tolist()):
        able = block[storage[block] >= memory[row]]
        if len(able) < 2:
            raise _homeless(models[row], memory[row])
        of_type, of_same = of_kind.setdefault(kinds[row], []), of_model.setdefault(row, [])
        taken = of_same + of_type if len(of_type) == 1 else of_same
        able = able[~np.isin(able, taken)] if taken else able
        homes[position] = able[int(uniform(seed, int(Stream.PLACE), first + position, 0) * len(able))]
        of_type.append(int(homes[position]))
        of_same.append(int(homes[position]))
    return homes


def _rounded_price(catalogue_price: NDArray[np.float64], node_price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Their product to a millionth, halves up, in whole numbers: libraries round a half each in its own way."""
    product = np.rint(catalogue_price * 1e6).astype(np.int64) * np.rint(node_price * 1e3).astype(np.int64)
    return np.asarray((product + 500) // 1000 / 1e6)


def _homeless(model: str, memory_gb: float) -> EdgeBenchError:
    return EdgeBenchError(
        f"fewer than two nodes can hold model {model} of {memory_gb} GB",
        mend="give the region's storage_gb a higher maximum or mean",
    )
