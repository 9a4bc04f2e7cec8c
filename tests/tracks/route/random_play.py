"""Random valid play and its digest, for tests that compare runs within a process and across processes."""

import hashlib

from edgebench.sim import counter

_STREAM = 99


def valid_actions(seed):
    """A function from a mask to a valid action, its draws fixed by `seed`."""
    decision = 0

    def choose(mask):
        nonlocal decision
        valid = mask.nonzero()[0]
        drawn = counter.uniform(seed, _STREAM, decision, 0)
        decision += 1
        return int(valid[int(drawn * valid.size)])

    return choose


def play(env, *, seed=None, options=None, choose=None, most=10**6):
    """An episode, or its first `most` steps, as [(observation, reward, info)], the first reward 0."""
    choose = choose or valid_actions(seed or 0)
    observation, info = env.reset(seed=seed, options=options)
    steps, over = [(observation, 0.0, info)], False
    while not over and len(steps) <= most:
        observation, reward, over, truncated, info = env.step(choose(info["action_mask"]))
        assert not truncated
        steps.append((observation, reward, info))
    return steps


def digest(steps):
    """SHA-256 of all bits of an episode."""
    hashed = hashlib.sha256()
    for observation, reward, info in steps:
        for part in (*observation.values(), info["instances"]):
            hashed.update(part.tobytes())
        hashed.update(float(reward).hex().encode())
    return hashed.hexdigest()
