"""The contract between builders and everyone else: the tables of a region, with units and meanings."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pyarrow as pa

FORMAT_VERSION: Final = 2
"""Version of the table layout; a reader refuses any other."""
SPLITS: Final = ("train", "val", "test")


def _field(name: str, kind: pa.DataType, unit: str, meaning: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit, "meaning": meaning})


_i32, _i64, _f64, _str = pa.int32(), pa.int64(), pa.float64(), pa.string()

NODES: Final = pa.schema(
    [
        _field("node_id", _i32, "", "0 … N-1"),
        _field("lat", _f64, "deg", "WGS84 latitude"),
        _field("lon", _f64, "deg", "WGS84 longitude"),
        _field("compute", _i32, "compute units", "speed of the node"),
        _field("storage_gb", _i32, "GB", "memory for resident models"),
        _field("price", _f64, "", "price of the node's work over the catalogue price"),
        _field("sites", _i32, "", "sites the node serves"),
        _field("cells", _i32, "", "cells on those sites"),
        _field("gsm", _f64, "", "share of GSM cells"),
        _field("umts", _f64, "", "share of UMTS and CDMA cells"),
        _field("lte", _f64, "", "share of LTE cells"),
        _field("nr", _f64, "", "share of NR cells"),
    ]
)
LINKS: Final = pa.schema(
    [
        _field("link_id", _i32, "", "0 … L-1; one row for both directions"),
        _field("src", _i32, "", "node_id, below dst"),
        _field("dst", _i32, "", "node_id"),
        _field("distance_km", _f64, "km", "haversine, Earth radius 6371.0088 km"),
        _field("latency_ms", _f64, "ms", "propagation one way, without the forwarding of a hop"),
        _field("bandwidth_mbps", _f64, "Mbit/s", "what one transfer gets"),
        _field("is_trap", pa.bool_(), "", "privileged: agents never see it"),
        _field("trap_enter", _f64, "1/slot", "chance a slot to turn bad", nullable=True),
        _field("trap_leave", _f64, "1/slot", "chance a slot to recover", nullable=True),
        _field("trap_extra_min_ms", _f64, "ms", "least extra delay while bad", nullable=True),
        _field("trap_extra_max_ms", _f64, "ms", "most extra delay while bad", nullable=True),
        _field("trap_rest_ms", _f64, "ms", "extra delay while good", nullable=True),
        _field("trap_mbps", _f64, "Mbit/s", "what one transfer gets while bad; null: bandwidth_mbps", nullable=True),
        _field("trap_loss", _f64, "", "share of packets lost, and sent again, while bad", nullable=True),
    ]
)
INSTANCES: Final = pa.schema(
    [
        _field("instance_id", _i32, "", "0 … M-1"),
        _field("model_id", _str, "", "catalogue entry"),
        _field("model_type", _str, "", "text, image or video; text-07 names an expert of that kind"),
        _field("quality", _f64, "", "0 … 1"),
        _field("work", _f64, "", "work per token over a unit model's"),
        _field("memory_gb", _f64, "GB", "size when resident"),
        _field("price_usd_per_1k_tokens", _f64, "USD", "price per 1,000 tokens on this node"),
        _field("node_id", _i32, "", "where it is placed"),
    ]
)
TASKS: Final = pa.schema(
    [
        _field("task_id", _i32, "", "0 … over all splits"),
        _field("split", _str, "", "train, val or test"),
        _field("user_id", _i32, "", "users of different splits are different"),
        _field("lat", _f64, "deg", "WGS84 latitude of the user"),
        _field("lon", _f64, "deg", "WGS84 longitude of the user"),
        _field("node_id", _i32, "", "the node nearest the user"),
        _field("arrival_ms", _f64, "ms", "from the start of the split, rising"),
        _field("stage_types", pa.list_(_str), "", "model type of each stage"),
        _field("stage_parents", pa.list_(_i32), "", "bit k: the stage needs what stage k yields; 0: the prompt alone"),
        _field("stage_tokens", pa.list_(_i32), "tokens", "tokens of each stage"),
        _field("prompt_mb", _f64, "MB", "what the user sends to every stage without parents"),
        _field("stage_output_mb", pa.list_(_f64), "MB", "sent to each child, or to the user where there is none"),
        _field("quality_weight", _f64, "", "with speed_weight sums to 1"),
        _field("speed_weight", _f64, "", "with quality_weight sums to 1"),
        _field("deadline_ms", _f64, "ms", "from arrival to answer"),
    ]
)
TABLES: Final = {"nodes": NODES, "links": LINKS, "instances": INSTANCES, "tasks": TASKS}


def table_digest(table: pa.Table) -> str:
    """SHA-256 over the names, types and values of `table`, whatever wrote it.

    Each column is hashed as little-endian values (64-bit floats and integers), strings as UTF-8
    with lengths, nulls as a mask and lists as lengths followed by their values.
    """
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        digest.update(f"{name}:{_type_name(column.type)}:{len(column)};".encode())
        _hash_column(digest, column)
    return digest.hexdigest()


def _type_name(kind: pa.DataType) -> str:
    """The type without the name of a list's items, which Parquet writers change."""
    return f"list<{kind.value_type}>" if pa.types.is_list(kind) else str(kind)


def _hash_column(digest: hashlib._Hash, column: pa.Array) -> None:
    digest.update(np.packbits(np.asarray(column.is_null())).tobytes())
    if pa.types.is_list(column.type):
        lengths = column.value_lengths().fill_null(0)
        digest.update(np.asarray(lengths).astype("<i8").tobytes())
        _hash_column(digest, column.flatten())
    elif pa.types.is_string(column.type):
        texts = [str(text).encode() for text in column.fill_null("").to_pylist()]
        digest.update(np.array([len(text) for text in texts], "<i8").tobytes() + b"".join(texts))
    elif pa.types.is_floating(column.type):
        digest.update((np.asarray(column.fill_null(0.0)).astype("<f8") + 0.0).tobytes())
    else:
        zero = False if pa.types.is_boolean(column.type) else 0
        digest.update(np.asarray(column.fill_null(zero)).astype("<i8").tobytes())


def region_digest(tables: dict[str, str]) -> str:
    """SHA-256 over the digests of a region's tables, in the order of `TABLES`."""
    return hashlib.sha256("".join(f"{name}={tables[name]};" for name in TABLES).encode()).hexdigest()
