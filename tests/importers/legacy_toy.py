"""Small folders in the form of the two earlier data sets, written by the tests, with one defect at a time."""

import csv
import json

SERVERS = 6
USERS = 10
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 388914510\n"
NAMES = {1: "ChatGPT", 2: "GPT-4", 3: "GPT-4v"}
ROUTES = ([1, 2, 1, 3, 1], [2, 2, 3, 1, 1], [1, 1, 1, 1, 2])


def write(path, rows, encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream).writerows(rows)


def places():
    return [(8.0 + 0.1 * k, 47.0 + 0.05 * (k % 3)) for k in range(SERVERS)]


def ring():
    """Adjacency of a ring of all servers."""
    return [[int(abs(a - b) in (1, SERVERS - 1)) for b in range(SERVERS)] for a in range(SERVERS)]


def vamappo_tables():
    """The rows of each file of a folder without defects, by a name to change them by."""
    server = ["ServerID", "Longitude", "Latitude", "LinkBandwidth", "ComputationCapacity", "StorageCapacity"]
    ids = list(range(1, SERVERS + 1))
    models = [[k + 1, 1 + k % 3, round(1 - 0.05 * k, 3), 1 + k % SERVERS] for k in range(12)]
    task = ["UserId", "La", "Lo", "route", "w1", "w2", "size"]
    return {
        "information": [server, *([k, *places()[k - 1], 50, 20 + k, 16 + k] for k in reversed(ids))],
        "topology": [["", *ids], *([k, *ring()[k - 1]] for k in ids)],
        "deployment": [["ModelID", "ModelType", "ArenaScore", "ServerID"], *models],
        "train": [task, *([1 + k // 2, 47.01 + 0.001 * (k // 2), 8.2, str(ROUTES[k % 3]), 0.4, 0.6, 100 + k]
                          for k in range(2 * USERS))],
        "test": [task, *([1 + k, 47.05, 8.2 + 0.01 * k, str(ROUTES[k % 3]), 0.7, 0.3, 50 + k] for k in range(USERS))],
    }  # fmt: skip


VAMAPPO_FILES = {
    "information": "server7_information.csv",
    "topology": "SERVER7_Topology.CSV",
    "deployment": "server7_RandomDeployment.CSV",
    "train": "train.csv",
    "test": "test.CSV",
}


def write_vamappo(folder, tables, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    for table, file in VAMAPPO_FILES.items():
        write(folder / file, tables[table], encoding)
    return folder


def topofreerl_tables():
    ids = [f"Server1_{k}" for k in range(1, SERVERS + 1)]
    compute = [20 + k for k in range(SERVERS)]
    links = [
        [ids[a], ids[b], 1.0 if SERVERS - 1 in (a, b) else 50.0, 2000.0 if SERVERS - 1 in (a, b) else 0.35]
        for a in range(SERVERS)
        for b in range(SERVERS)
        if ring()[a][b]
    ]
    return {
        "servers": [
            ["ServerID", "Longitude", "Latitude", "LinkBandwidth", "ComputationCapacity", "StorageCapacity",
             "OriginalID"],
            *([ids[k], *places()[k], 50, compute[k], 16 + k, 1000 + k] for k in range(SERVERS)),
        ],
        "network_links": [["SrcServerID", "DstServerID", "BandwidthMbps", "BaseLatencyMs"], *links],
        "model_instances": [
            ["ModelID", "ModelType", "ArenaScore", "ServerID", "CostPerToken"],
            *([k + 1, 1 + k % 3, round(1 - 0.05 * k, 3), ids[k % SERVERS], (0.0015, 0.03, 0.06)[k % 3]]
              for k in range(12)),
        ],
        "tasks": [
            ["TaskID", "Split", "TaskLongitude", "TaskLatitude", "TaskSize", "RequiredModelTypes"],
            *([f"task_{split}_{k}", split, 8.2 + 0.001 * (k // per_user), latitude, 100 + k,
               json.dumps([NAMES[expert] for expert in ROUTES[k % 3]])]
              for split, count, per_user, latitude in (("test", USERS, 1, 47.05), ("train", 2 * USERS, 2, 47.03))
              for k in range(count)),
        ],
        "task_request_mapping": [["TaskID", "WorkflowStepIndex", "MappedRequestID"]],
        "trap_config": {
            "trap_server_ids": [ids[-1]],
            "trap_cost_multiplier": 1.2,
            "trap_bandwidth": 1.0,
            "trap_latency": 2000.0,
        },
    }  # fmt: skip


def write_topofreerl(folder, tables):
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        if isinstance(rows, dict):
            (folder / f"{table}.json").write_text(json.dumps(rows), encoding="utf-8")
        else:
            write(folder / f"{table}.csv", rows)
    return folder
