"""The published folders: what the reports find in them, and the regions they become."""

import pytest

from builders.importers.region import Import, import_region
from builders.importers.report import Report
from edgebench.errors import EdgeBenchError
from edgebench.region import read_region

VAMAPPO = {
    1: (25, 49, {"weights": 790}, {"user outside": 70}),
    2: (50, 51, {"one direction": 2}, {"user outside": 62}),
    3: (100, 150, {}, {"empty server": 2, "user outside": 39}),
    4: (30, 35, {"zero size": 2}, {"encoding": 1, "own model": 1, "user outside": 1188}),
}
"""Per topology: nodes, links, defects mended, defects noted."""


@pytest.mark.parametrize("topology", list(VAMAPPO))
def test_vamappo(home, originals, topology):
    nodes, links, mended, noted = VAMAPPO[topology]
    report = Report()
    folder = originals / "vamappo" / f"Server{topology}"
    region = read_region(import_region(Import("vamappo", folder, mend=True), report))
    assert (report.counts("mend"), report.counts("note"), report.counts("fatal")) == (mended, noted, {})
    assert (region.tables["nodes"].num_rows, region.tables["links"].num_rows) == (nodes, links)
    assert region.instances["model_type"].value_counts().to_dict() == {"text": 191, "image": 30, "video": 6}
    assert [len(region.tasks(split)) for split in ("train", "val", "test")] == [800, 200, 200]
    assert region.name == f"legacy-s{topology}" and region.manifest["licence"] == "MIT"


@pytest.mark.parametrize("topology", [1, 2, 4])
def test_vamappo_unmended(home, originals, topology):
    with pytest.raises(EdgeBenchError, match="cannot become a region as it is"):
        import_region(Import("vamappo", originals / "vamappo" / f"Server{topology}"), Report())
    assert not home.exists()


def test_the_asymmetric_rows_are_named(home, originals):
    report = Report()
    import_region(Import("vamappo", originals / "vamappo" / "Server2", mend=True), report)
    told = [(defect.row, defect.what) for defect in report.defects if defect.kind == "one direction"]
    assert told == [(2, "1 to 15 has no link back"), (2, "1 to 35 has no link back")]


def test_the_single_deployment(home, originals):
    folder = originals / "vamappo" / "Server4"
    region = read_region(import_region(Import("vamappo", folder, placement="single", mend=True), Report()))
    types = region.instances.groupby("node_id")["model_type"].agg(["nunique", "first"])
    assert (types["nunique"] == 1).all()
    assert types["first"].value_counts().to_dict() == {"text": 18, "image": 10, "video": 2}


def test_topofreerl(home, originals):
    report = Report()
    folder = originals / "topofreerl" / "Server1_Trap"
    region = read_region(import_region(Import("topofreerl", folder, mend=True), report))
    assert report.counts("mend") == {"disconnected": 1, "self-loop": 10}
    assert report.counts("note") == {
        "Git-LFS pointer": 2, "duplicate cell": 1, "shared position": 23, "user outside": 156,
    }  # fmt: skip
    (split,) = [defect for defect in report.defects if defect.kind == "disconnected"]
    assert "28" in split.what and "472" in split.what
    assert (region.tables["nodes"].num_rows, region.tables["links"].num_rows) == (500, 886)
    assert region.tables["instances"].num_rows == 4540
    assert int(region.column("links", "is_trap").sum()) == 174
    assert region.manifest["redistributable"] is False
