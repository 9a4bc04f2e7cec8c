"""docs/scenarios.md is what the registry says, its pictures are there, its lines of Python run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgebench.registry import SCENARIOS
from edgebench.show.episode import parse_episode
from edgebench.show.scenarios import MEANINGS, scenario_sections

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "scenarios.md").read_text(encoding="utf-8")


def test_the_sections_are_those_of_the_registry():
    assert scenario_sections() in TEXT


def test_every_parameter_has_a_meaning():
    for scenario in SCENARIOS.values():
        assert list(MEANINGS) == list(scenario.parameters())


def test_every_parameter_that_a_scenario_changes_is_in_its_table():
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", scenario_sections(), re.MULTILINE | re.DOTALL))
    assert list(sections) == list(SCENARIOS)
    for name, scenario in SCENARIOS.items():
        for key, value in scenario.parameters().items():
            changed = value != SCENARIOS["trap"].parameters()[key]
            assert (f"| `{key}` |" in sections[name]) == (changed or key == "traps")
    assert "| `outage_enter` | 0.003 |" in sections["outage"] and "| `traps` | no |" in sections["calm"]


def test_every_picture_is_there_and_small():
    pictures = re.findall(r"\]\((images/[^)]+\.png)\)", TEXT)
    assert len(pictures) == len(SCENARIOS) + 1
    for picture in pictures:
        assert (DOCS / picture).read_bytes().startswith(b"\x89PNG")
        assert (DOCS / picture).stat().st_size < 80_000


def test_the_commands_name_episodes_that_exist():
    named = re.findall(r"--episode (\S+) -o docs/images/episode-(\w+)\.png`", TEXT)
    assert [parse_episode(text) for text, _ in named] == [(name, 0, 0) for name in SCENARIOS]
    assert [picture for _, picture in named] == list(SCENARIOS)


def test_the_lines_that_wrote_the_frame_run(built_home, tmp_path):
    image = pytest.importorskip("PIL.Image")
    (lines,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    sizes = []
    for path in (tmp_path / "route-frame.png", DOCS / "images" / "route-frame.png"):
        with image.open(path) as frame:
            sizes.append(frame.size)
    assert sizes[0] == sizes[1]
