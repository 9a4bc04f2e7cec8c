"""Each defect alone: it is reported with its file and row, refuses the import, and is mended as stated."""

import json

import numpy as np
import pytest
from legacy_toy import POINTER, VAMAPPO_FILES, write_topofreerl, write_vamappo

from builders.importers.region import Import, import_region
from builders.importers.report import Report
from edgebench.errors import EdgeBenchError
from edgebench.region import read_region


def run(system, folder, **options):
    """Region and report of an import."""
    report = Report()
    return read_region(import_region(Import(system, folder, **options), report)), report


def refused(system, folder, **options):
    """Error and report of an import that fails."""
    report = Report()
    with pytest.raises(EdgeBenchError) as error:
        import_region(Import(system, folder, **options), report)
    return error.value, report


def found(report, kind):
    """File, row and grade of the defects of one kind."""
    return [(defect.file, defect.row, defect.grade) for defect in report.defects if defect.kind == kind]


def pairs(region):
    links = region.tables["links"].to_pylist()
    return {(link["src"], link["dst"]) for link in links}


def cut(tables, a, b, *, both=True):
    """Remove the link from server a to b (ids from 1)."""
    tables["topology"][a][b] = 0
    if both:
        tables["topology"][b][a] = 0


def test_a_folder_without_defects_needs_no_mending(home, tmp_path, vamappo):
    region, report = run("vamappo", write_vamappo(tmp_path / "data", vamappo))
    assert report.defects == []
    assert (region.name, region.edition) == ("legacy-s7", "legacy")
    assert region.manifest["mended"] == {}


def test_one_direction(home, tmp_path, vamappo):
    cut(vamappo, 3, 4, both=False)
    folder = write_vamappo(tmp_path / "data", vamappo)
    error, report = refused("vamappo", folder)
    assert "one direction 1" in error.what and "--mend" in error.mend
    assert found(report, "one direction") == [("SERVER7_Topology.CSV", 5, "mend")]
    assert not home.exists()
    region, _ = run("vamappo", folder, mend=True)
    assert (2, 3) in pairs(region) and len(pairs(region)) == 6
    assert region.manifest["mended"] == {"one direction": 1}


def test_a_link_to_itself(home, tmp_path, vamappo):
    vamappo["topology"][2][2] = 1
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "self-loop") == [("SERVER7_Topology.CSV", 3, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert len(pairs(region)) == 6 and all(src < dst for src, dst in pairs(region))


def test_parts_are_joined_by_the_shortest_links(home, tmp_path, vamappo):
    for a, b in ((1, 2), (2, 3), (5, 6), (6, 1)):
        cut(vamappo, a, b)
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert [grade for _, _, grade in found(report, "disconnected")] == ["mend"] * 3
    region, _ = run("vamappo", folder, mend=True)
    assert region.manifest["mended"] == {"disconnected": 3}
    assert pairs(region) == {(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)}


def test_an_adjacency_entry_that_is_no_number(home, tmp_path, vamappo):
    vamappo["topology"][1][4] = "x"
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "unreadable") == [("SERVER7_Topology.CSV", 2, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert len(pairs(region)) == 6


def test_links_to_unknown_servers(home, tmp_path, vamappo):
    vamappo["topology"][0][6] = 99
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert len(found(report, "unknown server")) == 2
    region, _ = run("vamappo", folder, mend=True)
    assert len(pairs(region)) == 6


@pytest.mark.parametrize(
    ("weights", "kept"),
    [((0.6, 0.6), (0.5, 0.5)), ((0.3, 0.1), (0.75, 0.25)), ((0, 0), (0.5, 0.5)), ((-1, 2), (0.5, 0.5))],
)
def test_weights_that_do_not_sum_to_1(home, tmp_path, vamappo, weights, kept):
    vamappo["test"][3][4:6] = weights
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "weights") == [("test.CSV", 4, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    task = region.task_table("test").to_pylist()[2]
    assert (task["quality_weight"], task["speed_weight"]) == pytest.approx(kept, abs=1e-12)
    tasks = region.tables["tasks"]
    total = np.asarray(tasks["quality_weight"]) + np.asarray(tasks["speed_weight"])
    assert np.abs(total - 1).max() < 1e-9


@pytest.mark.parametrize("size", [0, -5])
def test_sizes_below_1(home, tmp_path, vamappo, size):
    vamappo["train"][2][6] = size
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "zero size") == [("train.csv", 3, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert region.task_table("train").to_pylist()[1]["stage_tokens"] == [1] * 5


@pytest.mark.parametrize(
    "route",
    [
        "__import__('os').system('touch eaten')", "[1, 2", "[]", "(1, 2)", "[1, 7]", "[true]", "[1.5]", '["1"]', "1",
        str([1] * 11), "[" * 100_000,
    ],
)  # fmt: skip
def test_a_route_is_read_strictly_and_never_evaluated(home, tmp_path, vamappo, monkeypatch, route):
    monkeypatch.chdir(tmp_path)
    vamappo["train"][4][3] = route
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "unreadable") == [("train.csv", 5, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert region.tables["tasks"].num_rows == 29
    assert not (tmp_path / "eaten").exists()


@pytest.mark.parametrize("text", ["abc", "", "nan", "inf"])
def test_a_number_that_cannot_be_read(home, tmp_path, vamappo, text):
    vamappo["test"][1][6] = text
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, "unreadable") == [("test.CSV", 2, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert region.task_table("test").num_rows == 9


@pytest.mark.parametrize(
    ("column", "value", "kind", "models"),
    [(1, 9, "unknown type", 11), (3, 99, "unknown server", 11), (2, 1.5, "score out of range", 12)],
)
def test_models(home, tmp_path, vamappo, column, value, kind, models):
    vamappo["deployment"][5][column] = value
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert found(report, kind) == [("server7_RandomDeployment.CSV", 6, "mend")]
    region, _ = run("vamappo", folder, mend=True)
    assert region.tables["instances"].num_rows == models
    assert region.column("instances", "quality").max() <= 1.0


def test_servers_without_compute_or_storage(home, tmp_path, vamappo):
    vamappo["information"][1][4:6] = 0, 0
    folder = write_vamappo(tmp_path / "data", vamappo)
    _, report = refused("vamappo", folder)
    assert (
        found(report, "compute below 1") == found(report, "storage below 1") == [("server7_information.csv", 2, "mend")]
    )
    region, _ = run("vamappo", folder, mend=True)
    last = region.tables["nodes"].to_pylist()[-1]
    assert (last["compute"], last["storage_gb"]) == (1, 1)
    on_last = region.instances[region.instances["node_id"] == 5]
    assert (on_last["memory_gb"] <= 1).all()


def test_what_a_region_can_keep_is_noted_and_needs_no_mending(home, tmp_path, vamappo):
    vamappo["information"][1][1:3] = vamappo["information"][2][1:3]
    vamappo["deployment"] = [row for row in vamappo["deployment"] if row[3] != 4]
    vamappo["test"][1][1:3] = 46.0, 7.0
    vamappo["test"][2][1:3] = vamappo["train"][1][1:3]
    region, report = run("vamappo", write_vamappo(tmp_path / "data", vamappo))
    assert report.counts("note") == {
        "empty server": 1, "place in two splits": 3, "shared position": 1, "user outside": 1,
    }  # fmt: skip
    assert found(report, "shared position") == [("server7_information.csv", 3, "note")]
    assert found(report, "empty server") == [("server7_information.csv", 4, "note")]
    assert found(report, "user outside") == [("test.CSV", 2, "note")]
    assert region.manifest["noted"] == report.counts("note")
    assert region.column("links", "latency_ms").min() > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tables: tables["information"].append(tables["information"][1]), "stands twice"),
        (lambda tables: tables["information"][1].__setitem__(4, "many"), "compute is 'many', not a number"),
        (lambda tables: tables["information"][1].__setitem__(2, 97.0), "latitude 97.0"),
        (lambda tables: [row.__setitem__(1, 1) for row in tables["deployment"][1:]], "type 2, which no server holds"),
        (lambda tables: tables.update(test=tables["test"][:2]), "fewer than two users"),
    ],
)
def test_what_no_rule_can_mend_is_refused_always(home, tmp_path, vamappo, change, said):
    change(vamappo)
    error, _ = refused("vamappo", write_vamappo(tmp_path / "data", vamappo), mend=True)
    assert said in error.what and "no rule can mend" in error.mend
    assert not home.exists()


def test_gbk_other_headers_and_trailing_columns(home, tmp_path, vamappo):
    plain, _ = run("vamappo", write_vamappo(tmp_path / "plain", vamappo), name="plain")
    vamappo["information"][0][1:3] = "ServerLongitude", "ServerLatitude"
    vamappo["train"][0][1:3] = "la", "lo"
    vamappo["topology"] = [[*row, "", "", ""] for row in vamappo["topology"]]
    for row, name in zip(vamappo["deployment"], ["Model", *["模型"] * 11, "Ours"], strict=True):
        row.insert(1, name)
    other, report = run("vamappo", write_vamappo(tmp_path / "other", vamappo, encoding="gbk"), name="plain", force=True)
    assert other.digest == plain.digest
    assert report.counts("note") == {"column name": 6, "empty columns": 1, "encoding": 1, "own model": 1}
    assert found(report, "encoding") == [("server7_RandomDeployment.CSV", 2, "note")]
    assert found(report, "own model") == [("server7_RandomDeployment.CSV", 13, "note")]


def test_neither_utf8_nor_gbk(home, tmp_path, vamappo):
    folder = write_vamappo(tmp_path / "data", vamappo)
    (folder / "train.csv").write_bytes(b"UserId,\xff\xff\xff\n")
    error, _ = refused("vamappo", folder)
    assert "neither UTF-8 nor GBK" in error.what


def test_a_missing_file_column_or_folder(home, tmp_path, vamappo):
    error, _ = refused("vamappo", tmp_path / "nowhere")
    assert "no such folder" in error.what
    folder = write_vamappo(tmp_path / "data", vamappo)
    error, _ = refused("vamappo", folder, placement="single")
    assert "no file looks like the single deployment" in error.what
    (folder / "TRAIN.CSV").write_text("UserId\n")
    error, _ = refused("vamappo", folder)
    assert "2 files look like the train tasks" in error.what and "TRAIN.CSV, train.csv" in error.where
    (folder / "TRAIN.CSV").unlink()
    (folder / "test.CSV").write_text("UserId,La\n1,2\n")
    error, _ = refused("vamappo", folder)
    assert error.what == "no column Lo"
    (folder / "test.CSV").write_text("")
    error, _ = refused("vamappo", folder)
    assert error.what == "the file is empty"


@pytest.mark.parametrize("table", ["train", "topology"])
def test_a_pointer_in_place_of_a_needed_file(home, tmp_path, vamappo, table):
    folder = write_vamappo(tmp_path / "data", vamappo)
    (folder / VAMAPPO_FILES[table]).write_text(POINTER)
    error, _ = refused("vamappo", folder, mend=True)
    assert "Git-LFS pointer" in error.what and "388,914,510 bytes" in error.what
    assert VAMAPPO_FILES[table] in error.where


def test_pointers_in_place_of_logs_are_named_and_not_needed(home, tmp_path, topofreerl):
    folder = write_topofreerl(tmp_path / "data", topofreerl)
    for name in ("request_log.csv", "session_stats.csv"):
        (folder / name).write_text(POINTER)
    region, report = run("topofreerl", folder)
    assert {file for file, _, _ in found(report, "Git-LFS pointer")} == {"request_log.csv", "session_stats.csv"}
    assert region.name == "legacy-trap6"


@pytest.mark.parametrize(
    ("change", "kind", "row"),
    [
        (lambda links: links.append(["Server1_2", "Server1_2", 50, 0.3]), "self-loop", 14),
        (lambda links: links.append(links[1]), "duplicate link", 14),
        (lambda links: links.pop(5), "one direction", 5),
        (lambda links: links.append(["Server1_2", "Server1_99", 50, 0.3]), "unknown server", 14),
        (lambda links: links.append(["Server1_2", "Server1_4", 50, "fast"]), "unreadable", 14),
    ],
)
def test_link_rows(home, tmp_path, topofreerl, change, kind, row):
    change(topofreerl["network_links"])
    folder = write_topofreerl(tmp_path / "data", topofreerl)
    _, report = refused("topofreerl", folder)
    assert found(report, kind) == [("network_links.csv", row, "mend")]
    region, _ = run("topofreerl", folder, mend=True)
    assert len(pairs(region)) == 6


def test_an_unknown_trap_server_a_duplicate_cell_and_a_bad_split(home, tmp_path, topofreerl):
    topofreerl["trap_config"]["trap_server_ids"].append("Server1_99")
    topofreerl["servers"][3][6] = topofreerl["servers"][1][6]
    topofreerl["tasks"][4][1] = "validate"
    topofreerl["tasks"][5][5] = "['ChatGPT']"
    folder = write_topofreerl(tmp_path / "data", topofreerl)
    _, report = refused("topofreerl", folder)
    assert found(report, "unknown server") == [("trap_config.json", 0, "mend")]
    assert found(report, "duplicate cell") == [("servers.csv", 4, "note")]
    assert found(report, "unreadable") == [("tasks.csv", 5, "mend"), ("tasks.csv", 6, "mend")]
    region, _ = run("topofreerl", folder, mend=True)
    assert region.column("links", "is_trap").sum() == 2


@pytest.mark.parametrize("config", ["[]", "{", '{"trap_latency": -1}', '{"trap_latency": true}'])
def test_a_broken_trap_config(home, tmp_path, topofreerl, config):
    folder = write_topofreerl(tmp_path / "data", topofreerl)
    (folder / "trap_config.json").write_text(config)
    error, _ = refused("topofreerl", folder, mend=True)
    assert "trap_config.json" in error.where


def test_the_report_lies_beside_the_region(home, tmp_path, vamappo):
    vamappo["train"][2][6] = 0
    region, report = run("vamappo", write_vamappo(tmp_path / "data", vamappo), mend=True)
    written = json.loads((region.path / "report.json").read_text(encoding="utf-8"))
    assert written["mended"] == {"zero size": 1}
    assert written["nodes"] == ["1", "2", "3", "4", "5", "6"]
    (defect,) = written["defects"]
    assert defect == {
        "kind": "zero size", "file": "train.csv", "row": 3, "what": "size 0", "mend": "becomes 1", "grade": "mend",
    }  # fmt: skip
    assert report.as_json(mended=False)["mended"] == {}
