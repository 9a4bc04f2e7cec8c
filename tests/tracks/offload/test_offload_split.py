"""Shares as whole requests: exactly by largest remainder."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from offload_oracle import split

from edgebench.tracks.offload.split import split_requests
from edgebench.tracks.offload.state import REJECT, C

SHARE = st.floats(width=32, allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, 0.5, 0.25, 1e-7, 2.0])


@settings(deadline=None, max_examples=400)
@given(st.lists(SHARE, min_size=C, max_size=C), st.integers(0, 8), st.integers(0, 10_000))
@example([1.0] * C, 8, 7)
@example([0.0] * C, 3, 5)
@example([float("nan")] * C, 3, 5)
@example([1 / 3] * C, 1, 10_000)
def test_core_and_rational_arithmetic_agree(row, degree, count):
    parts = split_requests(np.array(row, np.float32), degree, count)
    assert parts.tolist() == split(np.array(row, np.float32), degree, count)
    assert parts.sum() == count
    assert (parts >= 0).all()


def test_ties_go_to_the_lowest_column():
    assert split_requests(np.full(C, 0.5, np.float32), 2, 6).tolist() == [2, 2, 1, 0, 0, 0, 0, 0, 0, 1]


def test_masked_columns_are_ignored_and_a_row_of_nothing_rejects_all():
    row = np.zeros(C, np.float32)
    row[5:REJECT] = 1.0
    assert split_requests(row, 4, 9).tolist() == [0] * REJECT + [9]
