"""Every variant of the Route environment, as the arguments that make it."""

import itertools

_DIFFERS = {
    "full": {"view": "full"},
    "vector": {"reward": "vector"},
    "privileged": {"privileged": True},
    "dag": {"workflow": "dag"},
}

VARIANTS = {
    "-".join(names) or "plain": {key: value for name in names for key, value in _DIFFERS[name].items()}
    for count in range(len(_DIFFERS) + 1)
    for names in itertools.combinations(_DIFFERS, count)
}
"""The variants combined with each other in every way, by the names of what differs from the plain one."""
