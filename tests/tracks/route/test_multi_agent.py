"""Route for several gateways: PettingZoo's own tests, rounds and ticks, what is observed, what is refused."""

import copy
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from random_play import valid_actions
from team_play import play_rounds, play_turns, team_digest
from varied_regions import VARIED, varied

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")

from edgebench.constants import CANDIDATES, WINDOW_TASKS
from edgebench.envs import make_aec_env, make_parallel_env
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.route.aec import RouteAecEnv
from edgebench.tracks.route.gateway_features import GATEWAY
from edgebench.tracks.route.gateways import CLUSTERINGS
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.state import DONE, INVALID

WAIT = CANDIDATES
# PettingZoo's tests import an environment of its own by a way that it has deprecated.
PETTINGZOOS_TESTS = pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
FACES = pytest.mark.parametrize("face", [RouteParallelEnv, RouteAecEnv])


@PETTINGZOOS_TESTS
def test_pettingzoos_parallel_tests_pass(regions):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(RouteParallelEnv(regions["s1"]), num_cycles=1000)
    parallel_seed_test(lambda: RouteParallelEnv(regions["s1"]))


@PETTINGZOOS_TESTS
# PettingZoo wants a Box or a Discrete of every environment but its own, whose dictionaries it knows by name; and a
# picture of every environment.
@pytest.mark.filterwarnings("ignore:Observation is not a NumPy array:UserWarning")
@pytest.mark.filterwarnings("ignore:Observation space for each agent probably should be:UserWarning")
@pytest.mark.filterwarnings(r"ignore:Environment has not defined a render\(\) method:UserWarning")
def test_pettingzoos_aec_tests_pass(regions):
    from pettingzoo.test import api_test, seed_test

    api_test(RouteAecEnv(regions["s1"]), num_cycles=200)
    seed_test(lambda: RouteAecEnv(regions["s1"]))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", REGIONS)
def test_random_valid_play_ends_inside_the_spaces(regions, name, scenario):
    env = RouteParallelEnv(regions[name], scenario=scenario)
    check_play(env)


@pytest.mark.parametrize("wanted", VARIED)
def test_random_valid_play_of_other_kinds_of_regions_ends_inside_the_spaces(regions, wanted):
    check_play(RouteParallelEnv(varied(regions["s1"], wanted), tick_ms=500.0))


def check_play(env):
    rounds = play_rounds(env, seed=3)
    for observed, _, _ in rounds:
        for agent in env.possible_agents:
            assert env.observation_space(agent).contains(observed[agent])
    utilities = env._simulation.state.progress["utility"]
    assert sum(rewards["gateway_0"] for _, rewards, _ in rounds) == pytest.approx(utilities.sum(), abs=1e-9)
    summary = env.summary()
    assert summary["reward"] == pytest.approx(WINDOW_TASKS * summary["utility"], abs=1e-9)
    assert (env._simulation.state.progress["outcome"] != INVALID).all()
    assert summary["decisions"] == sum(deciding(infos) for _, _, infos in rounds)


def deciding(infos):
    return sum("task" in info for info in infos.values())


def test_every_gateway_is_given_the_reward_of_the_team(regions):
    for _, rewards, _ in play_rounds(RouteParallelEnv(regions["s1"]), seed=1):
        assert len(set(rewards.values())) == 1


@pytest.mark.parametrize("tick_ms", [100.0, 1000.0])
def test_decisions_wait_for_the_tick_and_rounds_take_those_of_one_in_order(regions, tick_ms):
    rounds = play_rounds(RouteParallelEnv(regions["s2"], tick_ms=tick_ms), seed=2)
    times = [infos["gateway_0"]["now_ms"] for _, _, infos in rounds[:-1]]
    assert all(now_ms % tick_ms == 0.0 for now_ms in times)
    assert times == sorted(times)
    assert len(set(times)) < len(times), "no tick had more decisions of a gateway than one"
    assert max(deciding(infos) for _, _, infos in rounds) > 1
    for (_, _, earlier), (_, _, later) in pairwise(rounds[:-1]):
        if earlier["gateway_0"]["now_ms"] == later["gateway_0"]["now_ms"]:
            for agent in earlier.keys() & later.keys():
                if "task" in earlier[agent] and "task" in later[agent]:
                    assert earlier[agent]["task"] <= later[agent]["task"]


def test_every_decision_is_taken_by_the_gateway_of_its_node_and_exactly_once(regions):
    env = RouteParallelEnv(regions["s3"], gateways=7, clusters="balanced", tick_ms=500.0)
    taken = []
    for _, _, infos in play_rounds(env, seed=5):
        for row, agent in enumerate(env.possible_agents):
            if "task" in infos[agent]:
                assert env.gateway_of[infos[agent]["node"]] == row
                taken.append((infos[agent]["task"], infos[agent]["stage"]))
    assert len(taken) == len(set(taken)) == env.summary()["decisions"]


def test_exactly_the_wait_is_valid_where_nothing_is_due_and_invalid_where_something_is(regions):
    for observed, _, infos in play_rounds(RouteParallelEnv(regions["s1"]), seed=4):
        for agent, parts in observed.items():
            mask = parts["action_mask"]
            assert (mask == infos[agent]["action_mask"]).all()
            assert mask.shape == (CANDIDATES + 1,)
            if "task" in infos[agent]:
                assert not mask[WAIT]
                assert (mask[:WAIT] == (infos[agent]["instances"] >= 0)).all()
            else:
                assert mask.tolist() == [0] * WAIT + [1]
                assert not parts["candidates"].any()
                assert not parts["task"].any()


def test_waiting_when_a_decision_is_due_fails_the_task(regions):
    env = RouteParallelEnv(regions["s1"])
    rounds = play_rounds(env, seed=1, choose=lambda mask: WAIT)
    assert sum(rewards["gateway_0"] for _, rewards, _ in rounds) == 0.0
    assert (env._simulation.state.progress["outcome"] == INVALID).all()
    assert env.summary()["decisions"] == WINDOW_TASKS


def test_what_a_gateway_does_with_nothing_due_changes_nothing(regions):
    env, choose = RouteParallelEnv(regions["s1"]), valid_actions(3)
    waiting = team_digest(play_rounds(env, options={"window": 1, "seed": 4}, choose=choose))
    choose = valid_actions(3)

    def acting(mask):
        action = choose(mask)
        return 5 if action == WAIT else action

    assert team_digest(play_rounds(env, options={"window": 1, "seed": 4}, choose=acting)) == waiting


def test_traps_are_the_same_whatever_the_gateways_do_and_however_many_they_are(regions):
    trails = []
    plays = ((1, 0.0, valid_actions(1)), (5, 100.0, valid_actions(2)), (3, 50.0, lambda mask: 10**9))
    for gateways, tick_ms, choose in plays:
        env = RouteParallelEnv(regions["s1"], gateways=gateways, tick_ms=tick_ms)
        met = {}
        env.reset(options={"window": 0, "seed": 17})
        while env.agents:
            monitor = env._simulation.state.monitor
            met |= {
                (trap, int(row["slot"])): (int(row["is_bad"]), float(row["extra_ms"]))
                for trap, row in enumerate(monitor)
                if row["slot"] >= 0
            }
            env.step({agent: choose(env._info(row)["action_mask"]) for row, agent in enumerate(env.agents)})
        trails.append(met)
    for first, second in pairwise(trails):
        common = first.keys() & second.keys()
        assert len(common) > 10
        assert all(first[key] == second[key] for key in common)


@pytest.mark.parametrize("clusters", CLUSTERINGS)
def test_two_plays_of_one_seed_are_equal_and_of_two_are_not(regions, clusters):
    env = RouteParallelEnv(regions["s4"], clusters=clusters)
    first, again, other = (team_digest(play_rounds(env, seed=seed)) for seed in (11, 11, 12))
    assert first == again != other


def test_processes_of_different_hash_seeds_agree(regions, built_home):
    code = """if True:
        import edgebench
        from edgebench.tracks.route.parallel import RouteParallelEnv
        from team_play import play_rounds, team_digest
        print(team_digest(play_rounds(RouteParallelEnv("s1"), seed=21)))"""
    here = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    expected = team_digest(play_rounds(RouteParallelEnv(regions["s1"]), seed=21))
    for hash_seed in ("0", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": here}
        result = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip() == expected


def test_the_others_rows_are_what_they_were_as_long_ago_as_their_age_says(regions):
    env = RouteParallelEnv(regions["s3"], gateways=3)
    fresh = {}
    seen, options = 0, {"window": 0, "seed": 3}
    observed, infos = env.reset(options=options)
    choose = valid_actions(9)
    while env.agents:
        now_ms = infos["gateway_0"]["now_ms"]
        for row, agent in enumerate(env.agents):
            cluster = observed[agent]["cluster"]
            assert cluster[:, GATEWAY["own"]].tolist() == [float(other == row) for other in range(3)]
            assert cluster[row, GATEWAY["age_s"]] == 0.0
            assert cluster[row, GATEWAY["heard"]] == 1.0
            # of rounds at one time the last is sent last: what was told before may be any of them
            fresh.setdefault((row, round(now_ms)), []).append(cluster[row, :4].tolist())
        for row, agent in enumerate(env.agents):
            for other in set(range(3)) - {row}:
                entries = observed[agent]["cluster"][other]
                if entries[GATEWAY["heard"]]:
                    sent = round(now_ms - 1000.0 * float(entries[GATEWAY["age_s"]]))
                    assert entries[:4].tolist() in fresh[other, sent]
                    assert entries[GATEWAY["age_s"]] > 0.0
                    seen += 1
                else:
                    assert not entries.any()
        observed, *_, infos = env.step({agent: choose(observed[agent]["action_mask"]) for agent in env.agents})
    assert seen > 100


def test_own_rows_tell_queues_memory_and_what_is_due(regions):
    env = RouteParallelEnv(regions["s1"], gateways=2, tick_ms=1000.0)
    rounds = play_rounds(env, seed=6)[:-1]
    rows = np.array(
        [[observed[agent]["cluster"][row] for row, agent in enumerate(observed)] for observed, _, _ in rounds]
    )
    assert rows[..., GATEWAY["queue_s"]].max() > 0.0
    assert (np.diff(rows[..., GATEWAY["stored"]], axis=0) != 0.0).any()
    due = np.rint(rows[..., GATEWAY["waiting"]] * 10.0)
    for (_, _, infos), counts in zip(rounds, due, strict=True):
        assert [count > 0 for count in counts] == ["task" in info for info in infos.values()]
    assert not rows[..., GATEWAY["down"]].any()
    down = play_rounds(RouteParallelEnv(regions["s1"], scenario="outage"), seed=6)[:-1]
    assert max(observed["gateway_0"]["cluster"][0, GATEWAY["down"]] for observed, _, _ in down) > 0.0


def test_seen_globally_every_row_is_fresh_and_the_simulation_the_same(regions):
    choices = (valid_actions(2), valid_actions(2))
    local, central = (
        play_rounds(RouteParallelEnv(regions["s3"], observe=mode), options={"window": 0, "seed": 1}, choose=choose)
        for mode, choose in zip(("local", "global"), choices, strict=True)
    )
    for (seen, rewards, _), (seen_centrally, same, _) in zip(local[:-1], central[:-1], strict=True):
        assert rewards == same
        own = np.array([parts["cluster"][row, :4] for row, parts in enumerate(seen.values())])
        for agent, parts in seen_centrally.items():
            assert (parts["cluster"][:, :4] == own).all()
            assert not parts["cluster"][:, GATEWAY["age_s"]].any()
            assert parts["cluster"][:, GATEWAY["heard"]].all()
            for name in ("candidates", "task", "action_mask"):
                assert (parts[name] == seen[agent][name]).all()


@FACES
def test_messages_arrive_as_they_were_sent_and_later_than_they_left(regions, face):
    env = face(regions["s1"], gateways=3, messages=2, tick_ms=100.0)
    said, heard = {(0.0, 0.0)}, 0
    for number, (agent, observed, now_ms) in enumerate(spoken(env)):
        assert env.observation_space(agent).contains(observed)
        for other, words in zip(env.possible_agents, observed["messages"].tolist(), strict=True):
            assert tuple(words) in said
            heard += any(words) and other != agent
        said.add((float(np.float32(number % 97 / 97)), float(np.float32(-now_ms / 1e6))))
    assert heard > 100


def spoken(env):
    """Play with messages of a count and the time: (agent, observation, now) of every action."""
    choose, number = valid_actions(0), 0
    told = env.reset(seed=8)
    while env.agents:
        actions = {}
        speaking = env.agents if isinstance(env, RouteParallelEnv) else [env.agent_selection]
        if told is None and env.terminations[speaking[0]]:
            return
        for agent in speaking:
            observed = told[0][agent] if told else env.observe(agent)
            now_ms = told[1][agent]["now_ms"] if told else env.infos[agent]["now_ms"]
            message = np.array([number % 97 / 97, -now_ms / 1e6], np.float32)
            actions[agent] = {"action": choose(observed["action_mask"]), "message": message}
            assert env.action_space(agent).contains({**actions[agent], "action": np.int64(actions[agent]["action"])})
            yield agent, observed, now_ms
            number += 1
        if told:
            observed, *_, infos = env.step(actions)
            told = (observed, infos)
        else:
            env.step(actions[agent])


def test_words_do_not_change_what_the_network_does(regions):
    silent = play_rounds(RouteParallelEnv(regions["s1"], gateways=3), options={"window": 0, "seed": 2})
    env, choose = RouteParallelEnv(regions["s1"], gateways=3, messages=4), valid_actions(0)
    observed, _ = env.reset(options={"window": 0, "seed": 2})
    rewards = []
    while env.agents:
        acts = {agent: choose(observed[agent]["action_mask"]) for agent in env.agents}
        observed, earned, *_ = env.step({agent: {"action": act, "message": np.ones(4)} for agent, act in acts.items()})
        rewards.append(earned["gateway_0"])
    assert rewards == [rewards["gateway_0"] for _, rewards, _ in silent[1:]]


@FACES
def test_the_state_is_all_there_is_to_see(regions, face):
    env = face(regions["s1"], gateways=3)
    env.reset(seed=1)
    state = env.state()
    assert env.state_space.contains(state)
    observed = [env._observation(gateway) for gateway in range(3)]
    expected = [parts[name].ravel() for parts in observed for name in ("candidates", "task", "action_mask")]
    own = [parts["cluster"][row].copy() for row, parts in enumerate(observed)]
    for entries in own:
        entries[GATEWAY["own"]] = 0.0
    assert (state == np.concatenate([*expected, *own])).all()


def test_a_full_view_offers_every_instance(regions):
    env = RouteParallelEnv(regions["s4"], view="full")
    instances = regions["s4"].tables["instances"].num_rows
    observed, _ = env.reset(seed=0)
    assert env.action_space("gateway_1").n == instances + 1
    assert env.observation_space("gateway_0").contains(observed["gateway_0"])
    assert len(play_rounds(env, seed=0)) > WINDOW_TASKS


def test_spaces_are_each_gateways_own(regions):
    env = RouteParallelEnv(regions["s1"])
    first, second = (env.observation_space(agent) for agent in env.possible_agents[:2])
    assert first is env.observation_space("gateway_0")
    assert first is not second
    assert first["cluster"] is not second["cluster"]
    assert env.action_space("gateway_0") is not env.action_space("gateway_1")


def test_what_is_returned_is_the_callers(regions):
    env = RouteParallelEnv(regions["s1"], messages=0)
    kept = team_digest(play_rounds(env, seed=3))
    observed, infos = env.reset(seed=3)
    for agent in env.agents:
        for part in (*observed[agent].values(), infos[agent]["action_mask"]):
            part[:] = 1
    env.state()[:] = 1
    choose, rounds = valid_actions(3), [play_rounds(env, seed=3)[0]]
    env.reset(seed=3)
    told = rounds[0][0]
    while env.agents:
        told, rewards, _, _, infos = env.step({agent: choose(told[agent]["action_mask"]) for agent in env.agents})
        rounds.append((told, rewards, infos))
    assert team_digest(rounds) == kept


def test_a_copy_goes_on_as_the_original(regions):
    env = RouteParallelEnv(regions["s1"])
    observed, _ = env.reset(seed=6)
    choose = valid_actions(6)
    for _ in range(40):
        observed, *_ = env.step({agent: choose(observed[agent]["action_mask"]) for agent in env.agents})
    tails = []
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env)), env):  # noqa: S301
        seen, choose, tail = observed, valid_actions(7), []
        while other.agents:
            seen, rewards, _, _, infos = other.step(
                {agent: choose(seen[agent]["action_mask"]) for agent in other.agents}
            )
            tail.append((seen, rewards, infos))
        tails.append(team_digest(tail))
    assert len(set(tails)) == 1


def test_an_aec_episode_pays_every_gateway_the_utilities_of_the_tasks(regions):
    env = RouteAecEnv(regions["s2"], gateways=3)
    env.reset(seed=4)
    choose, totals = valid_actions(4), dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        observed, reward, terminated, truncated, _ = env.last()
        assert not truncated
        totals[agent] += reward
        env.step(None if terminated else choose(observed["action_mask"]))
    utilities = env._simulation.state.progress["utility"].sum()
    assert list(totals.values()) == pytest.approx([utilities] * 3, abs=1e-9)
    assert env.summary()["reward"] == pytest.approx(utilities, abs=1e-9)
    assert env.agents == []


def test_with_ticks_an_aec_episode_takes_turns_at_the_same_time(regions):
    env = RouteAecEnv(regions["s1"], tick_ms=1000.0)
    turns = play_turns(env, seed=2)[:-1]
    times = [info["now_ms"] for *_, info in turns]
    assert all(now_ms % 1000.0 == 0.0 for now_ms in times)
    assert len(set(times)) < len(times)
    assert (env._simulation.state.progress["outcome"] == DONE).any()


def test_the_registry_makes_both(built_home):
    assert isinstance(make_parallel_env("route", "s4", gateways=2), RouteParallelEnv)
    assert make_aec_env("route", "s4", scenario="calm").scenario.name == "calm"
    for make in (make_parallel_env, make_aec_env):
        with pytest.raises(EdgeBenchError, match="unknown track"):
            make("rout", "s4")


def test_without_pettingzoo_the_package_to_install_is_told(regions):
    code = (
        "import sys; sys.modules['pettingzoo'] = None; import edgebench.envs;"
        " edgebench.envs.make_parallel_env('route', 's1')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "pip install 'edgebench[marl]'" in result.stderr


def test_the_wheel_of_the_package_does_not_need_pettingzoo():
    code = "import sys; import edgebench.tracks.route.env, edgebench.envs; assert 'pettingzoo' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
