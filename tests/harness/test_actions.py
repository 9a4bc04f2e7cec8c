"""Actions that are no single number: their form, what makes them invalid, and their way from the agent's process."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgebench.errors import EdgeBenchError
from edgebench.harness.actions import ActionForm, action_form, action_problem
from edgebench.harness.process import AgentFailure, AgentProcess, Budgets
from edgebench.harness.worker import WrongAction, as_array

SHORT = Budgets(decision_wall_s=2.0)
BOX = spaces.Box(0.0, 1.0, (2, 3), np.float32)
TRIPLES = spaces.MultiDiscrete([4, 3, 2])


def decide(source, form, observation=None):
    with AgentProcess(source, SHORT) as agent:
        agent.reset({}, form)
        return agent.act(observation or {"action_mask": np.ones(3, np.int8)}, {}).action


def test_the_form_is_that_of_the_space():
    assert action_form(spaces.Discrete(5)) is None
    assert action_form(TRIPLES) == ActionForm("<i8", (3,)) and action_form(TRIPLES).size == 24
    assert action_form(BOX) == ActionForm("<f4", (2, 3)) and action_form(BOX).size == 24
    with pytest.raises(EdgeBenchError, match="no agent can be asked"):
        action_form(spaces.Text(3))


@pytest.mark.parametrize(
    ("action", "problem"),
    [(0, None), (2, "masked out"), (3, "outside 0 … 2"), (-1, "outside 0 … 2"), (2**62, "outside")],
)
def test_a_whole_number_is_checked_against_range_and_mask(action, problem):
    told = action_problem(spaces.Discrete(3), np.array([1, 1, 0], np.int8), action)
    assert told is None if problem is None else problem in told


@given(st.tuples(st.integers(-2, 5), st.integers(-2, 4), st.integers(-2, 3)))
def test_several_numbers_are_valid_where_the_flat_mask_says_so(action):
    mask = np.arange(24, dtype=np.int8) % 2
    inside = all(0 <= number < top for number, top in zip(action, (4, 3, 2), strict=True))
    valid = inside and mask.reshape(4, 3, 2)[action] == 1
    assert (action_problem(TRIPLES, mask, np.array(action)) is None) == valid


@given(arrays.arrays(np.float32, (2, 3), elements=st.floats(-2, 2, width=32) | st.just(np.nan) | st.just(np.inf)))
def test_shares_are_finite_and_within_bounds(action):
    valid = bool(np.isfinite(action).all() and (action >= 0).all() and (action <= 1).all())
    assert (action_problem(BOX, np.ones((2, 3), np.int8), action) is None) == valid


def test_an_array_comes_back_bit_for_bit(agent_source):
    source = agent_source("""
        import numpy as np
        def act(observation):
            return np.sqrt(np.arange(6, dtype=np.float32)).reshape(2, 3)
    """)
    expected = np.sqrt(np.arange(6, dtype=np.float32)).reshape(2, 3)
    assert decide(source, ActionForm("<f4", (2, 3))).tobytes() == expected.tobytes()


def test_an_array_larger_than_a_pipe_comes_back(agent_source):
    source = agent_source("""
        import numpy as np
        def act(observation):
            return np.arange(300_000)
    """)
    assert (decide(source, ActionForm("<i8", (300_000,))) == np.arange(300_000)).all()


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("3", "wrong type"),
        ("None", "wrong type"),
        ("np.ones((3, 2))", "wrong shape"),
        ("[[1, 2, 3]]", "wrong shape"),
        ("[[1, 2, 3], [4]]", "wrong shape"),
        ("np.array([['a'] * 3] * 2)", "wrong type"),
        ("np.ones((2, 3), bool)", "wrong type"),
        ("np.ones((2, 3), complex)", "wrong type"),
        ("np.array([[object()] * 3] * 2)", "wrong type"),
    ],
)
def test_another_form_is_an_invalid_action(agent_source, answer, detail):
    source = agent_source(f"import numpy as np\ndef act(observation):\n    return {answer}\n")
    with pytest.raises(AgentFailure, match=detail) as failure:
        decide(source, ActionForm("<f4", (2, 3)))
    assert failure.value.status == "invalid"


@pytest.mark.parametrize("answer", [[1.0, 2.0], np.ones(2), "12", [[1], [2]]])
def test_whole_numbers_must_be_whole(answer):
    with pytest.raises(WrongAction):
        as_array(answer, "<i8", (2,))


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3))
def test_lists_and_tuples_of_numbers_are_arrays(numbers):
    assert as_array(tuple(numbers), "<i8", (3,)).tolist() == numbers


def test_what_is_too_large_for_the_type_is_infinite_and_so_invalid():
    action = as_array([[1e300, 0, 0], [0, 0, 0]], "<f4", (2, 3))
    assert "not a finite number" in action_problem(BOX, np.ones((2, 3), np.int8), action)


FORGED = """
import os, struct
def act(observation):
    for fd in range(3, 16):
        try:
            os.write(fd, {forged})
        except OSError:
            pass
    return [0.5] * 4
"""


@pytest.mark.parametrize(
    "forged",
    [
        "struct.pack('<4sIQqQ480s', b'EBr1', 4, 3, 16, 0, b'') + bytes(16)",
        "struct.pack('<4sIQqQ480s', b'EBr1', 4, 3, 2**40, 0, b'')",
        "struct.pack('<4sIQqQ480s', b'EBr1', 4, 3, -1, 0, b'')",
        "struct.pack('<4sIQqQ480s', b'EBr1', 4, 3, 16, 0, b'') + bytes(17)",
    ],
    ids=("of the right length, and a true one behind", "of another length", "of negative length", "too long"),
)
def test_a_forged_array_gains_nothing(agent_source, forged):
    """Whatever is written into the pipe beside the reply ends the episode, or is the agent's own answer."""
    source = agent_source(FORGED.format(forged=forged))
    with AgentProcess(source, SHORT) as agent:
        agent.reset({}, ActionForm("<f4", (4,)))
        try:
            action = agent.act({"x": 1}, {}).action
        except AgentFailure as failure:
            assert failure.status == "error"
            return
        assert action.shape == (4,)
        with pytest.raises(AgentFailure):
            agent.act({"x": 1}, {})
