"""EdgeBench: benchmarks for scheduling generative-AI work on real edge networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgebench.region import Region, load

from edgebench.registration import register_environments, register_track
from edgebench.track import Track

__version__ = "0.1.0"
__all__ = ["Region", "Track", "__version__", "load", "register_track"]


register_environments()


def __getattr__(name: str) -> Any:
    if name in ("Region", "load"):
        from edgebench import region

        return getattr(region, name)
    raise AttributeError(f"module 'edgebench' has no attribute {name!r}")
