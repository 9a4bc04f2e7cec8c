"""Coordinates, commands, curves and tags of the pages, checked by hand."""

import shlex

import numpy as np
import pytest
from board_toy import DIGESTS, manifest_of, write_run

from edgebench.leaderboard.board import read_entry
from edgebench.leaderboard.tags import Tag
from edgebench.site import agents
from edgebench.site.agents import Showing, agent_radar, tag_scores
from edgebench.site.command import eval_command
from edgebench.site.curves import draw_curve
from edgebench.site.plots import chart, radar, round_ticks, tick_label
from edgebench.site.standings import Estimate, Scale, whisker
from edgebench.site.world import make_row


def test_a_chart_maps_the_corners_of_its_data_to_its_corners():
    line = chart([("a", np.array([0.0, 2.0]), np.array([0.0, 1.0]))], "x", "y", (0.0, 1.0))
    assert line.lines[0].points == f"{line.left},{line.bottom} {line.right},{line.top}"
    assert [tick.label for tick in line.y_ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.13, 0.71), (0, 1e6), (3.0, 3.001), (-1e-9, 1e-9)])
def test_ticks_are_few_and_within(low, high):
    ticks = round_ticks(low, high)
    assert 3 <= len(ticks) <= 8
    assert all(low - 1e-9 * (high - low) <= tick <= high + 1e-9 * (high - low) for tick in ticks)


def test_ticks_are_short():
    assert [tick_label(value) for value in (0.0, 0.30000000000000004, 2e6, 500_000, -1500)] == [
        "0", "0.3", "2M", "500k", "-1.5k",
    ]  # fmt: skip


def test_a_whisker_lies_on_the_shared_scale():
    scale = Scale.around([Estimate(0.5, 0.4, 0.6), Estimate(-0.1, -0.2, 0.0)])
    found = whisker(Estimate(0.5, 0.4, 0.6), scale)
    assert found.left < found.at < 100 - found.right < 100 and 0 < found.zero < found.left
    assert scale.share(scale.low) == 0 and scale.share(scale.high) == 100


def test_scores_below_nought_are_drawn_in_the_centre_of_a_radar():
    shape = radar(["a", "b", "c"], {"x": [-1.0, None, 1.0]})
    centre = "{:g},{:g}".format(*shape.centre)
    first, second, third = shape.shapes[0].points.split()
    assert first == second == centre != third and third == f"{shape.spokes[2].x:g},{shape.spokes[2].y:g}"


def test_the_command_names_what_is_not_the_default(tmp_path):
    plain = manifest_of(agent={"name": "tuned", "kind": "reference", "sha256": "a" * 64}, seeds=5)
    assert eval_command(plain, tmp_path, ["s1", "s2"]) == "edgebench eval tuned"
    other = plain | {"scenario": "burst", "seeds": 2, "privileged": True,
                     "budgets": {"decision_cpu_s": 9.0}, "regions": {"s1": DIGESTS["s1"]}}  # fmt: skip
    assert eval_command(other, tmp_path, ["s1", "s2"]) == (
        "edgebench eval tuned --scenario burst --regions s1 --seeds 2 --privileged --decision-cpu-s 9.0"
    )


def test_a_hostile_name_is_one_word_of_the_command(tmp_path):
    name = "a; rm -rf ~ $(b) `c`\n'd"
    manifest = manifest_of(agent={"name": name, "kind": "package", "sha256": "a" * 64})
    assert shlex.split(eval_command(manifest, tmp_path, []))[:3] == ["edgebench", "eval", name]


def test_an_agent_that_is_elsewhere_has_no_command(tmp_path):
    manifest = manifest_of(agent={"name": "theirs", "kind": "package", "sha256": ""})
    assert eval_command(manifest, tmp_path, []).startswith("# only the results were handed in")


def test_files_and_checkpoints_are_named_by_their_place_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    folder = tmp_path / "leaderboards" / "x"
    manifest = manifest_of()
    assert eval_command(manifest, folder, ["s1", "s2"]).startswith("edgebench eval leaderboards/x/agent.py")
    manifest["agent"] = manifest["agent"] | {"kind": "checkpoint"}
    assert eval_command(manifest, folder, ["s1", "s2"]).startswith("edgebench eval leaderboards/x --seeds")


def test_tags_are_slices_and_a_missing_region_leaves_none(tmp_path, monkeypatch):
    tags = (Tag("both", "", "trap", ("s1", "s2")), Tag("one", "", "trap", ("s2",)), Tag("none", "", "burst", ("s1",)),
            Tag("more", "", "trap", ("s1", "s9")))  # fmt: skip
    monkeypatch.setattr(agents, "TAGS", tags)
    run = write_run(tmp_path / "run")
    showing = Showing(None, make_row(run, read_entry(run, "run"), None))
    found = tag_scores([showing])
    summary = showing.row.entry.summary
    assert found["both"] == pytest.approx(summary.total.score.value)
    assert found["one"] == summary.regions[1].score.value
    assert found["none"] is None and found["more"] is None
    assert agent_radar(found, "run", None) is None
    assert agent_radar(found | {"none": 0.3}, "run", None) is not None


def test_a_curve_is_drawn_from_its_finite_points(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("decisions,train,val\n0,0.1,\n100,0.2,0.3\n200,nan,0.4\n300,0.4,0.5\n")
    found = draw_curve(tmp_path)
    assert [(line.name, len(line.points.split())) for line in found.lines] == [
        ("training episodes", 3), ("validation split", 3),
    ]  # fmt: skip
    path.write_text("a,b\n<script>,2\n")
    assert draw_curve(tmp_path) is None


def test_every_training_seed_has_a_line_and_the_one_that_was_entered_says_so(tmp_path):
    (tmp_path / "curve.csv").write_text("seed,decisions,val\n0,10,0.1\n0,20,0.2\n1,10,0.2\n1,20,0.4\n")
    (tmp_path / "checkpoint.json").write_text('{"job": {"seed": 1}}')
    assert [line.name for line in draw_curve(tmp_path).lines] == ["seed 0", "seed 1, entered"]
