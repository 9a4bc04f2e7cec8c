"""The sites of the cells a built region came from, where the bundled sample still holds them."""

from __future__ import annotations

import hashlib

import polars as pl

from builders.cells import read_cells
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.sample import sample_path
from builders.sites import find_sites
from edgebench.region import Region
from edgebench.registry import REGISTERED, SAMPLE_EDITION


def sites_of(region: Region) -> pl.DataFrame | None:
    """Sites as `builders.sites.find_sites` tells them; None for a region of other cells than the bundled sample's.

    Raises:
        EdgeBenchError: The bundled file is damaged.
    """
    if region.edition != SAMPLE_EDITION or region.name not in REGISTERED:
        return None
    spec = REGISTERED[region.name]
    path = sample_path(spec.network)
    stated = region.manifest.get("source", {}).get("sha256")
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != stated:
        return None
    ledger = Ledger()
    return find_sites(filter_cells(read_cells(path, ledger, spec.mcc), spec, ledger, str(path)))
