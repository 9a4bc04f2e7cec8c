"""What the multi-agent faces refuse, in words and without a trace."""

import numpy as np
import pytest

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")

from edgebench.constants import CANDIDATES, WINDOW_TASKS
from edgebench.errors import EdgeBenchError
from edgebench.tracks.route.aec import RouteAecEnv
from edgebench.tracks.route.parallel import RouteParallelEnv

WAIT = CANDIDATES
FACES = pytest.mark.parametrize("face", [RouteParallelEnv, RouteAecEnv])


@FACES
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gateways": 0}, "gateways is 0"),
        ({"gateways": 26}, "26 gateways for 25 nodes"),
        ({"gateways": 2.5}, "gateways is 2.5"),
        ({"clusters": "k-means"}, "unknown clusters"),
        ({"tick_ms": -1.0}, "tick_ms is -1.0"),
        ({"tick_ms": float("nan")}, "tick_ms is nan"),
        ({"tick_ms": float("inf")}, "tick_ms is inf"),
        ({"observe": "all"}, "unknown mode"),
        ({"messages": -1}, "messages is -1"),
        ({"messages": "2"}, "messages is '2'"),
        ({"view": "all"}, "unknown view"),
        ({"scenario": "trab"}, "unknown scenario"),
        ({"split": "tset"}, "unknown split"),
        ({"seed": -1}, "seed is -1"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_in_words(regions, face, settings, message):
    with pytest.raises(EdgeBenchError, match=message) as refused:
        face(regions["s1"], **settings)
    assert refused.value.mend


@FACES
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": -1}, "no window -1"),
        ({"window": "first"}, "window is 'first'"),
        ({"seed": 2**63}, f"seed is {2**63}"),
        ({"sede": 1}, "unknown reset option 'sede'"),
    ],
    ids=str,
)
def test_a_wrong_reset_option_is_refused(regions, face, options, message):
    with pytest.raises(EdgeBenchError, match=message):
        face(regions["s1"]).reset(options=options)


@pytest.mark.parametrize(
    "actions",
    [
        {},
        {"gateway_0": 1},
        {"gateway_0": 1, "gateway_1": 1, "gateway_2": 1},
        {"gateway_0": 1, "gateway_x": 1},
    ],
    ids=str,
)
def test_not_one_action_a_gateway_is_refused_and_changes_nothing(regions, actions):
    env = RouteParallelEnv(regions["s1"], gateways=2)
    env.reset(seed=1)
    before = env.state()
    with pytest.raises(EdgeBenchError, match="not one action a gateway"):
        env.step(actions)
    assert (env.state() == before).all()


@pytest.mark.parametrize("action", [1.0, "1", None, np.float32(2)], ids=repr)
def test_an_action_that_is_no_whole_number_is_refused_and_changes_nothing(regions, action):
    env = RouteParallelEnv(regions["s1"], gateways=2)
    env.reset(seed=2)
    before = env.state()
    with pytest.raises(TypeError):
        env.step({"gateway_0": 0, "gateway_1": action})
    assert (env.state() == before).all()


@FACES
@pytest.mark.parametrize(
    "action",
    [
        3,
        {"action": 3},
        {"action": 3, "message": [0.0]},
        {"action": 3, "message": [0.0, 1.5]},
        {"action": 3, "message": [0.0, float("nan")]},
        {"action": 3, "message": ["a", "b"]},
        {"action": 3, "message": [0.0, 0.0], "more": 1},
    ],
    ids=str,
)
def test_a_wrong_message_is_refused_and_changes_nothing(regions, face, action):
    env = face(regions["s1"], gateways=1, messages=2)
    env.reset(seed=2)
    before = env.state()
    with pytest.raises(EdgeBenchError) as refused:
        env.step({"gateway_0": action} if face is RouteParallelEnv else action)
    assert refused.value.where == "gateway_0"
    assert (env.state() == before).all()


@FACES
def test_a_summary_or_a_step_at_the_wrong_time_is_refused(regions, face):
    env = face(regions["s1"], gateways=1)
    action = {"gateway_0": WAIT} if face is RouteParallelEnv else WAIT
    for begin in (lambda: None, lambda: env.reset(seed=0)):
        begin()
        with pytest.raises(EdgeBenchError, match="not over"):
            env.summary()
    while env.agents:
        env.step(None if face is RouteAecEnv and env.terminations["gateway_0"] else action)
    for over in (env, face(regions["s1"])):
        with pytest.raises(EdgeBenchError, match="the episode is over"):
            over.step(action)
    assert env.summary()["decisions"] == WINDOW_TASKS
