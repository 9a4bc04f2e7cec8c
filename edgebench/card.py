"""The card of a region: its README.md, with the YAML head that tells the Hugging Face Hub and `datasets` the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from edgebench.atomic import write_text
from edgebench.croissant import (
    CARD,
    CROISSANT,
    LICENCE_URLS,
    PRIVILEGED,
    TABLE_MEANINGS,
    cite,
    column_meaning,
    croissant_text,
    data_version,
)
from edgebench.registry import SAMPLE_ATTRIBUTION, SAMPLE_EDITION, TRACKS
from edgebench.schema import TABLES

SPLIT: Final = "data"
"""The Hub's split that holds a whole table; `all` is a word of its own there."""
_HUB_LICENCES: Final = {"CC0-1.0": "cc0-1.0", "CC-BY-SA-4.0": "cc-by-sa-4.0", "MIT": "mit"}
"""The Hub's names of licences; any other is `other` there, with its words beside it."""
_METHODS: Final = {"nodes_by": "nodes", "links_by": "links", "placement": "placement of models"}
_TRAP_WORDS: Final = {"which": "trap links", "share": "their share", "behaviour": "their behaviour", "loss": "loss"}
_WORK_WORDS: Final = {
    "arrivals": "arrivals",
    "workflow": "workflows",
    "experts": "model types",
    "tokens": "token lengths",
    "utilisation": "target utilisation",
}
_WITHOUT: Final = {("traps", "share"): "by crossings of paths", ("workload", "tokens"): "fitted distribution"}
"""What an entry of the specification says where it is null."""


def write_description(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write the card and the Croissant description of the region in `folder` beside its tables."""
    write_text(folder / CARD, card_text(manifest))
    write_text(folder / CROISSANT, croissant_text(manifest, folder))


def card_text(manifest: Mapping[str, Any]) -> str:
    """The card as Markdown, from the manifest and the schema alone; the same for the same manifest."""
    parts = (
        _head(manifest),
        _opening(manifest),
        _source(manifest),
        _methods(manifest["spec"]),
        _figures(manifest),
        *(_columns(name, schema, manifest) for name, schema in TABLES.items()),
        _asked(manifest),
        _loading(manifest),
        _checking(manifest),
        _terms(manifest),
    )
    return "\n\n".join(parts) + "\n"


def _head(manifest: Mapping[str, Any]) -> str:
    """YAML between lines of hyphens; JSON strings are YAML strings, whatever a title holds."""
    hub = _HUB_LICENCES.get(manifest["licence"])
    other = ["license: other", f"license_name: {_quoted(manifest['licence'])}"]
    lines = [
        "---",
        *([f"license: {hub}"] if hub else other),
        f"pretty_name: {_quoted(_name(manifest))}",
        "tags:",
        *(f"- {tag}" for tag in ("edge-computing", "scheduling", "reinforcement-learning", "network-topology")),
        "configs:",
    ]
    for table in TABLES:
        lines += [f"- config_name: {table}", *(["  default: true"] if table == "nodes" else []), "  data_files:"]
        lines += [f"  - split: {SPLIT}", f"    path: {table}.parquet"]
    return "\n".join([*lines, "---"])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _name(manifest: Mapping[str, Any]) -> str:
    return f"EdgeBench {manifest['region']}: {manifest['title']} ({manifest['edition']})"


def _opening(manifest: Mapping[str, Any]) -> str:
    figures = manifest["statistics"]
    words = (
        f"# {_plain(_name(manifest))}\n\n"
        f"An edge network for scheduling generative-AI work: {figures['nodes']:,} edge nodes, {figures['links']:,} "
        f"links ({figures['trap_links']:,} of them traps), {figures['instances']:,} placed models and "
        f"{sum(figures['tasks'].values()):,} tasks, in four Parquet tables. {PRIVILEGED}"
    )
    if manifest["attribution"] == SAMPLE_ATTRIBUTION:
        words += "\n\nThe cells behind this edition are generated: it ranks agents and is no measurement of a network."
    return words


def _source(manifest: Mapping[str, Any]) -> str:
    source = manifest["source"]
    facts = [
        ("file", source["file"]),
        ("SHA-256", source["sha256"]),
        ("rows", f"{source['rows']:,}"),
        ("date of the dump", source.get("dump_date") or "not stated"),
        *((f"read as {key}", f"{file['file']}, SHA-256 {file['sha256']}") for key, file in _files(manifest)),
    ]
    facts += [(f"file {name}", f"SHA-256 {digest}") for name, digest in source.get("files", {}).items()]
    text = f"## Where it came from\n\n{_table(('', ''), facts)}"
    dropped = [
        (drop["filter"], drop["reason"], f"{drop['rows']:,}", f"{drop['left']:,}") for drop in manifest["dropped"]
    ]
    if dropped:
        text += "\n\nRows that were dropped, filter by filter:\n\n"
        text += _table(("filter", "dropped because", "dropped", "left"), dropped, figures=2)
    return text


def _files(manifest: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    return list(manifest.get("files", {}).items())


def _methods(spec: Mapping[str, Any]) -> str:
    rows = [
        ("country codes", ", ".join(map(str, spec["mcc"])) or "none"),
        ("longitude and latitude, west south east north", ", ".join(f"{edge:g}" for edge in spec["bbox"])),
        *([("polygon", f"{len(spec['polygon'])} corners")] if spec["polygon"] else []),
        *((words, str(spec[key])) for key, words in _METHODS.items()),
        *((words, _stated(spec, "traps", key)) for key, words in _TRAP_WORDS.items()),
        *((words, _stated(spec, "workload", key)) for key, words in _WORK_WORDS.items()),
    ]
    return f"## How it was made\n\nThe specification's methods, by name:\n\n{_table(('', ''), rows)}"


def _stated(spec: Mapping[str, Any], part: str, key: str) -> str:
    value = spec[part][key]
    return _WITHOUT.get((part, key), "none") if value is None else str(value)


def _figures(manifest: Mapping[str, Any]) -> str:
    figures = manifest["statistics"]
    rows = [("links a node", _spread(figures["degree"])), ("compute units", _spread(figures["compute"]))]
    rows += [("storage, GB", _spread(figures["storage_gb"])), ("link length, km", _spread(figures["distance_km"]))]
    rows += [(f"{split} tasks", f"{count:,}") for split, count in figures["tasks"].items()]
    rows += [("tasks a second, sustained", f"{figures['rate_per_s']:.4g}")] if "rate_per_s" in figures else []
    rows += [(f"quickest answer over deadline, {how}", _spread(ratio, "median"))
             for how, ratio in figures["feasibility"].items()]  # fmt: skip
    return f"## Figures\n\n{_table(('', ''), rows)}"


def _spread(values: Mapping[str, float], middle: str = "mean") -> str:
    return f"{values['min']:.4g} – {values['max']:.4g}, {middle} {values[middle]:.4g}"


def _columns(name: str, schema: pa.Schema, manifest: Mapping[str, Any]) -> str:
    rows = [
        (f"`{column.name}`", _type(column.type), column.metadata[b"unit"].decode(), column_meaning(column))
        for column in schema
    ]
    count = manifest["tables"][name]["rows"]
    title = f"## {name}.parquet\n\n{TABLE_MEANINGS[name]} {count:,} rows."
    return f"{title}\n\n{_table(('column', 'type', 'unit', 'meaning'), rows)}"


def _type(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def _asked(manifest: Mapping[str, Any]) -> str:
    rows = [(f"`{track.any_env_id}`", track.question) for track in TRACKS.values()]
    arguments = f"region={_quoted(manifest['region'])}, edition={_quoted(manifest['edition'])}"
    return f"""## What is asked on it

Each is `gymnasium.make(id, {arguments})`:

{_table(("id", "question"), rows)}"""


def _loading(manifest: Mapping[str, Any]) -> str:
    return f"""## How to load it

```python
import edgebench

region = edgebench.load({_quoted(manifest["region"])}, edition={_quoted(manifest["edition"])})
```

or, in this folder, without EdgeBench:

```python
import datasets, duckdb, polars

datasets.load_dataset(".", "nodes", split="{SPLIT}")
polars.read_parquet("tasks.parquet")
duckdb.sql("SELECT * FROM 'links.parquet'")
```"""


def _checking(manifest: Mapping[str, Any]) -> str:
    rows = [(name, f"`{entry['digest']}`") for name, entry in manifest["tables"].items()]
    rows.append(("region", f"`{manifest['digest']}`"))
    cells = "" if manifest["edition"] == SAMPLE_EDITION else f" --edition {manifest['edition']} --cells FILE"
    again = f"    edgebench check {manifest['region']}{cells}\n\n"
    build = "This builds the region again from its cells and compares every table. "
    if manifest["spec"]["family"] == "imported":
        again, build = "", "`edgebench.load` compares every table with its digest. "
    return f"""## How to check it

{again}{build}Digests are of the values, whatever wrote the file; those of the files are in `{CROISSANT}`.

{_table(("table", "SHA-256 of the values"), rows)}

Version {data_version(manifest)}, seed {manifest["seed"]}."""


def _terms(manifest: Mapping[str, Any]) -> str:
    licence = manifest["licence"]
    url = LICENCE_URLS.get(licence)
    named = f"[{licence}]({url})" if url else licence
    return f"""## Licence

Licence: {named}. Attribution: {manifest["attribution"]}

```bibtex
{cite(manifest)}
```"""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, figures: int = 0) -> str:
    """A Markdown table; the last `figures` columns are aligned to the right."""
    rules = ["---"] * (len(columns) - figures) + ["---:"] * figures
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, rules, *(map(_plain, row) for row in rows))]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text of strangers as one line of a table's cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
