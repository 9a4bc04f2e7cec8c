"""The Route methods: each learns and repeats, and each part, left out, changes what it is part of."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from lessons import CPU, lessons, method_of, weights_of, world_of

from edgebench.errors import EdgeBenchError
from edgebench.learning.coordination import nearness
from edgebench.learning.inputs import inputs_of
from edgebench.learning.ppo import PPOSettings
from edgebench.learning.rollout import play
from edgebench.learning.world import Practice
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.sight import LABELLED
from edgebench.tracks.route.world import RouteWorld
from reference_agents.learned.imitation import ANSWER, expert
from reference_agents.learned.pf_ppo import group_rates
from reference_agents.learned.ppo_cn import processes
from reference_agents.learned.vamappo import COVERED, DEVIATION
from reference_agents.route.lookahead import Agent

METHODS = ("a2c", "ppo_cn", "pf_ppo", "transformer", "imitation", "topofreerl", "vamappo")
PARTS = (
    *(("a2c", "critic"), ("ppo_cn", "coloured"), ("pf_ppo", "fairness")),
    *(("transformer", "attention"), ("transformer", "equity"), ("imitation", "aggregate")),
    *(("topofreerl", "se"), ("topofreerl", "dwa"), ("vamappo", "adaptation"), ("vamappo", "coordination")),
)


@pytest.fixture(scope="module")
def whole(regions):
    """Weights of every method after two rounds, and its rounds."""
    results = {}
    for name in METHODS:
        method, rounds = lessons(name, world_of(regions))
        results[name] = weights_of(method), rounds
    return results


@pytest.mark.parametrize("name", METHODS)
def test_two_rounds_repeat_exactly(name, whole, regions):
    method, rounds = lessons(name, world_of(regions))
    assert torch.equal(weights_of(method), whole[name][0])
    assert rounds == whole[name][1]
    assert torch.isfinite(whole[name][0]).all()


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_a_part_left_out_changes_what_is_learned(name, part, whole, regions):
    method, _ = lessons(name, world_of(regions), **{part: False})
    weights = weights_of(method)
    assert len(weights) != len(whole[name][0]) or not torch.equal(weights, whole[name][0])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ppo_cn", {"coloured": False, "entropy": PPOSettings().entropy}),
        ("pf_ppo", {"fairness": False}),
        ("topofreerl", {"se": False, "dwa": False}),
    ],
)
def test_without_its_parts_a_method_is_ppo(name, parts, regions):
    plain, _ = lessons("ppo", world_of(regions))
    without, _ = lessons(name, world_of(regions), **parts)
    assert torch.equal(weights_of(plain), weights_of(without))


@pytest.mark.parametrize("name", METHODS)
def test_taken_up_again_a_method_goes_on_as_it_would_have(name, regions):
    world = world_of(regions)
    method, _ = lessons(name, world, 1)
    other = method_of(name, world, seed=9)
    for part, module in method.modules().items():
        other.modules()[part].load_state_dict(module.state_dict())
    other.remember(copy.deepcopy(method.memory()))
    for one in (method, other):
        one.progress = 0.5
        one.practise(world_of(regions, seed=5))
    assert torch.equal(weights_of(method), weights_of(other))


@pytest.mark.parametrize("name", ("transformer", "imitation", "topofreerl"))
def test_the_order_of_rows_and_rows_that_do_not_count_make_no_difference(name, regions):
    world = world_of(regions)
    method, _ = lessons(name, world, 1)
    world.begin()
    seen = world.seen()
    rows = np.arange(seen.mask.shape[1])[::-1].copy()
    turned = seen._replace(
        rows=seen.rows[:, rows].copy(), mask=seen.mask[:, rows].copy(), nodes=seen.nodes[:, rows].copy()
    )
    scribbled = seen._replace(rows=np.where(seen.mask[..., None], seen.rows, np.float32(3.0)))
    chosen = method.decide(seen)
    np.testing.assert_array_equal(rows[method.decide(turned)], chosen)
    np.testing.assert_array_equal(method.decide(scribbled), chosen)


def test_rows_of_a_decision_never_share_a_process():
    nodes = torch.tensor([[3, 3, 3, 7, 7, 131, 3], [0, 1, 2, 3, 4, 5, 6]])
    process, is_shared = processes(nodes)
    for of_decision, shared in zip(process, is_shared, strict=True):
        own = of_decision[~shared]
        assert len(own.unique()) == len(own)
    assert not is_shared[1].any()


def test_coloured_noise_stays_with_a_node_from_decision_to_decision(regions):
    world = world_of(regions)
    method = method_of("ppo_cn", world)
    method.practise(world)
    world.begin()
    method._step = 0
    seen = world.seen()
    inputs = inputs_of(seen, CPU)
    _, is_shared = processes(inputs.nodes)
    own = inputs.mask & ~is_shared
    trail = []
    for method._step in range(200):
        trail.append(method._numbers(inputs, seen)[own])
    numbers = torch.stack(trail) - 0.5
    together = (numbers[1:] * numbers[:-1]).mean() / numbers.square().mean()
    assert together > 0.3


def test_fair_weights_fall_with_what_a_group_earns(regions):
    world = world_of(regions, each=8)
    method = method_of("pf_ppo", world)
    experience = play(world, method.explore, CPU)
    reward, groups = experience.reward[:, 0], method.groups(experience)
    weighed = method.rewards(experience)
    rates = group_rates(experience, groups, reward, 4)
    poorest, richest = (
        int(rates.nan_to_num(nan=other).argsort(descending=most)[0]) for other, most in ((9.0, False), (-9.0, True))
    )
    weight = {
        group: (weighed / reward)[(groups == group) & (reward.abs() > 1e-3)].mean() for group in (poorest, richest)
    }
    assert weight[poorest] / weight[richest] == pytest.approx(float(rates[richest] / rates[poorest]), rel=1e-3)


def test_rates_of_groups_are_means_over_their_tasks(regions):
    world = world_of(regions, each=8)
    method = method_of("pf_ppo", world)
    experience = play(world, method.explore, CPU)
    groups, reward = method.groups(experience), experience.reward[:, 0]
    tasks = {}
    for episode, stream, group, earned in zip(
        experience.episode.tolist(), experience.stream.tolist(), groups.tolist(), reward.tolist(), strict=True
    ):
        tasks.setdefault(group, {}).setdefault((episode, stream), []).append(earned)
    wanted = [
        np.mean([sum(task) for task in tasks[group].values()]) if group in tasks else np.nan for group in range(4)
    ]
    np.testing.assert_allclose(group_rates(experience, groups, reward, 4), wanted, atol=1e-4)


@pytest.mark.parametrize("scenario", ("trap", "outage"))
def test_the_expert_is_lookahead(scenario, regions):
    env, agent = RouteEnv(regions["s1"], scenario=scenario), Agent()
    world = world_of(regions, each=1, scenario=scenario)
    agreed = []
    for window in range(3):
        observation, info = env.reset(options={"window": window, "seed": 7})
        world.world.begin([(window, 7)])
        agent.reset(info | {"region": "s1", "topology": regions["s1"].public()})
        while (seen := world.seen()).episode.size:
            action = agent.act(observation, info)
            agreed.append(expert(world.form, inputs_of(seen, CPU)).item() == action)
            observation, _, _, _, info = env.step(action)
            world.step(np.array([action]))
    assert len(agreed) > 500
    assert np.mean(agreed) > 0.98


def test_the_experts_answer_is_kept_from_the_imitator(regions):
    world = world_of(regions)
    method = method_of("imitation", world)
    world.begin()
    seen = world.seen()
    other = seen.rows.copy()
    other[..., world.form.rows.index(ANSWER)] = 5.0
    np.testing.assert_array_equal(method.decide(seen), method.decide(seen._replace(rows=other)))


def test_the_imitator_comes_to_agree_and_takes_over(regions):
    world = world_of(regions, each=8)
    method, rounds = lessons("imitation", world, 6, minibatch=64)
    assert rounds[-1].figures["cross_entropy"] < 0.7 * rounds[0].figures["cross_entropy"]
    assert method.experts_share() == 0.0
    cloned, rounds = lessons("imitation", world, 1, aggregate=False)
    assert rounds[0].figures["agreed"] == 1.0
    assert cloned.experts_share() == 1.0


def test_the_gate_follows_telemetry_and_preferences(regions):
    world = world_of(regions)
    method, _ = lessons("topofreerl", world, 3)
    world.begin()
    inputs = inputs_of(world.seen(), CPU)
    encoder = method.network.encoder
    gates = encoder.gates(inputs)
    assert gates.shape == inputs.rows[:, 0].shape
    untouched = [row for row in range(gates.shape[1]) if row not in encoder.channels]
    assert (gates[:, untouched] == 1.0).all()
    context, rows = inputs.context.clone(), inputs.rows.clone()
    context[:, encoder.preferences] = torch.tensor([0.1, 0.9])
    rows[..., encoder.channels] += 1.0
    for changed in (inputs._replace(context=context), inputs._replace(rows=rows)):
        assert not torch.allclose(encoder.gates(changed), gates)


def test_weights_of_objectives_follow_who_falls_behind_and_entropy_holds_them_together(regions):
    world = world_of(regions)
    spread = {}
    for tau in (0.1, 0.5, 50.0):
        method = method_of("topofreerl", world, tau=tau)
        method.adapt(torch.tensor([0.5, 0.5, 0.5]))
        torch.testing.assert_close(method.weights, torch.full((3,), 1 / 3))
        for _ in range(5):
            method.adapt(torch.tensor([0.5, 0.4, 0.3]))
        assert method.weights.sum().item() == pytest.approx(1.0)
        assert method.weights[0] > method.weights[1] > method.weights[2]
        spread[tau] = float(method.weights[0] - method.weights[2])
    assert spread[0.1] > spread[0.5] > spread[50.0]
    assert spread[50.0] < 0.01


def test_even_weights_leave_the_reward_the_utility(regions):
    world = world_of(regions)
    method = method_of("topofreerl", world)
    experience = play(world, method.explore, CPU)
    torch.testing.assert_close(method.rewards(experience), experience.reward[:, 0], atol=1e-5, rtol=0.0)


def test_trap_labels_need_a_world_that_shows_them(regions):
    plain, privileged = world_of(regions), world_of(regions, privileged=True)
    assert privileged.form.rows == (*plain.form.rows, *LABELLED)
    for world, wanted in ((plain, True), (privileged, False)):
        with pytest.raises(EdgeBenchError, match="trap_labels"):
            method_of("topofreerl", world, trap_labels=wanted)
    method, _ = lessons("topofreerl", privileged, trap_labels=True)
    assert method.face_settings(method.settings, "single") == {"privileged": True}
    assert method.face_settings(method_of("topofreerl", plain).settings, "single") == {}


def test_labels_stand_behind_the_other_features_and_tell_of_traps(regions):
    plain, privileged = (world_of(regions, privileged=shown) for shown in (False, True))
    told = 0.0
    for world in (plain, privileged):
        world.world.begin([(window, 7) for window in range(4)])
    while (seen := privileged.seen()).episode.size:
        features = len(plain.form.rows)
        np.testing.assert_array_equal(seen.rows[..., :features], plain.seen().rows)
        labels = seen.rows[..., features:]
        assert labels.min() >= 0.0 and labels.max() <= 2.0
        assert not labels[~seen.mask].any()
        told += float(labels[..., 0].sum())
        action = np.argmax(seen.rows[..., plain.form.rows.index(ANSWER)] + np.where(seen.mask, 0.0, -9.0), -1)
        for world in (plain, privileged):
            world.step(action)
    assert told > 0.0


def test_deviations_come_to_cover_what_they_say(regions):
    world = world_of(regions, each=8)
    method, _ = lessons("vamappo", world, 6, minibatch=512)
    experience = play(world, method.explore, CPU)
    judged = method.judge(experience, world)
    assert abs(method.covered - COVERED) < 0.08
    assert (experience.tried.values[:, DEVIATION] > 0.0).all()
    assert experience.tried.values[:, DEVIATION].std() > 0.01
    assert judged.advantage.shape == judged.targets[:, 0].shape


def test_steps_shrink_where_the_critic_is_less_sure_than_it_was(regions):
    method = method_of("vamappo", world_of(regions), bound=1.5)
    plain = method.learning_rate(), method.clip()
    values, returns = torch.zeros(100, 4), torch.linspace(-1.0, 1.0, 100)
    values[:, DEVIATION] = 0.5
    method.measure(values, returns)
    assert method.caution() == pytest.approx(1.0)
    method.measure(values, 3.0 * returns)
    assert method.caution() < 1.0
    assert method.learning_rate() < plain[0] and method.clip() < plain[1]
    method.measure(values, 100.0 * returns)
    assert method.caution() == pytest.approx(1.0 / 1.5)
    for _ in range(3):
        method.measure(values, 0.01 * returns)
    assert method.caution() > 1.0


class Listening(RouteWorld):
    """A world that keeps what is told and passes it to nobody."""

    def __init__(self, regions):
        super().__init__([regions["s1"]], scenario="trap", split="train", each=4)
        self.form = replace(self.form, messages=2)
        self.told = []

    def step(self, actions):
        self.told.append(actions[:, 1:])
        return super().step(actions[:, 0].astype(np.int64))


def test_messages_are_drawn_learned_and_left_out(regions):
    told = {}
    for messages in (True, False):
        world = Practice(Listening(regions), [regions["s1"]], "train", 1)
        method, _ = lessons("vamappo", world, messages=messages)
        told[messages] = np.concatenate(world.world.told)
        world.begin()
        assert method.decide(world.seen()).shape == (4, 3)
    assert told[True].shape[1] == 2 and np.abs(told[True]).max() <= 1.0 and told[True].std() > 0.1
    assert not told[False].any()


def test_nearness_has_links_and_oneself(regions):
    grounds = world_of(regions, names=("s1", "s2")).grounds
    near = nearness(grounds)
    few, many = (len(ground.closeness) for ground in grounds)
    assert near.shape == (2, many, many) and few < many
    assert (np.diagonal(near[1]) == 1.0).all()
    assert not near[0, few:].any()
    np.testing.assert_array_equal(near[1] - np.eye(many, dtype=np.float32), grounds[1].closeness)
    np.testing.assert_array_equal(near, near.transpose(0, 2, 1))
