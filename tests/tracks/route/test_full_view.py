"""`view="full"` beside `view="candidates"`: of the same instances the same is told; and what labels tell."""

import networkx
import numpy as np
import pytest
from random_play import valid_actions
from varied_regions import varied

from edgebench.constants import DRIFT_MS, HOP_MS, TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.region import read_region
from edgebench.registry import SCENARIOS
from edgebench.sim import counter
from edgebench.sim.outages import outage_schedule
from edgebench.sim.traps import trap_schedule
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.features import CANDIDATE

SEED = 23
PLACES = ("s1", "s4", "s1-dag", "graphs-experts-coin", "experts-lossy")
EVERY_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS)
EVERY_PLACE = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module")
def places(regions, variants_home):
    """Regions of chains and of graphs, of kinds and of experts."""
    built = {"s1-dag": read_region(variants_home / "processed" / "sample" / "s1-dag"), **regions}
    return {name: built[name] if name in built else varied(regions["s1"], name) for name in PLACES}


def decisions_of_both(region, scenario, window=1):
    """An episode in both views with the same instances chosen, step by step.

    Yields the observation and info of each, and at the end, after their rewards were found equal, nothing.
    """
    narrow, full = (RouteEnv(region, scenario=scenario, view=view, privileged=True) for view in ("candidates", "full"))
    options, choose, over = {"window": window, "seed": SEED}, valid_actions(window), False
    (seen, info), (everything, of_all) = narrow.reset(options=options), full.reset(options=options)
    while not over:
        yield (seen, info), (everything, of_all)
        action = choose(seen["action_mask"])
        instance = info["instances"][action]
        seen, reward, over, _, info = narrow.step(action)
        everything, of_full, ended, _, of_all = full.step(instance)
        assert (reward, over) == (of_full, ended)
    assert not any(part.any() for part in everything.values())
    assert narrow.summary() == full.summary()


@EVERY_SCENARIO
@EVERY_PLACE
def test_both_views_tell_the_same_of_the_instances_that_both_offer(places, place, scenario):
    for (seen, info), (everything, of_all) in decisions_of_both(places[place], scenario):
        offered = info["instances"][seen["action_mask"] == 1]
        for name in ("candidates", "labels"):
            narrow, full = seen[name][:, : offered.size], everything[name][:, offered]
            np.testing.assert_allclose(narrow, full, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(seen["task"], everything["task"])
        assert {name: info[name] for name in ("task", "stage", "node", "user_node")} == {
            name: of_all[name] for name in ("task", "stage", "node", "user_node")
        }


@EVERY_PLACE
def test_the_full_view_offers_every_instance_of_the_wanted_type_and_tells_nothing_of_others(places, place):
    region = places[place]
    types = np.array(region.tables["instances"]["model_type"].to_pylist())
    for _, (everything, info) in decisions_of_both(region, "trap"):
        wanted = types == region.model_types[info["stage_types"][info["stage"]]]
        np.testing.assert_array_equal(everything["action_mask"], wanted)
        np.testing.assert_array_equal(info["instances"], np.where(wanted, np.arange(types.size), -1))
        for name in ("candidates", "labels"):
            assert not everything[name][:, ~wanted].any()
        assert (everything["candidates"][CANDIDATE["service_s"], wanted] > 0.0).all()


def test_an_instance_that_is_no_candidate_can_be_sent_to_and_one_of_another_type_fails_the_task(places):
    env, narrow = (RouteEnv(places["s1"], view=view) for view in ("full", "candidates"))
    _, info = env.reset(options={"window": 0, "seed": 1})
    offered = narrow.reset(options={"window": 0, "seed": 1})[1]["instances"]
    chosen = np.setdiff1d(np.flatnonzero(info["action_mask"]), offered)[0]
    env.step(chosen)
    assert env._simulation.state.progress["sent_to"][info["task"], info["stage"]] == chosen
    for other in (int(info["action_mask"].argmin()), -1, info["action_mask"].size):
        _, info = env.reset(options={"window": 0, "seed": 1})
        env.step(other)
        progress = env._simulation.state.progress[info["task"]]
        assert (progress["utility"], progress["ready_ms"]) == (0.0, np.inf)


# --- labels --------------------------------------------------------------------------------------


class Truth:
    """Extras along networkx's paths by the schedules of an episode."""

    def __init__(self, region, scenario):
        self.graph, self.rules, self.ways, traps = region.graph(), SCENARIOS[scenario], {}, 0
        for src, dst, trap in zip(*(region.column("links", name) for name in ("src", "dst", "is_trap")), strict=True):
            edge = self.graph.edges[src, dst]
            edge["ticks"] = round((edge["latency_ms"] + HOP_MS) * 1e4)
            edge["trap"], traps = (traps if trap else None), traps + int(trap)
        topology = region.topology()
        self.link = topology.trap
        self.bad, self.extra_ms = trap_schedule(self.link, SEED, self.rules.traps, False)
        outages = self.rules.outage_enter, self.rules.outage_leave
        self.down = outage_schedule(topology.node.size, SEED, *outages)

    def traps(self, source, target):
        """The trap links of the quickest path; of several the one that forwards to the lowest neighbours."""
        if (source, target) not in self.ways:
            path = min(networkx.all_shortest_paths(self.graph, source, target, weight="ticks"))
            crossed = (self.graph.edges[edge]["trap"] for edge in networkx.utils.pairwise(path))
            self.ways[source, target] = [trap for trap in crossed if trap is not None]
        return self.ways[source, target]

    def extra_s(self, source, target, megabytes, now):
        return sum(self.of_link(trap, megabytes, now) for trap in self.traps(source, target)) / 1e3

    def of_link(self, trap, megabytes, now):
        turn = now / DRIFT_MS + counter.uniform(SEED, counter.DRIFT_PHASE, trap, 0)
        if self.rules.drifts and turn % 1.0 >= 0.5:
            return self.link["rest_ms"][trap]
        slot = slot_of(now)
        return self.extra_ms[trap, slot] + self.bad[trap, slot] * megabytes * self.link["slow_ms_per_mb"][trap]


def slot_of(now):
    return min(int(now / TRAP_SLOT_MS), TRAP_SLOTS - 1)


@EVERY_SCENARIO
@pytest.mark.parametrize("place", ["s1", "s4", "experts-lossy"])
def test_labels_are_what_the_schedules_say_along_the_paths(places, place, scenario):
    region, truth, told = places[place], Truth(places[place], scenario), 0.0
    hosts = region.column("instances", "node_id").tolist()
    env = RouteEnv(region, scenario=scenario, view="full", privileged=True)
    observation, info = env.reset(options={"window": 2, "seed": SEED})
    choose, over = valid_actions(3), False
    while not over:
        now, stage = env._simulation.state.progress["ready_ms"][info["task"]], info["stage"]
        goes_on = stage + 1 < info["stages"]
        answer_mb = info["answer_mb"] if goes_on else info["stage_output_mb"][stage]
        for instance in np.flatnonzero(info["action_mask"])[::5]:
            expected = (
                truth.extra_s(info["node"], hosts[instance], info["stage_payload_mb"][stage], now),
                truth.extra_s(hosts[instance], info["user_node"], answer_mb, now),
                float(truth.down[hosts[instance], slot_of(now)]),
            )
            told += sum(expected[:2])
            assert observation["labels"][:, instance] == pytest.approx(expected, rel=1e-5, abs=1e-6)
        observation, _, over, _, info = env.step(choose(info["action_mask"]))
    assert (told == 0.0) == (scenario == "calm")


@EVERY_SCENARIO
def test_of_several_inputs_the_labels_tell_of_the_one_whose_path_is_seen(places, scenario):
    """The one that would arrive last by what is known, candidate by candidate, and not the first of them."""
    truth, others = Truth(places["s1-dag"], scenario), 0
    env = RouteEnv(places["s1-dag"], scenario=scenario, privileged=True)
    observation, info = env.reset(options={"window": 0, "seed": SEED})
    choose, over = valid_actions(4), False
    while not over:
        progress = env._simulation.state.progress[info["task"]]
        parents = [one for one in range(info["stage"]) if info["stage_parents"][info["stage"]] >> one & 1]
        inputs = [(progress["at_node"][one], info["stage_output_mb"][one]) for one in parents]
        for column in np.flatnonzero(info["action_mask"]) if len(parents) > 1 else ():
            host = env._simulation.topology.instance["node"][info["instances"][column]]
            seen_s = observation["candidates"][:2, column]
            ways = [env._simulation.topology.path[host, node] for node, _ in inputs]
            fits = [
                one
                for one, (way, (_, megabytes)) in enumerate(zip(ways, inputs, strict=True))
                if np.allclose(seen_s, [way["latency_ms"] / 1e3, megabytes * way["ms_per_mb"] / 1e3], rtol=1e-5)
            ]
            expected = [truth.extra_s(inputs[one][0], host, inputs[one][1], progress["ready_ms"]) for one in fits]
            assert any(observation["labels"][0, column] == pytest.approx(one, rel=1e-5) for one in expected)
            others += 0 not in fits
        observation, _, over, _, info = env.step(choose(info["action_mask"]))
    assert others > 0
