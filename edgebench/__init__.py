"""EdgeBench: benchmarks for scheduling generative-AI work on real edge networks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgebench.harness.run import evaluate
    from edgebench.region import Region, load

from edgebench.registration import register_environments, register_track
from edgebench.track import Track

__version__ = "0.1.0"
__all__ = ["Region", "Track", "__version__", "evaluate", "load", "register_track"]

_LATER: Final = {"Region": "edgebench.region", "load": "edgebench.region", "evaluate": "edgebench.harness.run"}
"""What is imported on first use, and from where: `import edgebench` alone stays quick."""


register_environments()


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'edgebench' has no attribute {name!r}")
