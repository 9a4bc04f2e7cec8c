"""Load a built region: tables for people, a digest for trust."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edgebench.constants import MAX_STAGES, MODEL_TYPES
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.paths import processed_dir
from edgebench.registry import SAMPLE_EDITION, not_built
from edgebench.schema import FORMAT_VERSION, SPLITS, TABLES, region_digest, table_digest

if TYPE_CHECKING:
    import networkx
    import pandas
    from numpy.typing import NDArray

    from edgebench.sim.conditions import Neighbours
    from edgebench.sim.topology import Topology


@dataclass(frozen=True)
class Region:
    """One topology with its instances and tasks.

    Attributes:
        path: Folder the region was read from.
        manifest: Provenance: edition, raw file, spec, dropped rows, digests, licence.
        tables: The Arrow tables `nodes`, `links`, `instances`, `tasks` of `edgebench.schema`.
    """

    path: Path
    manifest: dict[str, Any]
    tables: dict[str, pa.Table]

    @property
    def name(self) -> str:
        """The region's name, `s1` for example."""
        return str(self.manifest["region"])

    @property
    def edition(self) -> str:
        """Which raw data the region was built from: `sample`, or the name given with the cells."""
        return str(self.manifest["edition"])

    @property
    def digest(self) -> str:
        """SHA-256 over the values of all tables."""
        return str(self.manifest["digest"])

    @property
    def licence(self) -> str:
        """Licence and attribution of the data."""
        return f"{self.manifest['licence']}. {self.manifest['attribution']}".strip()

    @cached_property
    def nodes(self) -> pandas.DataFrame:
        """Edge servers, one row a node (`edgebench.schema.NODES`)."""
        return _frame(self.tables["nodes"])

    @cached_property
    def links(self) -> pandas.DataFrame:
        """Links, one row for both directions (`edgebench.schema.LINKS`)."""
        return _frame(self.tables["links"])

    @cached_property
    def instances(self) -> pandas.DataFrame:
        """Models placed on nodes (`edgebench.schema.INSTANCES`)."""
        return _frame(self.tables["instances"])

    def tasks(self, split: str) -> pandas.DataFrame:
        """The tasks of `train`, `val` or `test` in order of arrival (`edgebench.schema.TASKS`)."""
        return _frame(self.task_table(split))

    def task_table(self, split: str) -> pa.Table:
        """The Arrow form of `tasks`."""
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        tasks = self.tables["tasks"]
        return tasks.filter(pa.compute.equal(tasks["split"], split))

    def graph(self) -> networkx.Graph:
        """The network as an undirected graph; nodes and edges carry their table's columns."""
        import networkx

        graph = networkx.Graph()
        graph.add_nodes_from((int(row["node_id"]), row) for row in self.tables["nodes"].to_pylist())
        graph.add_edges_from((row["src"], row["dst"], row) for row in self.tables["links"].to_pylist())
        return graph

    def column(self, table: str, name: str) -> NDArray[Any]:
        """One column of a table as an array."""
        return np.asarray(self.tables[table][name].to_numpy())

    def public(self) -> dict[str, NDArray[Any]]:
        """What an operator knows of the network, and what every agent is given at reset: no trap column.

        Keys are `<table>.<column>` of nodes, links and instances; `model_id` is left out. `instances.model_type` is an
        index into `model_types`, and `types.kind` the index of each of them into `edgebench.constants.MODEL_TYPES`.
        """
        known = {
            f"{table}.{name}": self.column(table, name)
            for table in ("nodes", "links", "instances")
            for name in self.tables[table].column_names
            if "trap" not in name and name not in ("model_id", "model_type")
        }
        known["instances.model_type"] = self._instance_types()
        known["types.kind"] = self._kinds()
        return known

    @cached_property
    def model_types(self) -> tuple[str, ...]:
        """The model types placed in the region, by kind and then by name; their positions are their codes."""
        names = set(self.tables["instances"]["model_type"].to_pylist())
        return tuple(sorted(names, key=lambda name: (MODEL_TYPES.index(kind_of(name)), name)))

    def topology(self) -> Topology:
        """Nodes, links and instances as the simulator's static arrays."""
        from edgebench.sim.topology import build_topology

        columns = {
            f"{table}.{name}": self.column(table, name)
            for table in ("nodes", "links", "instances")
            for name in self.tables[table].column_names
        }
        return build_topology(columns, self._instance_types(), self._kinds())

    def neighbours(self) -> Neighbours:
        """The quickest links of every node, for tracks in which nodes deal with their neighbours."""
        from edgebench.sim.conditions import find_neighbours

        columns = {name: self.column("links", name) for name in self.tables["links"].column_names}
        names = ("src", "dst", "latency_ms", "bandwidth_mbps", "is_trap")
        return find_neighbours(self.tables["nodes"].num_rows, *(columns[name] for name in names))

    def task_arrays(self, split: str) -> NDArray[Any]:
        """The tasks of a split as the simulator's records, (T,) of `edgebench.tracks.route.state.TASK`."""
        from edgebench.tracks.route.state import TASK
        from edgebench.tracks.route.workflows import link_stages

        table = self.task_table(split)
        tasks = np.zeros(table.num_rows, TASK)
        for field in ("arrival_ms", "deadline_ms", "quality_weight", "speed_weight", "prompt_mb"):
            tasks[field] = table[field].to_numpy()
        tasks["user_node"] = table["node_id"].to_numpy()
        codes = [[self._code(name) for name in row] for row in table["stage_types"].to_pylist()]
        tasks["stages"] = [len(row) for row in codes]
        tasks["stage_type"] = _padded(codes, -1)
        tasks["tokens"] = _padded(table["stage_tokens"].to_pylist(), 0)
        tasks["output_mb"] = _padded(table["stage_output_mb"].to_pylist(), 0)
        tasks["parents"] = _padded(table["stage_parents"].to_pylist(), 0)
        link_stages(tasks)
        return tasks

    def _code(self, model_type: str) -> int:
        if model_type not in self.model_types:
            raise EdgeBenchError(f"a stage needs a {model_type!r} model and none is placed", where=self.name)
        return self.model_types.index(model_type)

    def _instance_types(self) -> NDArray[np.int8]:
        types = self.tables["instances"]["model_type"].to_pylist()
        return np.array([self.model_types.index(name) for name in types], np.int8)

    def _kinds(self) -> NDArray[np.int8]:
        return np.array([MODEL_TYPES.index(kind_of(name)) for name in self.model_types], np.int8)


def kind_of(model_type: str) -> str:
    """The kind of a model type: `text` of `text-07`."""
    return model_type.partition("-")[0]


def _frame(table: pa.Table) -> pandas.DataFrame:
    frame: pandas.DataFrame = table.to_pandas()
    return frame


def _padded(rows: Sequence[Sequence[float]], fill: float) -> NDArray[np.float64]:
    padded = np.full((len(rows), MAX_STAGES), fill, np.float64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return padded


def load(name: str, *, edition: str = SAMPLE_EDITION) -> Region:
    """Load a built region and check it against its manifest.

    Args:
        name: `s1` … or the name of a region of your own.
        edition: `sample`, or the name given when it was built from other cells.

    Raises:
        EdgeBenchError: The region is not built, a file is missing, or a table differs from its recorded digest.
    """
    folder = processed_dir(name, edition)
    if not (folder / "manifest.json").is_file():
        raise not_built(name, edition)
    return read_region(folder)


def read_region(folder: Path) -> Region:
    """Read and check the region in `folder`; EdgeBenchError names the file that differs."""
    manifest = _read_manifest(folder / "manifest.json")
    tables = {name: _read_table(folder / f"{name}.parquet", name, manifest) for name in TABLES}
    digest = region_digest({name: manifest["tables"][name]["digest"] for name in TABLES})
    if digest != manifest["digest"]:
        raise _damaged(folder / "manifest.json", "the region digest does not follow from the table digests")
    return Region(folder, manifest, tables)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = dict(json.loads(path.read_text(encoding="utf-8")))
        keys = {"format_version", "region", "edition", "tables", "digest", "licence", "attribution"}
        missing = sorted(keys - set(manifest))
        if not missing:
            missing = [name for name in TABLES if not isinstance(manifest["tables"][name]["digest"], str)]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(path, f"unreadable: {type(error).__name__}: {error}") from error
    if missing:
        raise _damaged(path, f"missing: {', '.join(missing)}")
    if manifest["format_version"] != FORMAT_VERSION:
        raise _damaged(path, f"format {manifest['format_version']}, this version reads {FORMAT_VERSION}")
    return manifest


def _read_table(path: Path, name: str, manifest: dict[str, Any]) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table would import pyarrow.dataset too
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, f"unreadable: {error}") from error
    if not table.schema.equals(TABLES[name]):
        raise _damaged(path, f"columns are {table.schema.names}, expected {TABLES[name].names}")
    if table_digest(table) != manifest["tables"][name]["digest"]:
        raise _damaged(path, "the values differ from the digest in manifest.json")
    return table


def _damaged(path: Path, what: str) -> EdgeBenchError:
    return EdgeBenchError(
        f"damaged or foreign region file: {what}",
        where=str(path),
        mend=f"build the region again: edgebench build --region {path.parent.name} --force",
    )
