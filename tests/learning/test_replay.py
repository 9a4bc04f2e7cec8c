"""The memory of joint steps, and what learns from it."""

import copy

import numpy as np
import pytest
import torch
from lessons import method_of, practice_of, weights_of

from edgebench.learning.inputs import Inputs
from edgebench.learning.off_policy import of_others, shared_reward
from edgebench.learning.replay import Replay, joint_steps
from edgebench.learning.rollout import Experience, Tried
from edgebench.learning.seen import LEVELS, SHARES, Form

NODES, STEPS = 3, 5


def experience(episodes=2, *, steps=STEPS):
    """All nodes decide in every step; rows, actions and rewards tell episode, step and node."""
    step, episode, node = (part.ravel() for part in np.mgrid[:steps, :episodes, :NODES])
    number = torch.from_numpy(100.0 * episode + 10.0 * step + node).float()
    count = len(number)
    rows = torch.arange(NODES).expand(count, NODES)
    nodes = (rows + torch.from_numpy(node)[:, None]) % NODES  # the first row is the node itself
    inputs = Inputs(
        number[:, None, None].expand(count, NODES, 1).contiguous(), number[:, None], torch.ones(count, NODES).bool(),
        torch.zeros(count, 0), nodes, torch.zeros(count).long(), torch.zeros(count, 0, 0),
    )  # fmt: skip
    shares = torch.softmax(number[:, None] * torch.tensor([[0.01, 0.02, 0.03]]), -1)
    tried = Tried(shares, torch.zeros(count), torch.zeros(count, 3))
    return Experience(inputs, tried, number[:, None], torch.from_numpy(episode), torch.from_numpy(node), 0.0)


def told(number):
    """Episode, step and node."""
    return number // 100, number % 100 // 10, number % 10


@pytest.mark.parametrize("truncated", [True, False])
def test_joint_steps_are_drawn_whole_with_what_followed(truncated):
    replay, played = Replay(1000), experience()
    replay.add(played, played.reward[:, 0], truncated=truncated)
    drawn = replay.draw(60, torch.Generator().manual_seed(1))
    here, after = drawn.inputs.context[:, 0], drawn.after.context[:, 0]
    for group in drawn.group.unique():
        mine = drawn.group == group
        assert torch.equal(here[mine] % 10, torch.arange(NODES).float())
        assert len((here[mine] // 10).unique()) == 1
    torch.testing.assert_close(drawn.reward, here)
    goes_on = drawn.goes_on > 0
    torch.testing.assert_close(after[goes_on], here[goes_on] + 10.0)
    last = told(here)[1] == STEPS - 1
    assert torch.equal(~goes_on, last)
    assert last.any() == (not truncated)


def test_the_oldest_joint_steps_are_forgotten_whole():
    replay = Replay(20)
    for _ in range(3):
        played = experience()
        replay.add(played, played.reward[:, 0], truncated=False)
    assert len(replay) == 18  # six joint steps of three
    drawn = replay.draw(300, torch.Generator().manual_seed(1))
    episode, step, _ = told(drawn.inputs.context[:, 0])
    kept = {(int(one), int(other)) for one, other in zip(episode, step, strict=True)}
    assert kept == {(0, 4), *((1, step) for step in range(STEPS))}
    goes_on = drawn.goes_on > 0
    torch.testing.assert_close(drawn.after.context[goes_on, 0], drawn.inputs.context[goes_on, 0] + 10.0)


def test_what_it_holds_can_be_taken_up_again():
    replay, other, played = Replay(1000), Replay(1000), experience()
    replay.add(played, played.reward[:, 0], truncated=True)
    other.remember(replay.memory())
    one, two = (which.draw(30, torch.Generator().manual_seed(3)) for which in (replay, other))
    torch.testing.assert_close(one.inputs.context, two.inputs.context)
    torch.testing.assert_close(one.action, two.action)


def test_shares_of_the_others_are_those_sent_to_a_rows_node():
    played = experience(1, steps=1)
    shares = played.tried.action
    others = of_others(Form(("x",), ("y",), SHARES), played.inputs, shares, torch.zeros(NODES).long())
    sent = torch.zeros(NODES, NODES)  # by whom, to which node
    sent.scatter_(1, played.inputs.nodes.long(), shares)
    for node in range(NODES):
        for row in range(NODES):
            target = int(played.inputs.nodes[node, row])
            torch.testing.assert_close(others[node, row], sent[:, target].sum() - sent[node, target])


def test_levels_of_the_others_are_their_mean():
    action, group = torch.tensor([[0.0], [0.2], [0.4], [1.0]]), torch.tensor([0, 0, 0, 1])
    others = of_others(Form(("x",), ("y",), LEVELS, 1), experience(1).inputs, action, group)
    torch.testing.assert_close(others[:, 0], torch.tensor([0.3, 0.2, 0.1, 0.0]))


def test_a_decision_is_paid_for_what_it_brought_to_the_nodes_of_its_rows():
    played = experience(2)
    total = {}
    for group, reward in zip(joint_steps(played).tolist(), played.reward[:, 0].tolist(), strict=True):
        total[group] = total.get(group, 0.0) + reward
    expected = torch.tensor([total[group] for group in joint_steps(played).tolist()])
    torch.testing.assert_close(shared_reward(played), expected)  # every node is in the rows of every other


@pytest.mark.parametrize("name", ["maddpg", "matd3", "sac"])
def test_what_learns_from_it_goes_on_as_it_would_have(name, regions):
    world = practice_of("offload", "team", [regions["s1"]], each=1)
    small = {"steps": 4, "batch": 64, "head_start": 2, "actor_rate": 1.0}
    method = method_of(name, world, **small)
    method.practise(world)
    other = method_of(name, world, seed=9, **small)
    for part, module in method.modules().items():
        other.modules()[part].load_state_dict(copy.deepcopy(module.state_dict()))
    other.remember(copy.deepcopy(method.memory()))
    before, begun = weights_of(method).clone(), world.begun
    for one in (method, other):
        world.begun = begun
        one.practise(world)
    assert torch.equal(weights_of(method), weights_of(other))
    assert not torch.equal(before, weights_of(method))


def test_the_temperature_of_sac_finds_itself_or_stays(regions):
    world = practice_of("offload", "team", [regions["s1"]], each=1)
    small = {"steps": 6, "batch": 64, "head_start": 0}
    tuned, fixed = method_of("sac", world, **small), method_of("sac", world, tuned=False, **small)
    begun = fixed.log_temperature.item()
    for method in (tuned, fixed):
        method.practise(world)
    assert tuned.log_temperature.item() != begun
    assert fixed.log_temperature.item() == begun


def test_shares_begin_with_the_prior(regions):
    world = practice_of("offload", "team", [regions["s1"]], each=1)
    method = method_of("sac", world)
    world.begin()
    seen = world.seen()
    shares = torch.from_numpy(method.decide(seen))
    fair = torch.nn.functional.softplus(3.0 * torch.from_numpy(seen.rows[..., world.form.rows.index("fair")]))
    fair = fair * torch.from_numpy(seen.mask)
    assert (shares - fair / fair.sum(-1, keepdim=True)).abs().max() < 0.1
