# expected: ok
"""Looks for the environment among all frames of its process and all objects alive in it."""

import gc
import sys

SOUGHT = ("FakeEnv", "FakeRegion", "Simulation", "Region", "AgentProcess", "Journal")


def act(observation, info):
    frame, seen = sys._getframe(), []
    while frame is not None:
        seen += frame.f_locals.values()
        frame = frame.f_back
    return 2 if any(type(found).__name__ in SOUGHT for found in [*seen, *gc.get_objects()]) else 1
