"""A region in the words of Croissant 1.0, the JSON-LD that catalogues and loaders of data sets read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from edgebench.schema import SPLITS, TABLES

CROISSANT: Final = "croissant.json"
CARD: Final = "README.md"
CREATOR: Final = "The EdgeBench maintainers"
LICENCE_URLS: Final = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "MIT": "https://spdx.org/licenses/MIT.html",
}
"""Where a licence is found; one that is not here is told in the manifest's words."""
TABLE_MEANINGS: Final = {
    "nodes": "Edge servers, one row a node.",
    "links": "Links between nodes, one row for both directions.",
    "instances": "Models placed on nodes, one row a placed model.",
    "tasks": "Tasks of the users, all splits in one table, in order of arrival.",
}
PRIVILEGED: Final = (
    "The columns is_trap and trap_* of the links are privileged: they tell what the simulator does, and an agent that "
    "is evaluated never sees them."
)

_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The standard's own context (https://docs.mlcommons.org/croissant/docs/croissant-spec.html, appendix 1)."""


def make_croissant(manifest: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Describe the region whose tables and card lie in `folder`.

    Every table is a record set with the columns, types, units and meanings of `edgebench.schema`; `folder` is read
    for the digests of the files alone. `datePublished` is the date of the dump, and absent where there is none.
    """
    source = manifest["source"]
    published = {} if source.get("dump_date") is None else {"datePublished": source["dump_date"]}
    return {
        "@context": deepcopy(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"edgebench-{manifest['region']}-{manifest['edition']}",
        "description": describe(manifest),
        "license": LICENCE_URLS.get(manifest["licence"], manifest["licence"]),
        "version": data_version(manifest),
        "creator": {"@type": "sc:Organization", "name": CREATOR},
        **published,
        "citeAs": cite(manifest),
        "keywords": ["edge computing", "scheduling", "reinforcement learning", "network topology"],
        "isLiveDataset": False,
        "distribution": [_file_object(folder / name) for name in (*(f"{table}.parquet" for table in TABLES), CARD)],
        "recordSet": [_splits(), *(_record_set(name, schema) for name, schema in TABLES.items())],
    }


def croissant_text(manifest: Mapping[str, Any], folder: Path) -> str:
    """`make_croissant` as the text of its file; equal for equal files."""
    return json.dumps(make_croissant(manifest, folder), indent=2, ensure_ascii=False) + "\n"


def describe(manifest: Mapping[str, Any]) -> str:
    """What a region is, where it came from and who is to be named, in a paragraph."""
    figures = manifest["statistics"]
    tasks = sum(figures["tasks"].values())
    return (
        f"{manifest['title']}: an edge network for scheduling generative-AI work, with {figures['nodes']} nodes, "
        f"{figures['links']} links, {figures['instances']} placed models and {tasks} tasks. Region "
        f"{manifest['region']} of EdgeBench, edition {manifest['edition']}, made from {manifest['source']['file']}. "
        f"{PRIVILEGED} Attribution: {manifest['attribution']}"
    )


def data_version(manifest: Mapping[str, Any]) -> str:
    """The builder's version, with the first digits of the content's digest."""
    return f"{manifest['builder_version']}+{manifest['digest'][:12]}"


def cite(manifest: Mapping[str, Any]) -> str:
    """A BibTeX entry that names region, edition and digest."""
    name = f"{manifest['region']} ({manifest['edition']})"
    return (
        f"@misc{{edgebench-{manifest['region']}-{manifest['edition']}, author = {{{{{CREATOR}}}}}, "
        f"title = {{EdgeBench region {name}}}, note = {{version {data_version(manifest)}. {manifest['attribution']}}}}}"
    )


def _file_object(path: Path) -> dict[str, str]:
    kind = "application/x-parquet" if path.suffix == ".parquet" else "text/markdown"
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": kind,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _splits() -> dict[str, Any]:
    field = {"@type": "cr:Field", "@id": "splits/name", "name": "name", "description": "Name of a split."}
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The splits of the tasks.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [field | {"dataType": "sc:Text"}],
        "data": [{"splits/name": split} for split in SPLITS],
    }


def _record_set(table: str, schema: pa.Schema) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": TABLE_MEANINGS[table] + (f" {PRIVILEGED}" if table == "links" else ""),
        "key": {"@id": f"{table}/{schema.names[0]}"},
        "field": [_field(table, column) for column in schema],
    }


def _field(table: str, column: pa.Field) -> dict[str, Any]:
    listed = pa.types.is_list(column.type)
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": column_words(column),
        "dataType": _data_type(column.type.value_type if listed else column.type),
        "source": {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": column.name}},
    }
    if listed:
        field["repeated"] = True
    if (table, column.name) == ("tasks", "split"):
        field["references"] = {"field": {"@id": "splits/name"}}
    return field


def column_words(column: pa.Field) -> str:
    """Meaning of a column, then its unit in brackets."""
    unit, meaning = column.metadata[b"unit"].decode(), column_meaning(column)
    return f"{meaning} [{unit}]" if unit else meaning


def column_meaning(column: pa.Field) -> str:
    """Meaning of a column, and when it is null."""
    meaning = str(column.metadata[b"meaning"].decode())
    return f"{meaning}; null: no trap" if column.nullable and "null" not in meaning else meaning


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
