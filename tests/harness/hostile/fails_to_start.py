# expected: error
"""Fails at import."""

raise RuntimeError("at import")


def act(observation, info):
    return 1
