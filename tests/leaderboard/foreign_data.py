"""Readers of what else others write: cells, specifications, outlines, traces, earlier systems' data, weights."""

import gzip
import hashlib
import json
import sys
from pathlib import Path

from foreign_readers import Reader

sys.path.insert(0, str(Path(__file__).parents[1] / "importers"))

from legacy_toy import VAMAPPO_FILES, topofreerl_tables, vamappo_tables, write_topofreerl, write_vamappo

CELLS = "\n".join(
    ["radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"]
    + [f"LTE,228,1,9,{70000 + n},0,{7 + n / 50},{46 + n / 90},1000,{n},1,1400000000,1500000000,0" for n in range(30)]
)
SPEC = """name = "bern"
title = "Bern"
mcc = [228]
bbox = [7.3, 46.8, 7.6, 47.1]
nodes = 12
placement = "random"
"""
OUTLINE = {
    "type": "Feature",
    "properties": {},
    "geometry": {"type": "Polygon", "coordinates": [[[7, 46], [8, 46], [8, 47], [7, 46]]]},
}
TRACE = "\n".join(
    ["Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"]
    + [f"{n},ChatGPT,{n},{n + 1},{2 * n + 1},Conversation log" for n in range(30)]
)
LOGS = {
    "request_log": [["RequestID", "RequestLengthTokens", "ResponseLengthTokens"], *([n, n + 1, 50] for n in range(5))],
    "task_request_mapping": [
        ["TaskID", "WorkflowStepIndex", "MappedRequestID"], *(["task_test_0", n, n] for n in range(5)),
    ],
}  # fmt: skip
TRAINED = Path(__file__).parents[2] / "leaderboards" / "route" / "sample" / "trap" / "ppo"


def data_readers(home: Path) -> list[Reader]:
    """Healthy files below `home`, each with its reader."""
    from builders.burstgpt import read_trace
    from builders.cells import read_cells
    from builders.importers.region import read_as_is
    from builders.ledger import Ledger
    from edgebench.harness.agents import CHECKPOINT_FILES
    from edgebench.spec_file import own_spec, read_ring

    files = {
        "cells.csv": CELLS.encode(), "cells.csv.gz": gzip.compress(CELLS.encode(), mtime=0),
        "bern.toml": SPEC.encode(), "outline.geojson": json.dumps(OUTLINE).encode(), "trace.csv": TRACE.encode(),
    }  # fmt: skip
    for name, data in files.items():
        (home / name).write_bytes(data)
    reads = {
        "cells.csv": lambda path: read_cells(path, Ledger(), [228]),
        "cells.csv.gz": lambda path: read_cells(path, Ledger()),
        "bern.toml": lambda path: own_spec({}, path),
        "outline.geojson": read_ring,
        "trace.csv": read_trace,
    }
    vamappo = write_vamappo(home / "vamappo", vamappo_tables())
    topofreerl = write_topofreerl(home / "topofreerl", topofreerl_tables() | LOGS)
    sets = [("vamappo", vamappo / name) for name in VAMAPPO_FILES.values()]
    sets += [("topofreerl", path) for path in sorted(topofreerl.iterdir())]
    checkpoint = home / "trained"
    checkpoint.mkdir()
    for name in CHECKPOINT_FILES:
        (checkpoint / name).write_bytes((TRAINED / name).read_bytes())
    return [
        Reader(CHECKPOINT_FILES[1], checkpoint / CHECKPOINT_FILES[1], lambda: _load(checkpoint)),
        *(Reader(name, home / name, lambda name=name: reads[name](home / name)) for name in files),
        *(Reader(f"{s} {path.name}", path, lambda s=s, path=path: read_as_is(s, path.parent)) for s, path in sets),
    ]


def _load(folder: Path) -> None:
    """Load weights that the record beside them calls its own."""
    from edgebench.learning.checkpoint import load_method

    record = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    record["weights_sha256"] = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    (folder / "checkpoint.json").write_text(json.dumps(record), encoding="utf-8")
    load_method(folder)
