"""The class docstring is the documentation page of the multi-agent face, and docs/multi_agent.md agrees with it."""

import inspect
import re
from pathlib import Path

import pytest

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")

from edgebench.tracks.route.gateway_features import GATEWAY, GATEWAY_FEATURES
from edgebench.tracks.route.gateways import CLUSTERINGS
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.team import MODES, RouteTeam
from edgebench.tracks.route.turns import MESSAGE_MB

PAGE = inspect.getdoc(RouteParallelEnv) or ""
GUIDE = (Path(__file__).parents[3] / "docs" / "multi_agent.md").read_text(encoding="utf-8")
ROWS = [
    f"| {index} | `{row.name}` | {row.low:g} | {row.high:g} | {row.meaning} |"
    for index, row in enumerate(GATEWAY_FEATURES)
]


@pytest.mark.parametrize("text", [PAGE, GUIDE], ids=("page", "guide"))
def test_the_table_is_that_of_the_features_and_has_none_too_many(text):
    assert re.findall(r"^\| \d+ \| `.*$", text, re.MULTILINE) == ROWS
    assert list(GATEWAY) == [row.name for row in GATEWAY_FEATURES]
    assert f"{MESSAGE_MB:g} MB" in text


def test_the_spaces_are_the_page(regions):
    env = RouteParallelEnv(regions["s1"], gateways=3, messages=2)
    space = env.observation_space("gateway_0")
    assert (space["cluster"].high == [row.high for row in GATEWAY_FEATURES]).all()
    assert space["cluster"].shape == (3, len(GATEWAY_FEATURES))
    assert f"float32 (A, {len(GATEWAY_FEATURES)})" in PAGE
    assert space["messages"].shape == (3, 2)
    assert f"Discrete({env.action_space('gateway_0')['action'].n})" in PAGE


def test_the_page_names_the_arguments_the_information_and_what_can_be_given(regions):
    for parameter in inspect.signature(RouteParallelEnv).parameters:
        assert f"`{parameter}`" in PAGE
    for value in (*CLUSTERINGS, *MODES):
        assert f"`{value}`" in PAGE
    assert set(inspect.signature(RouteTeam).parameters) == set(inspect.signature(RouteParallelEnv).parameters)
    _, infos = RouteParallelEnv(regions["s1"]).reset(seed=0)
    for info in infos.values():
        for key in info:
            assert f"`{key}`" in PAGE
    for heading in ("Description", "Action space", "Observation space", "Rewards", "Starting state", "Episode end"):
        assert f"## {heading}" in PAGE


def test_the_example_of_the_guide_runs(built_home, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(example, "docs/multi_agent.md", "exec"), {})
    assert 0.0 < float(capsys.readouterr().out) < 1.0
