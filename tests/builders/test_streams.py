"""The grid of draws is that of the counter, draw by draw."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.streams import Stream, grid
from edgebench.sim.counter import uniform


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    stream=st.sampled_from(list(Stream)),
    rows=st.integers(0, 7),
    columns=st.integers(0, 5),
)
def test_a_row_is_an_entity_and_a_column_a_slot(seed: int, stream: Stream, rows: int, columns: int) -> None:
    drawn = grid(seed, stream, rows, columns)
    expected = [[uniform(seed, int(stream), row, column) for column in range(columns)] for row in range(rows)]
    assert np.array_equal(drawn, np.array(expected).reshape(rows, columns))
