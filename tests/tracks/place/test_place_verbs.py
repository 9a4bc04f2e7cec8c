"""No verb is dominated: copying, deleting, moving and keeping are each right in some state and wrong in another."""

import numpy as np
import pytest

from edgebench.registry import SCENARIOS
from edgebench.tracks.place.constants import EXPERTS, PLAN_EDITS, SLOTS
from edgebench.tracks.place.edits import DELETE, PLACE, REPLICATE
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.simulation import Simulation
from reference_agents.place import eplb, packing

PINNED = (1, 3)


@pytest.fixture
def simulation(regions):
    made = Simulation(regions["s1"], SCENARIOS["calm"], "test")
    made.start(*PINNED)
    return made


def keep(simulation):
    return 0, REPLICATE, int(simulation.state.placement[0].argmax())


def rewards(simulation, edits, batches=SLOTS):
    """Sum of rewards when these edits come before these batches of the episode, and then the placement is kept."""
    simulation.state.clock[0] = PLAN_EDITS
    return sum(simulation.turn(*(edits[slot] if slot < len(edits) else keep(simulation))) for slot in range(batches))


def start_again(simulation, plan=()):
    simulation.start(*PINNED)
    for edit in plan:
        simulation.turn(*edit)


def popular(simulation):
    """The experts by falling load."""
    return [int(expert) for expert in np.argsort(-simulation.state.mean_load, kind="stable")]


def spare(simulation, expert):
    """The devices with room and without a copy of the expert."""
    placement = simulation.state.placement
    fits = (placement.sum(axis=0) < simulation.devices.room) & (placement[expert] == 0)
    return [int(device) for device in np.flatnonzero(fits)]


def test_a_copy_of_a_popular_expert_pays_and_one_of_an_idle_expert_at_the_end_does_not(simulation):
    gains = []
    for expert in popular(simulation)[:3]:
        for device in spare(simulation, expert):
            start_again(simulation)
            gains.append(rewards(simulation, [(expert, REPLICATE, device)]))
    assert max(gains) > 0.5
    start_again(simulation)
    idle = popular(simulation)[-1]
    simulation.state.clock[0] = PLAN_EDITS + SLOTS - 1
    assert simulation.turn(idle, REPLICATE, spare(simulation, idle)[0]) < -0.1


def test_loading_back_and_forth_loses_what_keeping_does_not(simulation):
    expert = popular(simulation)[0]
    home, other = int(simulation.state.placement[expert].argmax()), spare(simulation, expert)[-1]
    there_and_back = [(expert, PLACE, other), (expert, PLACE, home)] * (SLOTS // 2)
    assert rewards(simulation, there_and_back) < -0.1 * SLOTS
    start_again(simulation)
    assert rewards(simulation, []) == pytest.approx(0.0)


def test_deleting_a_copy_pays_where_it_makes_room_for_one_that_is_needed(simulation):
    """A device full of copies of idle experts: with one of them deleted, a popular expert has room there."""
    gains = []
    for device in range(8):
        start_again(simulation)
        absent = [expert for expert in popular(simulation) if not simulation.state.placement[expert, device]]
        room = simulation.devices.room[device] - simulation.state.placement[:, device].sum()
        fills = [(expert, REPLICATE, device) for expert in absent[::-1][:room]]
        start_again(simulation, fills)
        mask = simulation.seen.action_mask.reshape(simulation.shape)
        assert not mask[absent[0], REPLICATE, device]
        without = rewards(simulation, [])
        start_again(simulation, fills)
        edits = [(fills[0][0], DELETE, device), (absent[0], REPLICATE, device)]
        gains.append(rewards(simulation, edits) - without)
    assert max(gains) > 0.5


def test_deleting_the_copy_that_popular_tokens_need_does_not_pay(simulation):
    losses = []
    for device in spare(simulation, popular(simulation)[0]):
        plan = [(popular(simulation)[0], REPLICATE, device)]
        start_again(simulation, plan)
        copied = rewards(simulation, [])
        start_again(simulation, plan)
        losses.append(copied - rewards(simulation, [(plan[0][0], DELETE, device)]))
    assert max(losses) > 0.5


def test_a_copy_serves_while_its_twin_is_down(regions):
    """In outage an expert with a second copy loses fewer rows than one without."""
    lost = {}
    for copies in (1, 2):
        env = PlaceEnv(regions["s1"], scenario="outage", split="test")
        agent = (eplb if copies == 2 else packing).Agent()
        agent.reset({})
        total = 0.0
        for seed in range(4):
            agent.reset({})
            observed, _ = env.reset(options={"window": 0, "seed": seed})
            over = False
            while not over:
                observed, _, _, over, _ = env.step(agent.act(observed))
            total += env.summary()["lost_ms"]
        lost[copies] = total
    assert 0.0 < lost[2] < lost[1]


def test_moving_an_expert_to_where_its_followers_are_pays(regions):
    """In trap the copy of a follower beside its leader saves crossings, which is what annealing finds."""
    simulation = Simulation(regions["s1"], SCENARIOS["trap"], "test")
    gains = []
    for window in range(4):
        simulation.start(window, 1)
        leader, follower = np.unravel_index(simulation.state.affinity[0].argmax(), (EXPERTS, EXPERTS))
        home = int(simulation.state.placement[leader].argmax())
        if simulation.state.placement[EXPERTS + follower, home]:
            continue
        simulation.turn(int(EXPERTS + follower), PLACE, home)
        simulation.state.clock[0] = PLAN_EDITS
        for _ in range(SLOTS):
            simulation.turn(*keep(simulation))
        gains.append(simulation.metrics()["crossing_share"])
        simulation.start(window, 1)
        simulation.state.clock[0] = PLAN_EDITS
        for _ in range(SLOTS):
            simulation.turn(*keep(simulation))
        gains[-1] -= simulation.metrics()["crossing_share"]
    assert gains
    assert max(gains) < 0.0
