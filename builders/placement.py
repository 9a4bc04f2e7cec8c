"""Catalogue + nodes -> instances: which node holds which model."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.streams import Stream
from edgebench.errors import EdgeBenchError
from edgebench.schema import INSTANCES
from edgebench.sim.counter import uniform
from edgebench.spec import RegionSpec


def place_models(catalogue: pl.DataFrame, nodes: pl.DataFrame, spec: RegionSpec, seed: int) -> pl.DataFrame:
    """Place each model once, on a node drawn among those whose storage holds it.

    The second model of a type never lies where the first does, so every type is on two nodes at least.

    Args:
        catalogue: Table of `builders.catalogue.make_catalogue`.
        nodes: Table of `builders.nodes.choose_nodes`.
        spec: Its `placement` names the method.
        seed: Seed of the hashed draws.

    Returns:
        The columns of `edgebench.schema.INSTANCES`, in the order of the catalogue; a price is the model's
        times the node's.

    Raises:
        EdgeBenchError: Fewer than two nodes can hold a model.
    """
    storage = nodes["storage_gb"].to_numpy()
    hosts: dict[str, list[int]] = {}
    for entity, (model, kind, memory) in enumerate(catalogue.select("model_id", "model_type", "memory_gb").iter_rows()):
        able = np.flatnonzero(storage >= memory)
        if len(able) < 2:
            raise _homeless(model, memory)
        taken = hosts.setdefault(kind, [])
        if len(taken) == 1:
            able = able[able != taken[0]]
        taken.append(int(able[int(uniform(seed, int(Stream.PLACE), entity, 0) * len(able))]))
    homes = [node for taken in hosts.values() for node in taken]
    price = nodes["price"].to_numpy()[homes]
    placed = catalogue.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("instance_id"),
        pl.Series("price_usd_per_1k_tokens", _rounded_price(catalogue["price_usd_per_1k_tokens"].to_numpy(), price)),
        pl.Series("node_id", homes, pl.Int32),
    )
    return placed.select(INSTANCES.names)


def _rounded_price(catalogue_price: NDArray[np.float64], node_price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Their product to a millionth, halves up, in whole numbers: libraries round a half each in its own way."""
    product = np.rint(catalogue_price * 1e6).astype(np.int64) * np.rint(node_price * 1e3).astype(np.int64)
    return np.asarray((product + 500) // 1000 / 1e6)


def _homeless(model: str, memory_gb: float) -> EdgeBenchError:
    return EdgeBenchError(
        f"fewer than two nodes can hold model {model} of {memory_gb} GB",
        mend="give the region's storage_gb a higher maximum or mean",
    )
