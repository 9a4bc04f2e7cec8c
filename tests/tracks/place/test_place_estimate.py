"""Where an edit sends rows is found from the two nearest copies: as looking at all copies says."""

from itertools import product
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgebench.tracks.place import estimate
from edgebench.tracks.place.edits import DELETE, PLACE, REPLICATE

DEVICES = 4


def nearest_of(known_ms, held):
    return [int(np.where(held, row, np.inf).argmin()) for row in known_ms]


@given(
    arrays.arrays(np.int8, DEVICES, elements=st.integers(0, 1)).filter(np.any),
    arrays.arrays(np.float64, (DEVICES + 1, DEVICES), elements=st.sampled_from([1.0, 2.0, 3.0])),
)
def test_rows_go_to_the_nearest_copy_after_every_edit(held, known_ms):
    found = estimate.blank_estimate(1, DEVICES)
    found.known_ms[:] = known_ms
    estimate._find_nearest.py_func(SimpleNamespace(placement=held[None]), found)
    assert found.nearest[0].tolist() == nearest_of(known_ms, held)
    for verb, device in product((PLACE, REPLICATE, DELETE), range(DEVICES)):
        if verb == DELETE and not (held[device] and held.sum() > 1):
            continue
        after = np.zeros_like(held) if verb == PLACE else held.copy()
        after[device] = verb != DELETE
        estimate._find_ends.py_func(found, 0, verb, device, found.ends)
        assert found.ends.tolist() == nearest_of(known_ms, after)
