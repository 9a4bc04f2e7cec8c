"""Which regions share a board: all standard ones, or those of another family that a run chose."""

import pytest

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.rules import board_regions, one_family
from edgebench.registry import REGIONS


@pytest.mark.parametrize("played", [(), ("s1",), ("s4", "s1"), ("s1", "trap500"), ("../s1", "s1")])
def test_a_run_with_a_standard_region_stands_on_the_board_of_all_of_them(played):
    assert board_regions(played, "sample") == tuple(REGIONS)


@pytest.mark.parametrize("played", [("trap500",), ("trap500", "trap1000"), ("s1-dag",), ("s1-dag", "s4-dag")])
def test_the_trap_scales_and_the_graphs_make_boards_of_their_own(played):
    assert board_regions(played, "sample") == tuple(sorted(played))


def test_families_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    manifest = tmp_path / "processed" / "sample" / "bern" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"title": "Bern", "spec": {"family": "own"}}')
    assert one_family(["bern"], "sample") == "own"
    assert one_family(REGIONS, "sample") == "standard"
    for mixed in (("bern", "trap500"), ("s1", "trap500"), ("s1", "bern"), ("s1", "s1-dag"), ("s1-dag", "trap500")):
        with pytest.raises(EdgeBenchError, match="several families"):
            one_family(mixed, "sample")


@pytest.mark.parametrize("name", ["brn", "../../bern", "", "BERN"])
def test_a_region_that_is_not_built_has_no_family(tmp_path, monkeypatch, name):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    with pytest.raises(EdgeBenchError, match="not built"):
        board_regions([name], "sample")
