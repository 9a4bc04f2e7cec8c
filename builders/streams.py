"""The hashed draws of the builders: one stream a purpose, one seed a region."""

from __future__ import annotations

import hashlib
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled
from edgebench.sim.counter import uniform


class Stream(IntEnum):
    """What a draw is for. One stream a purpose; `builders.nodes` holds 101 to 103, `builders.sample` 301 on."""

    BANDWIDTH = 201
    LINK_DECAY = 202
    TRAP_LINK = 203
    CENTRE = 204
    MEMORY = 211
    WORK = 212
    QUALITY = 213
    PLACE = 221
    HOSTS = 222
    EXTRA_PLACE = 223
    SITE_SPLIT = 231
    HOME_SITE = 232
    HOME_OFFSET = 233
    WEIGHTS = 234
    OWNER = 235
    STAGE_TYPE = 241
    STAGE_TOKENS = 242
    EXPERT = 243
    SHAPE = 244
    ARRIVAL = 251


def region_seed(region: str, seed: int) -> int:
    """63 bits of SHA-256 over the region's name and `seed`, so that no two networks share draws."""
    digest = hashlib.sha256(f"{region}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def grid(seed: int, stream: Stream, rows: int, columns: int) -> NDArray[np.float64]:
    """Uniform draws in [0, 1) as float64[rows, columns]; the row is the entity, the column the slot."""
    draws = np.empty((rows, columns), np.float64)
    _fill(seed, int(stream), draws)
    return draws


@compiled
def _fill(seed: int, stream: int, draws: NDArray[np.float64]) -> None:
    for row in range(draws.shape[0]):
        for column in range(draws.shape[1]):
            draws[row, column] = uniform(seed, stream, row, column)
