"""What holds a simulation: refusals, and memory to the last byte."""

import numpy as np
import pytest
from toy_network import task_record, toy_topology

from edgebench.constants import MODEL_TYPES
from edgebench.registry import SCENARIOS
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import DONE

CALM = make_rules(SCENARIOS["calm"].parameters())


def lone(topology, count):
    """Tasks of one stage, a minute after each other."""
    tasks = np.array([task_record([("text", 10, 1.0)], deadline_ms=10**6) for _ in range(count)])
    tasks["arrival_ms"] = 60_000.0 * np.arange(count)
    return Simulation(topology, tasks, CALM)


def test_a_step_after_the_end_and_a_window_that_is_not_there_are_refused():
    instances = [(0, kind, 0.5, 1.0, 0.0, 0.01) for kind in MODEL_TYPES]
    simulation = lone(toy_topology([(0, 1, 1.0, 50.0)], [20, 20], instances), 1)
    for window in (-1, 1):
        with pytest.raises(ValueError, match="no window"):
            simulation.start(window, 0)
    with pytest.raises(ValueError, match="over"):
        simulation.step(0)
    simulation.start(0, 0)
    simulation.step(0)
    with pytest.raises(ValueError, match="over"):
        simulation.step(0)


def test_a_model_as_large_as_its_node_is_loaded_whatever_was_loaded_before():
    """Sums of sizes with fractions leave a rest when they are taken off again."""
    sizes = [3.301, 4.107, 2.703, 5.909, 6.113, 1.007, 20.0]
    instances = [(0, "text", 0.5, 1.0, size, 0.01) for size in sizes]
    instances += [(1, kind, 0.5, 1.0, 1.0, 0.01) for kind in MODEL_TYPES[1:]]
    simulation = lone(toy_topology([(0, 1, 1.0, 50.0)], [20, 20], instances), 50)
    simulation.start(0, 0)
    draw = np.random.default_rng(0)
    while not simulation.over:
        simulation.step(int(draw.integers(len(sizes))))
        assert 0.0 <= simulation.state.server["stored_gb"][0] <= 20.0
    assert (simulation.state.progress["outcome"] == DONE).all()
