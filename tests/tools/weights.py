"""A network's weights at one moment, to tell whether training moved them and whether it can be repeated."""

import torch


def copied(network):
    """Every parameter by name, detached from training."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def same(first, second):
    """Whether two copies agree to the last bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
