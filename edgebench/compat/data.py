"""What a folder of an earlier system holds, in its own units: the common form of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

EXPERTS = (1, 2, 3)
"""Model types of both systems: text to text, text to image, image to video."""


@dataclass(frozen=True)
class TrapConfig:
    """TopoFreeRL's trap_config.json.

    Attributes:
        servers: Servers all of whose links are traps.
        latency_ms: Latency of a trap link.
        mbps: Bandwidth of a trap link in Mbit/s.
        cost_multiplier: Price of a trap server's work over the stated price.
    """

    servers: tuple[str, ...]
    latency_ms: float
    mbps: float
    cost_multiplier: float


@dataclass(frozen=True)
class LegacyData:
    """The tables of VAMAPPO or TopoFreeRL; `line` is the line of the file a row came from, the header being line 1.

    Attributes:
        system: `vamappo` or `topofreerl`.
        title: For people.
        servers: server, lat, lon (degrees), compute, storage, mbps, line.
        links: src, dst (server names; one row a direction), latency_ms (null where not stated), line.
        models: type (1–3), score (0–1), server, usd_per_1k (per 1,000 tokens; null where not stated), line.
        tasks: split (train, test), user, lat, lon, route (list of types), quality_weight, speed_weight, size,
            tokens (list, one a stage; null where no log states them), line.
        files: The file of each table, and of each split as `train` and `test`.
        traps: None where the data has no traps.
    """

    system: str
    title: str
    servers: pl.DataFrame
    links: pl.DataFrame
    models: pl.DataFrame
    tasks: pl.DataFrame
    files: dict[str, str]
    traps: TrapConfig | None = None

    def with_table(self, name: str, table: pl.DataFrame) -> LegacyData:
        """The same with one table exchanged."""
        changed: dict[str, Any] = {name: table}
        return replace(self, **changed)

    def hosts(self) -> NDArray[np.int64]:
        """For each model the row of its server, int64[M]."""
        rows = {server: row for row, server in enumerate(self.servers["server"])}
        return np.array([rows[server] for server in self.models["server"]], np.int64)

    def column(self, table: str, name: str) -> NDArray[np.float64]:
        """A column of numbers as float64."""
        frame: pl.DataFrame = getattr(self, table)
        return frame[name].to_numpy().astype(np.float64)
