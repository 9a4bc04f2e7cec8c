"""What an imported region holds, and that it is a region like any other."""

import json

import numpy as np
import pytest
from legacy_toy import SERVERS, write_topofreerl, write_vamappo

import edgebench.registry
from builders.importers.mapping import in_node_order
from builders.importers.region import NO_LICENCE, Import, import_region
from builders.importers.report import Report, rows_text
from builders.importers.vamappo import read_vamappo
from edgebench.archive import add_archive, pack_region
from edgebench.constants import FIBRE_MS_PER_KM, ROUTE_FACTOR
from edgebench.errors import EdgeBenchError
from edgebench.region import read_region
from edgebench.schema import SPLITS
from edgebench.tracks.route.env import RouteEnv


def imported(system, folder, **options):
    return read_region(import_region(Import(system, folder, **options), Report()))


@pytest.fixture
def from_vamappo(home, tmp_path, vamappo):
    return imported("vamappo", write_vamappo(tmp_path / "data", vamappo))


@pytest.fixture
def from_topofreerl(home, tmp_path, topofreerl):
    return imported("topofreerl", write_topofreerl(tmp_path / "data", topofreerl))


def test_nodes_are_the_servers_in_the_order_of_their_numbers(from_vamappo):
    nodes = from_vamappo.nodes
    assert nodes["compute"].tolist() == [21, 22, 23, 24, 25, 26]
    assert nodes["storage_gb"].tolist() == [17, 18, 19, 20, 21, 22]
    assert np.allclose(nodes["lon"], 8.0 + 0.1 * np.arange(SERVERS))
    assert (nodes["price"] == 1).all()


def test_server_10_comes_after_server_9(vamappo, tmp_path):
    data = read_vamappo(write_vamappo(tmp_path / "data", vamappo), Report())
    names = data.servers["server"].to_list()
    renamed = data.servers.with_columns(server=data.servers["server"].replace({"2": "Server1_10", "6": "Server1_9"}))
    ordered = in_node_order(data.with_table("servers", renamed)).servers["server"].to_list()
    assert names == ["6", "5", "4", "3", "2", "1"]
    assert ordered == ["1", "3", "4", "5", "Server1_9", "Server1_10"]


def test_links_have_the_latency_of_fibre_and_the_stated_bandwidth(from_vamappo):
    links = from_vamappo.links
    assert np.allclose(links["latency_ms"], links["distance_km"] * ROUTE_FACTOR * FIBRE_MS_PER_KM, atol=1e-4)
    assert (links["bandwidth_mbps"] == 50).all()
    assert not links["is_trap"].any() and links["trap_enter"].isna().all()


def test_models_keep_score_type_and_server_and_fit(from_vamappo):
    instances = from_vamappo.instances.merge(from_vamappo.nodes, on="node_id")
    assert np.allclose(from_vamappo.instances["quality"], 1 - 0.05 * np.arange(12))
    assert from_vamappo.instances["model_type"].tolist() == ["text", "image", "video"] * 4
    assert from_vamappo.instances["node_id"].tolist() == [*range(6), *range(6)]
    assert from_vamappo.instances["model_id"].is_unique
    assert (instances["memory_gb"] <= instances["storage_gb"]).all()
    for _, models in from_vamappo.instances.groupby("model_type"):
        assert models["price_usd_per_1k_tokens"].nunique() > 1


def test_the_last_fifth_of_the_training_users_validates(from_vamappo):
    splits = {split: from_vamappo.tasks(split) for split in SPLITS}
    assert {split: len(tasks) for split, tasks in splits.items()} == {"train": 16, "val": 4, "test": 10}
    users = [set(tasks["user_id"]) for tasks in splits.values()]
    assert sum(map(len, users)) == len(set.union(*users)) == 20
    assert splits["train"]["lat"].max() < splits["val"]["lat"].min()
    for tasks in splits.values():
        assert (np.diff(tasks["arrival_ms"]) > 0).all()


def test_a_task_keeps_its_route_size_and_weights(from_vamappo):
    task = from_vamappo.task_table("test").to_pylist()[1]
    assert task["stage_types"] == ["image", "image", "video", "text", "text"]
    assert task["stage_parents"] == [0, 1, 2, 4, 8]
    assert task["stage_tokens"] == [51] * 5
    assert (task["quality_weight"], task["speed_weight"]) == (0.7, pytest.approx(0.3))


def test_all_links_of_a_trap_server_are_traps_as_its_configuration_says(from_topofreerl):
    links = from_topofreerl.links
    traps = links[links["is_trap"]]
    assert set(map(tuple, traps[["src", "dst"]].to_numpy())) == {(0, 5), (4, 5)}
    assert (traps[["trap_extra_min_ms", "trap_extra_max_ms"]] == 2000).all(axis=None)
    assert (traps["trap_mbps"] == 1).all()
    assert (traps["trap_enter"] == 1).all() and (traps["trap_leave"] == 0).all()
    assert links[~links["is_trap"]].filter(like="trap_").isna().all(axis=None)


def test_what_is_public_does_not_name_the_traps(home, tmp_path, topofreerl):
    """Moving the trap to another server changes no public column."""
    here = imported("topofreerl", write_topofreerl(tmp_path / "here", topofreerl), name="here")
    topofreerl["trap_config"]["trap_server_ids"] = ["Server1_2"]
    for row in topofreerl["network_links"][1:]:
        row[2:] = (1.0, 2000.0) if "Server1_2" in row[:2] else (50.0, 0.4)
    there = imported("topofreerl", write_topofreerl(tmp_path / "there", topofreerl), name="there")
    assert here.digest != there.digest
    for key, values in here.public().items():
        assert np.array_equal(values, there.public()[key]), key


def test_prices_are_the_stated_ones_times_the_servers_factor(from_topofreerl):
    instances, nodes = from_topofreerl.instances, from_topofreerl.nodes
    stated = instances["model_type"].map({"text": 0.0015, "image": 0.03, "video": 0.06})
    factor = nodes["price"].to_numpy()[instances["node_id"]]
    assert np.allclose(instances["price_usd_per_1k_tokens"], stated * factor, atol=1e-6)
    assert nodes["price"].between(0.3, 3.5).all() and nodes["price"].nunique() == SERVERS


def test_tokens_come_from_the_request_log_where_it_is_there(home, tmp_path, topofreerl):
    ids = [row[0] for row in topofreerl["tasks"][1:]]
    topofreerl["task_request_mapping"] += [[task, step, f"req_{task}_{step}"] for task in ids for step in range(5)]
    header = ["RequestID", "RequestLengthTokens", "ResponseLengthTokens"]
    log = [[f"req_{task}_{step}", 10, step] for task in ids[1:] for step in range(5)]
    region = imported(
        "topofreerl", write_topofreerl(tmp_path / "data", {**topofreerl, "request_log": [header, *log]})
    )  # fmt: skip
    tokens = region.task_table("test")["stage_tokens"].to_pylist()
    assert tokens[1] == [10, 11, 12, 13, 14]
    assert tokens[0] == [100] * 5


def test_a_log_without_its_columns_is_refused(home, tmp_path, topofreerl):
    folder = write_topofreerl(tmp_path / "data", {**topofreerl, "request_log": [["a", "b"], [1, 2]]})
    with pytest.raises(EdgeBenchError, match="request log"):
        imported("topofreerl", folder)


def test_the_same_folder_gives_the_same_region(home, tmp_path, vamappo):
    folder = write_vamappo(tmp_path / "data", vamappo)
    first = imported("vamappo", folder)
    before = (first.path / "manifest.json").stat().st_mtime_ns
    assert imported("vamappo", folder).digest == first.digest
    assert (first.path / "manifest.json").stat().st_mtime_ns == before
    other = imported("vamappo", folder, name="legacy-other")
    assert not np.array_equal(other.column("tasks", "arrival_ms"), first.column("tasks", "arrival_ms"))


def test_another_region_is_replaced_only_by_force(home, tmp_path, vamappo):
    first = imported("vamappo", write_vamappo(tmp_path / "data", vamappo))
    vamappo["test"][1][6] = 400
    folder = write_vamappo(tmp_path / "other" / "data", vamappo)
    with pytest.raises(EdgeBenchError, match="another region stands there"):
        imported("vamappo", folder)
    assert read_region(first.path).digest == first.digest
    assert imported("vamappo", folder, force=True).digest != first.digest


@pytest.mark.parametrize(
    "options",
    [{"name": "s1"}, {"edition": "sample"}, {"name": "../s1"}, {"name": "S1"}, {"edition": ""}, {"name": "a/b"}],
)
def test_names_that_are_taken_or_none(home, tmp_path, vamappo, options):
    with pytest.raises(EdgeBenchError, match=r"cannot be a name|EdgeBench's own"):
        imported("vamappo", write_vamappo(tmp_path / "data", vamappo), **options)
    assert not home.exists()


def test_an_unknown_system_or_placement(home, tmp_path, topofreerl):
    with pytest.raises(EdgeBenchError, match="did you mean 'vamappo'"):
        imported("vamapo", tmp_path)
    with pytest.raises(EdgeBenchError, match="one deployment"):
        imported("topofreerl", tmp_path, placement="single")


@pytest.mark.parametrize("place", ["data", "."])
def test_a_licence_beside_the_data_is_told_and_the_region_may_be_passed_on(home, tmp_path, vamappo, place):
    folder = write_vamappo(tmp_path / "data", vamappo)
    (tmp_path / place / "LICENSE").write_text("MIT License\n\nCopyright (c) 2000 Somebody\n")
    region = imported("vamappo", folder)
    assert region.manifest["licence"] == "MIT" and "Copyright (c) 2000 Somebody" in region.manifest["attribution"]
    pack_region(region, tmp_path / "region.zip")
    assert add_archive(tmp_path / "region.zip").digest == region.digest


def test_data_without_a_licence_is_not_packed(from_topofreerl, tmp_path):
    assert from_topofreerl.manifest["licence"] == NO_LICENCE
    with pytest.raises(EdgeBenchError, match="may not be passed on"):
        pack_region(from_topofreerl, tmp_path / "region.zip")
    assert not (tmp_path / "region.zip").exists()


def test_the_manifest_tells_the_files_and_their_digests(from_vamappo):
    source = from_vamappo.manifest["source"]
    assert source["system"] == "vamappo" and source["file"] == "data"
    assert set(source["files"]) == {
        "server7_information.csv", "SERVER7_Topology.CSV", "server7_RandomDeployment.CSV", "train.csv", "test.CSV",
    }  # fmt: skip
    spec = from_vamappo.manifest["spec"]
    assert (spec["family"], spec["nodes_by"], spec["traps"]["which"]) == ("imported", "as imported", "none")
    assert source["rows"] == 6 + 12 + 12 + 30
    assert str(from_vamappo.path) not in json.dumps(from_vamappo.manifest)


@pytest.mark.parametrize("scenario", list(edgebench.registry.SCENARIOS))
@pytest.mark.parametrize("region", ["from_vamappo", "from_topofreerl"])
def test_an_episode_runs(request, region, scenario):
    loaded = request.getfixturevalue(region)
    environment = RouteEnv(loaded.name, edition=loaded.edition, scenario=scenario, split="test")
    _, info = environment.reset(seed=0)
    utility, decisions, over = 0.0, 0, False
    while not over:
        _, reward, over, _, info = environment.step(int(np.flatnonzero(info["action_mask"])[0]))
        utility, decisions = utility + reward, decisions + 1
    assert decisions == 10 * 5
    assert 0.0 < utility <= 10.0


def test_the_region_is_known_by_its_name(from_vamappo):
    assert edgebench.registry.wanted_regions("legacy-s7", "legacy") == ["legacy-s7"]
    assert edgebench.registry.family("legacy-s7", "legacy") == "imported"


def test_rows_are_told_in_runs():
    assert rows_text([7, 3, 2, 1, 0, 9]) == "1–3, 7, 9"
    assert rows_text([1, 3, 5, 7, 9]) == "1, 3, 5, 7, …"
    assert rows_text([0]) == ""
