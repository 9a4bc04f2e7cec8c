"""Where data lies: the data folder, the regions built there, the token, the cache of machine code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgebench.doctor.finding import NOTE, OK, WRONG, Finding
from edgebench.errors import EdgeBenchError
from edgebench.paths import home

TOKEN: Final = "OPENCELLID_TOKEN"
LEAST_GB: Final = 1.0
"""Below this much free disk a region or a run may not fit."""


def examine_places() -> Iterator[Finding]:
    """The data folder, its regions, the token and the cache."""
    yield _data_folder(home())
    yield from _regions(home() / "processed")
    yield _token()
    yield _cache()


def _data_folder(folder: Path) -> Finding:
    why = "EDGEBENCH_HOME" if os.environ.get("EDGEBENCH_HOME") else "the default: EDGEBENCH_HOME is not set"
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    said = f"{folder} ({why}), {free_gb:,.0f} GB free"
    if not (place.is_dir() and os.access(place, os.W_OK)):
        mend = "set EDGEBENCH_HOME to a folder of your own"
        return Finding("data", "folder", WRONG, f"{said}, no folder that one can write to", mend)
    if free_gb < LEAST_GB:
        return Finding("data", "folder", WRONG, said, "free some disk, or set EDGEBENCH_HOME to a larger one")
    return Finding("data", "folder", OK, said if folder.exists() else f"{said}, made when first needed")


def _regions(processed: Path) -> Iterator[Finding]:
    built = sorted(path.parent for path in processed.glob("*/*/manifest.json"))
    if not built:
        yield Finding("data", "regions", NOTE, "none built yet", "edgebench build --all")
    for folder in built:
        yield _region(folder.name, folder.parent.name)


def _region(name: str, edition: str) -> Finding:
    """Whether a region can be read, and one of the sample is that of the boards."""
    from edgebench.archive import load_safely
    from edgebench.harness.references import frozen_digests
    from edgebench.registry import REGIONS, SAMPLE_EDITION

    what = f"region {edition}/{name}"
    again = f"edgebench build --region {name} --force"
    try:
        digest = load_safely(name, edition).digest
    except EdgeBenchError as error:
        return Finding("data", what, WRONG, error.what, error.mend or again)
    details = {"digest": digest}
    if edition == SAMPLE_EDITION and name in REGIONS and digest not in frozen_digests():
        return Finding("data", what, WRONG, f"digest {digest[:16]}, not that of the boards", again, details)
    return Finding("data", what, OK, f"digest {digest[:16]}", "", details)


def _token() -> Finding:
    if os.environ.get(TOKEN):
        return Finding("data", "token", OK, f"{TOKEN} is set")
    mend = "free at https://opencellid.org; needed by edgebench fetch alone"
    return Finding("data", "token", NOTE, f"{TOKEN} is not set", mend)


def _cache() -> Finding:
    """Which tracks have been compiled here; the first call of another one takes a while."""
    from edgebench.registry import TRACKS
    from edgebench.sim.compiled import all_code, is_compiled

    compiled = [name for name, track in TRACKS.items() if is_compiled(track.folder)]
    waiting = [name for name in TRACKS if name not in compiled]
    said = f"compiled: {', '.join(compiled) or 'no track'}"
    if waiting:
        said += f"; compiled when first used: {', '.join(waiting)}"
    return Finding("data", "machine code", OK if compiled else NOTE, f"{said}; in {all_code()}")
