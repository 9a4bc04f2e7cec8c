"""Random valid play of gateways and its digest, for tests that compare runs within a process and across processes."""

import hashlib

import numpy as np
from random_play import valid_actions


def play_rounds(env, *, seed=None, options=None, choose=None):
    """An episode of a parallel environment as [(observations, rewards, infos)], the first rewards 0."""
    choose = choose or valid_actions(seed or 0)
    observed, infos = env.reset(seed=seed, options=options)
    rounds = [(observed, dict.fromkeys(env.agents, 0.0), infos)]
    while env.agents:
        actions = {agent: choose(observed[agent]["action_mask"]) for agent in env.agents}
        observed, rewards, terminated, truncated, infos = env.step(actions)
        assert not any(truncated.values())
        assert set(terminated.values()) == {not env.agents}
        rounds.append((observed, rewards, infos))
    return rounds


def play_turns(env, *, seed=None, options=None, choose=None):
    """An episode of an AEC environment as [(agent, observation, reward of the step before, info)]."""
    choose = choose or valid_actions(seed or 0)
    env.reset(seed=seed, options=options)
    turns = [(env.agent_selection, *of_turn(env))]
    while not any(env.terminations.values()):
        env.step(choose(turns[-1][1]["action_mask"]))
        turns.append((env.agent_selection, *of_turn(env)))
    return turns


def of_turn(env):
    agent = env.agent_selection
    return env.observe(agent), env.rewards[agent], env.infos[agent]


def team_digest(rounds):
    """SHA-256 of all bits of an episode of a parallel environment."""
    hashed = hashlib.sha256()
    for observed, rewards, infos in rounds:
        for agent, parts in observed.items():
            for name in sorted(parts):
                hashed.update(parts[name].tobytes())
            hashed.update(np.float64(rewards[agent]).tobytes() + np.float64(infos[agent]["now_ms"]).tobytes())
    return hashed.hexdigest()
