"""Layers on graphs: the order of rows does not matter, links do; methods on them decide alike."""

import numpy as np
import pytest
import torch
from lessons import practice_of

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.learning.graphs import GINELayer, GINLayer, averaged, node_weights
from edgebench.learning.inputs import inputs_of
from edgebench.learning.world import make_world
from reference_agents.learned.gnn_ppo import GNNPPO, GNNSettings
from reference_agents.learned.ma_ppo import MAPPO, MAPPOSettings

CPU = torch.device("cpu")


def route_decisions(region="s1"):
    """A world on Route and its first decisions."""
    world = practice_of("route", "single", [edgebench.load(region)], each=3, seed=2)
    world.begin()
    return world, inputs_of(world.seen(), CPU)


def shuffled(inputs, order):
    """The same rows in another order."""
    edges = inputs.edges[:, order][:, :, order] if inputs.edges.shape[1] else inputs.edges
    return inputs._replace(
        rows=inputs.rows[:, order], mask=inputs.mask[:, order], nodes=inputs.nodes[:, order], edges=edges
    )


@pytest.mark.parametrize("kind", [GINLayer, GINELayer])
def test_a_layer_hears_its_neighbours_alone(kind):
    layer, rows = kind(3, 4), torch.arange(12.0).reshape(1, 4, 3) / 10.0
    weights = torch.zeros(1, 4, 4)
    weights[0, 0, 1] = weights[0, 1, 0] = 1.0
    before, changed = layer(rows, weights), rows.clone()
    changed[0, 1] += 1.0
    after = layer(changed, weights)
    assert not torch.allclose(before[0, 0], after[0, 0])
    assert torch.allclose(before[0, 2:], after[0, 2:])


def test_weights_follow_links_and_leave_out_what_may_not_be_chosen():
    world, inputs = route_decisions()
    weights = node_weights(inputs, world.grounds)
    closeness = torch.from_numpy(world.grounds[0].closeness)
    assert (weights[~inputs.mask] == 0.0).all()
    assert weights.diagonal(dim1=1, dim2=2).abs().max() == 0.0
    decision, one, other = (int(index) for index in torch.nonzero((weights > 0.0) & (weights < 1.0))[0])
    nodes = inputs.nodes[decision]
    assert weights[decision, one, other] == closeness[nodes[one], nodes[other]]
    total = averaged(weights).sum(-1)
    assert torch.isclose(total, torch.ones(()), atol=1e-5).logical_or(total == 0.0).all()


@pytest.mark.parametrize("region", ["s1", "trap500"])
def test_gnn_scores_follow_their_rows(region, variants_home, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(variants_home))
    world, inputs = route_decisions(region)
    method = GNNPPO(world.form, GNNSettings(), 1, CPU)
    method.enter(world.grounds)
    for parameter in method.network.parameters():
        parameter.data += 0.1
    order = torch.from_numpy(np.random.default_rng(1).permutation(inputs.mask.shape[1]))
    plain, mixed = method.outputs(inputs), method.outputs(shuffled(inputs, order))
    valid = inputs.mask[:, order]
    assert torch.allclose(plain.scores[:, order][valid], mixed.scores[valid], atol=1e-5)
    assert torch.allclose(plain.values, mixed.values, atol=1e-5)


def test_gnn_without_links_is_another_policy_of_as_many_weights():
    world, inputs = route_decisions()
    methods = [GNNPPO(world.form, GNNSettings(links=links), 1, CPU) for links in (True, False)]
    scores = []
    for method in methods:
        method.enter(world.grounds)
        scores.append(method.outputs(inputs).values)
    assert not torch.allclose(*scores)
    assert len({sum(weight.numel() for weight in method.network.parameters()) for method in methods}) == 1


def placed(**settings):
    """A world on Place with graphs, a method, its first decisions with an expert picked."""
    world = practice_of(
        "place", "single", [edgebench.load("s1")], each=2, seed=2, **MAPPO.face_settings(MAPPOSettings(), "single")
    )
    world.begin()
    method = MAPPO(world.form, MAPPOSettings(**settings), 1, CPU)
    method.enter(world.grounds)
    world.step(np.array([3, 9]))
    return world, method, inputs_of(world.seen(), CPU)


def test_both_agents_score_their_own_rows_in_any_order():
    _, method, inputs = placed()
    order = torch.cat([torch.randperm(64, generator=torch.Generator().manual_seed(1)), torch.arange(64, 88)])
    plain, mixed = method.outputs(inputs), method.outputs(shuffled(inputs, order))
    assert torch.allclose(plain.scores[:, order], mixed.scores, atol=1e-5)
    assert (method.best(inputs) >= 64).all()


def test_the_device_decoder_is_told_the_expert():
    _, method, inputs = placed()
    other = inputs.rows.clone()
    picked = method.form.rows.index("is_picked")
    other[:, :64, picked] = other[:, :64, picked].roll(7, 1)
    assert not torch.equal(method.outputs(inputs).scores, method.outputs(inputs._replace(rows=other)).scores)
    for parts in ({"graph": False}, {"conditioned": False}):
        _, without, _ = placed(**parts)
        assert not torch.equal(method.outputs(inputs).scores, without.outputs(inputs).scores)


def test_ma_ppo_learns_a_round_and_refuses_decisions_without_a_graph():
    world, method, _ = placed(minibatch=256)
    before = {name: part.clone() for name, part in method.network.state_dict().items()}
    lesson = method.practise(world)
    assert lesson.decisions == 640
    assert any(not torch.equal(part, before[name]) for name, part in method.network.state_dict().items())
    plain = make_world("place", "single", [edgebench.load("s1")], each=1)
    with pytest.raises(EdgeBenchError, match="graph"):
        MAPPO(plain.form, MAPPOSettings(), 1, CPU)
