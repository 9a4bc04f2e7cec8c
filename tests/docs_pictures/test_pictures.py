"""The pictures of docs/concepts.md are what its script draws from the simulator."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgebench.tracks.route.state import DONE

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield importlib.import_module("pictures")


@pytest.fixture(scope="module")
def played(pictures, regions):
    """Per agent of the timeline its actions."""
    return {name: pictures.actions_of(regions["s1"], make()) for name, make in pictures.AGENTS.items()}


def test_every_picture_is_drawn_and_is_the_one_on_the_page(pictures, built_home, tmp_path):
    pictures.main([], tmp_path)
    for name in pictures.PICTURES:
        drawn, kept = (_pixels(folder / f"concepts-{name}.png") for folder in (tmp_path, DOCS / "images"))
        assert drawn.shape == kept.shape
        assert (np.abs(drawn - kept) > 40).mean() < 0.01, f"the page's {name} is not what is drawn now"


def _pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.int16)


def test_the_page_shows_every_picture_with_its_command(pictures):
    page = (DOCS / "concepts.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[.+\]\(images/concepts-(\w+)\.png\)\n\n\*`python docs/pictures.py (\w+)`\*", page)
    assert {name: name for name in pictures.PICTURES} == dict(shown)


def test_the_parts_of_a_task_add_up_to_its_delay(pictures, played, regions):
    for actions in played.values():
        story = pictures.story_of(regions["s1"], actions, pictures.TASK)
        parts_ms = sum(stage.parts_ms for stage in story.stages)
        assert parts_ms.sum() == pytest.approx(story.progress["latency_ms"])
        assert np.allclose(parts_ms, story.progress["parts_ms"])
        ends = [stage.begin_ms + stage.parts_ms.sum() for stage in story.stages]
        assert np.allclose(ends[:-1], [stage.begin_ms for stage in story.stages[1:]])
        assert all((stage.parts_ms > -1e-6).all() for stage in story.stages)


def test_the_curve_of_utility_goes_through_every_task(pictures, played, regions):
    *_, simulation = pictures.replay(regions["s1"], played["lookahead"])
    for progress in simulation.state.progress:
        task = simulation.tasks[progress["row"]]
        quality, latency_ms = progress["quality_sum"] / task["stages"], progress["latency_ms"]
        expected = pictures.utility_at(task, quality, progress["cost_usd"], np.array(latency_ms))
        if progress["outcome"] == DONE:
            assert expected == pytest.approx(progress["utility"])
