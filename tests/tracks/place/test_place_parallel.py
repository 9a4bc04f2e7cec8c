"""Two agents, one edit: PettingZoo's own tests, the same physics, and what becomes of pairs that do not fit."""

import numpy as np
import pytest

from edgebench.errors import EdgeBenchError
from edgebench.tracks.place.constants import PLAN_EDITS, SLOTS
from edgebench.tracks.place.edits import DELETE, PLACE
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.parallel import PlaceParallelEnv
from reference_agents.place import eplb


@pytest.fixture(scope="module")
def env(regions):
    return PlaceParallelEnv(regions["s1"], split="test")


@pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
def test_pettingzoos_own_tests_pass_without_a_warning(regions):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(PlaceParallelEnv(regions["s1"]), num_cycles=400)
    parallel_seed_test(lambda: PlaceParallelEnv(regions["s1"]), num_cycles=20)


def test_the_two_make_the_edits_of_one(regions, env):
    single, agent = PlaceEnv(regions["s1"], split="test"), eplb.Agent()
    agent.reset({})
    options = {"window": 1, "seed": 4}
    observed, info = single.reset(options=options)
    both, infos = env.reset(options=options)
    assert (infos["device"]["history_routes"] == info["history_routes"]).all()
    for _ in range(PLAN_EDITS + SLOTS):
        expert, verb, device = map(int, agent.act(observed))
        observed, reward, *_ = single.step(np.array([expert, verb, device]))
        both, rewards, terminated, truncated, _ = env.step({"expert": expert, "device": 8 * verb + device})
        assert rewards == {"expert": reward, "device": reward}
        for name in ("experts", "devices", "placement", "affinity", "links", "progress"):
            assert (both["expert"][name] == observed[name]).all()
            assert (both["device"][name] == observed[name]).all()
    assert not any(terminated.values())
    assert all(truncated.values())
    assert env.agents == []
    assert env.summary() == single.summary()
    with pytest.raises(EdgeBenchError, match="over"):
        env.step({"expert": 0, "device": 0})


def test_a_pair_within_both_masks_that_does_not_fit_keeps_the_placement(env):
    observed, _ = env.reset(options={"window": 0, "seed": 0})
    placement = observed["expert"]["placement"]
    observed, *_ = env.step({"expert": 0, "device": 8 + int((placement[0] == 0).argmax())})
    spare = observed["device"]["placement"].copy()
    home = int(spare[5].argmax())
    delete = 8 * DELETE + int(spare[0].argmax())
    assert observed["device"]["action_mask"][delete] == 1
    for device in (delete, 8 * DELETE + home):
        if observed["device"]["action_mask"][device]:
            observed, *_ = env.step({"expert": 5, "device": device})
            assert (observed["expert"]["placement"] == spare).all()


def test_an_action_outside_its_mask_is_an_invalid_edit(env):
    for actions in ({"expert": -1, "device": 0}, {"expert": 0, "device": 24}):
        observed, _ = env.reset(options={"window": 0, "seed": 0})
        before = observed["expert"]["placement"].copy()
        for _ in range(PLAN_EDITS):
            env.step({"expert": 0, "device": 8 * (PLACE + 1) + int(before[0].argmax())})
        *_, infos = env.step(actions)
        assert infos["expert"]["latency_ms"] > 10_000.0
        assert (env._simulation.state.placement == before).all()


@pytest.mark.parametrize(
    "actions", [{"expert": 0}, {"expert": 0, "device": 0, "third": 0}, {"expert": 0.5, "device": 0}]
)
def test_other_actions_are_refused(env, actions):
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError):
        env.step(actions)
