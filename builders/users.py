"""Sites -> users: who they are, where they live, and what they care for."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.nodes import nearest_node
from builders.streams import Stream, grid
from edgebench.constants import QUALITY_WEIGHTS, SPLIT_TASKS, SPLIT_USERS
from edgebench.errors import EdgeBenchError
from edgebench.schema import SPLITS

SITE_SHARES: Final = {"train": 0.6, "val": 0.2, "test": 0.2}
"""Share of the sites whose users a split holds."""
HOME_RADIUS_KM: Final = 0.3
"""Users are spread evenly over a disc of this radius around their site, about an urban cell's range."""
KM_PER_DEGREE: Final = 111.195
"""A degree of latitude on the sphere of `builders.geo`."""


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


def owners_of(seed: int) -> list[NDArray[np.int32]]:
    """The user of each task, split by split: all users of the split in turn, in shuffled order."""
    draws = grid(seed, Stream.OWNER, len(SPLITS), max(SPLIT_TASKS.values()))
    owners, first_user = [], 0
    for split, drawn in zip(SPLITS, draws, strict=True):
        shuffled = np.argsort(drawn[: SPLIT_TASKS[split]], kind="stable")
        owners.append((first_user + shuffled % SPLIT_USERS[split]).astype(np.int32))
        first_user += SPLIT_USERS[split]
    return owners
