"""PettingZoo's two base classes, or a word on how to get them."""

from edgebench.errors import EdgeBenchError

try:
    from pettingzoo import AECEnv, ParallelEnv
except ImportError as error:
    raise EdgeBenchError("multi-agent environments need PettingZoo", mend="pip install 'edgebench[marl]'") from error

__all__ = ["AECEnv", "ParallelEnv"]
