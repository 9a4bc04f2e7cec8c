"""An episode's trace and its picture, checked against the simulator's own steps."""

import copy
import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from varied_regions import varied

from edgebench.constants import TRAP_SLOT_MS, WINDOW_TASKS
from edgebench.errors import EdgeBenchError
from edgebench.registry import SCENARIOS
from edgebench.show import episode_plot
from edgebench.show.episode import (
    EpisodeName,
    EpisodeTrace,
    arrivals,
    describe_episode,
    parse_episode,
    record_episode,
)
from edgebench.show.truth import late_shares, moment_of, now_of, queued_s, schedule_of, transfers_at
from edgebench.sim.chains import slot_of
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.servers import lose_what_failed
from edgebench.tracks.route.simulation import unpack
from edgebench.tracks.route.state import DONE, RUNNING, TURN
from edgebench.tracks.route.transfers import jitter

EVERY_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS)


def first_valid(observation):
    return int(observation["action_mask"].argmax())


def last_valid(observation):
    return int(np.flatnonzero(observation["action_mask"])[-1])


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


@pytest.fixture(scope="module")
def traces(s1):
    return {name: record_episode(s1, EpisodeName(name, 0, 0), "last-valid", last_valid) for name in SCENARIOS}


@pytest.fixture
def play(s1):
    """Every moment of an episode before its next step: `play(scenario)` yields the simulation."""

    def steps(scenario, region=s1, choose=last_valid, seed=0):
        env = RouteEnv(region, scenario=scenario, split="test", privileged=True)
        observation, _ = env.reset(options={"window": 0, "seed": seed})
        over = False
        while not over:
            yield env._simulation
            observation, _, over, *_ = env.step(choose(observation))
        yield env._simulation

    return steps


@pytest.mark.parametrize(
    ("text", "name"), [("trap:0", ("trap", 0, 0)), ("calm:17:3", ("calm", 17, 3)), ("drift:007", ("drift", 7, 0))]
)
def test_an_episode_is_named_by_scenario_seed_and_window(text, name):
    assert parse_episode(text) == name


@pytest.mark.parametrize(
    "text",
    ["", ":", "trap", "trap:", "trap:x", "trap:-1", "trap:1.0", "trap: 1", "trap:1_0", "trap:²", "trap:0:",
     "trap:0:1:2", "trap:0\n", "trap:" + "9" * 5000],
)  # fmt: skip
def test_text_of_another_form_is_refused(text):
    with pytest.raises(EdgeBenchError, match="SCENARIO:SEED"):
        parse_episode(text)


def test_an_unknown_scenario_and_too_large_a_seed_are_refused():
    with pytest.raises(EdgeBenchError, match="did you mean 'trap'"):
        parse_episode("tarp:0")
    with pytest.raises(EdgeBenchError, match="seed is 9223372036854775808"):
        parse_episode("trap:9223372036854775808")


@given(st.text(max_size=20) | st.from_regex(r"(trap|calm|x):[0-9]{1,25}(:[0-9]{0,12})?", fullmatch=True))
def test_any_text_is_an_episode_or_refused(text):
    try:
        name = parse_episode(text)
    except EdgeBenchError:
        return
    assert name.scenario in SCENARIOS and 0 <= name.seed < 2**63 and name.window >= 0


def test_a_window_that_does_not_exist_is_refused(s1):
    with pytest.raises(EdgeBenchError, match="no window 4"):
        record_episode(s1, EpisodeName("trap", 0, 4), "first-valid", first_valid)


@EVERY_SCENARIO
def test_the_trace_is_the_environment_s_episode(s1, traces, scenario):
    env, trace = RouteEnv(s1, scenario=scenario, split="test"), traces[scenario]
    observation, _ = env.reset(options={"window": 0, "seed": 0})
    over = False
    while not over:
        observation, _, over, *_ = env.step(last_valid(observation))
    assert trace.at_s.size == env.summary()["decisions"]
    assert trace.utility == pytest.approx(env.summary()["utility"], abs=1e-12)


@EVERY_SCENARIO
def test_shapes_and_bounds(traces, scenario):
    trace = traces[scenario]
    decisions, slots = trace.at_s.size, int(trace.at_s[-1] * 1000 / TRAP_SLOT_MS) + 1
    assert (np.diff(trace.at_s) >= 0).all()
    assert trace.in_flight.shape == (decisions,) and trace.queued_s.shape == (decisions, 25)
    assert (trace.in_flight >= 1).all() and trace.in_flight.max() <= WINDOW_TASKS
    assert (trace.queued_s >= 0).all() and trace.queued_s.any()
    assert trace.bad.shape == (9, slots) and trace.down.shape == (25, slots) and trace.late.shape == (slots,)
    assert arrivals(trace).sum() == WINDOW_TASKS and arrivals(trace).size == slots


def test_what_happens_in_a_scenario_is_in_its_trace_alone(traces):
    assert {name for name, trace in traces.items() if trace.bad.any()} == set(SCENARIOS) - {"calm"}
    assert {name for name, trace in traces.items() if trace.down.any()} == {"outage"}
    assert {name for name, trace in traces.items() if trace.late.any()} == {"jitter"}
    assert traces["drift"].bad.sum() < traces["trap"].bad[:, : traces["drift"].bad.shape[1]].sum()
    assert traces["burst"].arrived_s[-1] < traces["trap"].arrived_s[-1]


def test_nodes_are_down_when_the_labels_say_so(play):
    told = 0
    for simulation in play("outage"):
        down = moment_of(simulation, schedule_of(simulation)).down
        seen = simulation.seen
        for column in np.flatnonzero(seen.action_mask):
            node = simulation.topology.instance["node"][seen.instances[column]]
            assert bool(seen.labels[2, column]) == down[node]
            told += down[node]
    assert told > 0


def test_links_are_bad_when_the_simulator_met_them_so(play):
    met = set()
    for simulation in play("trap"):
        bad, monitor = schedule_of(simulation).bad, simulation.state.monitor
        for trap in np.flatnonzero(monitor["slot"] >= 0):
            assert bad[trap, monitor["slot"][trap]] == bool(monitor["is_bad"][trap])
            met.add(bool(monitor["is_bad"][trap]))
    assert met == {False, True}


@njit
def _lose_everywhere(address, now_ms):
    topology, _, state, _, _ = unpack(address)
    for node in range(topology.node.shape[0]):
        lose_what_failed(topology, state, node, slot_of(now_ms))


@EVERY_SCENARIO
def test_queues_are_what_the_simulator_finds_when_it_looks_at_every_node(play, scenario):
    emptied = 0
    for simulation in itertools.islice(play(scenario), 150):
        now_ms = now_of(simulation)
        looked = copy.deepcopy(simulation)
        if scenario == "outage":
            _lose_everywhere(looked.address, now_ms)
        expected = np.maximum(0.0, looked.state.server["free_ms"] - now_ms) / 1000.0
        np.testing.assert_array_equal(queued_s(simulation, schedule_of(simulation), now_ms), expected)
        emptied += (looked.state.server["free_ms"] < simulation.state.server["free_ms"]).sum()
    assert (emptied > 0) == (scenario == "outage")


@njit
def _late_ways(address, nodes, now_ms):
    _, _, state, _, _ = unpack(address)
    late = 0
    for source in range(nodes):
        for target in range(nodes):
            late += jitter(state, nodes, source, target, now_ms) > 0.0
    return late


def test_shares_of_late_ways_are_the_simulator_s(play, traces):
    simulation = next(play("jitter"))
    expected = [_late_ways(simulation.address, 25, slot * TRAP_SLOT_MS) / (25 * 24) for slot in range(20)]
    assert traces["jitter"].late[:20].tolist() == expected
    assert not late_shares(25, 0, 0.0, 5).any() and not late_shares(1, 0, 1.0, 5).any()


def test_what_was_sent_is_under_way_until_it_arrives(play):
    seen, before = 0, None
    for simulation in play("trap"):
        transfers = transfers_at(simulation, now_of(simulation))
        assert all(0.0 <= transfer.share < 1.0 for transfer in transfers)
        if before is not None:
            number, stage, source = before
            progress = simulation.state.progress[number]
            if progress["outcome"] == RUNNING and progress["waiting"] >> stage & 1:
                ends = [(transfer.source, transfer.target) for transfer in transfers]
                assert (source, progress["at_node"][stage]) in ends
                seen += 1
        before = simulation.seen.place[1:4].tolist()
    assert seen > 50


def test_answers_are_under_way_to_their_users(play):
    answers = 0
    for simulation in play("trap", choose=first_valid):
        now_ms, progress = now_of(simulation), simulation.state.progress
        there_ms = progress["born_ms"] + progress["latency_ms"]
        leaving = np.flatnonzero((progress["outcome"] == DONE) & (progress["done_ms"] <= now_ms) & (there_ms > now_ms))
        ends = {(transfer.source, transfer.target) for transfer in transfers_at(simulation, now_ms)}
        for number in leaving:
            task = simulation.tasks[progress["row"][number]]
            assert (progress["at_node"][number][task["stages"] - 1], task["user_node"]) in ends
        answers += leaving.size
    assert answers > 0


def test_every_input_of_a_stage_is_under_way_at_once(play, s1):
    several = 0
    for simulation in play("calm", region=varied(s1, "graphs")):
        state, now_ms = simulation.state, now_of(simulation)
        for progress in state.progress:
            task = simulation.tasks[progress["row"]]
            for stage in range(task["stages"]):
                under_way = progress["waiting"] >> stage & 1 and progress["sent_to"][stage] >= 0
                parents = int(task["parents"][stage]).bit_count()
                if parents > 1 and under_way and progress["due_ms"][stage] > now_ms and progress["outcome"] == RUNNING:
                    to_it = [t for t in transfers_at(simulation, now_ms) if t.target == progress["at_node"][stage]]
                    assert len(to_it) >= parents
                    several += 1
    assert several > 0


def test_looking_changes_nothing(play):
    for simulation in itertools.islice(play("outage"), 0, 200, 10):
        before = [part.tobytes() for part in (*simulation.state, *simulation.seen)]
        moment_of(simulation, schedule_of(simulation))
        assert [part.tobytes() for part in (*simulation.state, *simulation.seen)] == before


def test_the_end_of_an_episode_has_no_decision(play):
    *_, simulation = play("trap", choose=first_valid)
    moment = moment_of(simulation, schedule_of(simulation))
    assert (moment.at_node, moment.user_node, moment.in_flight, moment.ended) == (-1, -1, 0, WINDOW_TASKS)
    assert moment.transfers == [] and moment.candidate_nodes.size == 0
    assert moment.now_ms >= simulation.state.progress["done_ms"].max()
    assert simulation.state.cursor[TURN] == -1


@EVERY_SCENARIO
def test_figures_are_plain_json(s1, traces, scenario):
    figures = json.loads(json.dumps(describe_episode(s1, traces[scenario]), allow_nan=False))
    assert (figures["region"], figures["scenario"], figures["seed"], figures["window"]) == ("s1", scenario, 0, 0)
    assert sum(figures["by_slot"]["tasks_arriving"]) == figures["tasks"] == WINDOW_TASKS
    assert {len(column) for column in figures["by_decision"].values()} == {figures["decisions"]}
    assert len({len(column) for column in figures["by_slot"].values()}) == 1
    assert max(figures["by_slot"]["bad_trap_links"]) <= figures["trap_links"] == 9


@EVERY_SCENARIO
def test_every_scenario_is_drawn_alike_twice(s1, traces, scenario, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a.png", "b.png"):
        episode_plot.draw_episode(s1, traces[scenario], tmp_path / name)
    drawn = (tmp_path / "a.png").read_bytes()
    assert drawn.startswith(b"\x89PNG") and len(drawn) < 80_000
    assert drawn == (tmp_path / "b.png").read_bytes()


def test_only_what_happens_has_a_chart(traces):
    charts = {name: {chart.draw.__name__ for chart in episode_plot._charts(trace)} for name, trace in traces.items()}
    usual = charts["calm"] | {"_draw_traps"}
    assert charts["calm"] == {"_draw_arrivals", "_draw_in_flight", "_draw_queues", "_draw_total"}
    assert charts["trap"] == charts["burst"] == charts["drift"] == usual
    assert charts["outage"] == usual | {"_draw_outages"} and charts["jitter"] == usual | {"_draw_late"}


@pytest.mark.parametrize(("nodes", "decisions"), [(1, 1), (2000, 300)])
def test_the_smallest_and_the_largest_are_drawn(s1, tmp_path, nodes, decisions):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    at_s = np.sort(rng.uniform(0, 50, decisions))
    slots = int(at_s[-1]) + 1
    trace = EpisodeTrace(
        name=EpisodeName("outage", 0, 0),
        agent="x",
        at_s=at_s,
        in_flight=rng.integers(1, 50, decisions),
        queued_s=rng.exponential(1.0, (decisions, nodes)),
        arrived_s=at_s[:50],
        utility=0.0,
        bad=rng.random((nodes // 5, slots)) < 0.3,
        down=rng.random((nodes, slots)) < 0.1,
        late=rng.random(slots),
    )
    episode_plot.draw_episode(s1, trace, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_of_the_queues_holds_the_busiest_nodes(s1, traces):
    figure_module = pytest.importorskip("matplotlib.figure")
    axes = figure_module.Figure().subplots()
    episode_plot._draw_queues(axes, traces["trap"])
    shown = [int(label.get_text()) for label in axes.get_yticklabels()]
    assert shown == sorted(range(25), key=lambda node: -traces["trap"].queued_s[:, node].mean())
    assert re.search("25 busiest of 25 nodes", axes.get_title(loc="left"))
