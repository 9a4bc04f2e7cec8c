"""The class docstring is the documentation page: every feature stands in it, with unit and range."""

import inspect
import re

import numpy as np
import pytest

from edgebench.registry import SCENARIOS
from edgebench.schema import SPLITS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.features import CANDIDATE, CANDIDATE_FEATURES, LABELS, TASK, TASK_FEATURES

UNITS = ("_s", "_k", "_mb")
"""Endings of names with a unit: seconds, thousands, megabytes; the others are shares, counts and weights."""
TIMES = (
    "propagation",
    "transmission",
    "extra",
    "queue",
    "loading",
    "service",
    "return",
    "onward",
    "deadline",
    "elapsed",
)
PAGE = inspect.getdoc(RouteEnv) or ""


@pytest.mark.parametrize("features", [CANDIDATE_FEATURES, TASK_FEATURES], ids=("candidates", "task"))
def test_every_feature_stands_in_the_page_with_index_and_range(features):
    for index, row in enumerate(features):
        assert f"| {index} | `{row.name}` | {row.low:g} | {row.high:g} | {row.meaning} |" in PAGE
        assert row.low < row.high
        assert len(row.meaning) > 10


@pytest.mark.parametrize("feature", [*CANDIDATE_FEATURES, *TASK_FEATURES], ids=lambda row: row.name)
def test_names_carry_their_unit(feature):
    is_time = any(word in feature.name for word in TIMES)
    assert feature.name.endswith("_s") == is_time
    if "tokens" in feature.name or "payload" in feature.name:
        assert feature.name.endswith(UNITS)


def test_the_page_has_no_feature_too_many():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert [name for _, name in rows] == [row.name for row in (*CANDIDATE_FEATURES, *TASK_FEATURES, *LABELS)]
    assert list(CANDIDATE) == [row.name for row in CANDIDATE_FEATURES]
    assert list(TASK) == [row.name for row in TASK_FEATURES]


def test_the_spaces_are_the_page(regions):
    space = RouteEnv(regions["s1"]).observation_space
    for name, features in (("candidates", CANDIDATE_FEATURES), ("task", TASK_FEATURES)):
        box = space[name]
        high = np.array([row.high for row in features], np.float32)
        assert (box.high.reshape(len(features), -1) == high[:, None]).all()
        assert (box.low == 0.0).all()
        assert f"float32 {str(box.shape).replace(' ', '')}" in PAGE.replace(", ", ",").replace("float32,(", "float32 (")
    assert f"({space['action_mask'].shape[0]},): 1 where a candidate stands" in PAGE


def test_the_page_names_the_arguments_the_information_and_what_can_be_given(regions):
    for parameter in inspect.signature(RouteEnv).parameters:
        assert re.search(rf"`{parameter}[`=]", PAGE), parameter
    for value in (*SCENARIOS, *SPLITS):
        assert f"`{value}`" in PAGE
    _, info = RouteEnv(regions["s1"]).reset(seed=0)
    for key in info:
        assert f"`{key}`" in PAGE
    for heading in ("Description", "Action space", "Observation space", "Rewards", "Starting state", "Episode end"):
        assert f"## {heading}" in PAGE
