"""A reader for the Azure Functions trace of 2019, which users download themselves, as a workload.

Files `invocations_per_function_md.anon.d01.csv` to `d14.csv` of github.com/Azure/AzurePublicDataset (CC-BY 4.0; Shahrad
et al., "Serverless in the wild", USENIX ATC 2020): a row a function and day, columns HashOwner, HashApp, HashFunction,
Trigger and its invocations in each minute, 1 to 1440.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.schema import SPLITS
from edgebench.tracks.offload import streams
from edgebench.tracks.offload.draws import Floats, uniforms

FILES: Final = "invocations_per_function_md.anon.d*.csv"
TRIGGER: Final = "http"
"""Only functions that users call; timers, queues and storage events have no place in a network."""
BIN_MINUTES: Final = 5
BINS: Final = 1440 // BIN_MINUTES
SPLIT_ENDS: Final = {"train": 0.7, "val": 0.85, "test": 1.0}
"""Where in the unit interval the hash of a function falls that belongs to each split."""
LEVEL: Final = 150.0
"""Days are judged by their shape, stretched to 0 … 150 (DFaaS): kept are those"""
MEAN_KEPT: Final = (30.0, 130.0)
"""with a mean between these"""
DEVIATION_KEPT: Final = (10.0, 60.0)
"""and a standard deviation between these, which are neither silent nor flat nor single spikes."""
_NAMES: Final = ("HashOwner", "HashApp", "HashFunction", "Trigger")
_MINUTES: Final = tuple(str(minute) for minute in range(1, 1441))
_MEND: Final = "download azurefunctions-dataset2019 afresh from github.com/Azure/AzurePublicDataset and unpack it"


@dataclass(frozen=True)
class AzureWorkload:
    """Days of functions as workloads.

    Attributes:
        days: Of each split, (rows, BINS): invocations in every five minutes of a function's day, over their mean.
    """

    days: Mapping[str, Floats]

    def shape(self, split: str, east: Floats, slots: int, seed: int) -> Floats:
        """Every node is asked for as one function of the split is on one day, drawn by counter; (slots, N) of mean 1.

        The day is played in one episode: slot s is the five minutes at the same share of the day.
        """
        days = self.days[split]
        if len(days) == 0:
            raise EdgeBenchError(
                f"no function of split {split!r} is left of the trace", mend="read more of its 14 days from one folder"
            )
        chosen = (uniforms(seed, streams.FUNCTION, east.size, 1)[0] * len(days)).astype(np.int64)
        return np.asarray(days[chosen][:, np.arange(slots) * BINS // slots].T)


def read_azure(folder: str | Path) -> AzureWorkload:
    """Read all days in a folder.

    Raises:
        EdgeBenchError: There is no such folder or no such file in it, a column is missing, or an entry is no count.
    """
    paths = sorted(Path(folder).glob(FILES))
    if not paths:
        raise EdgeBenchError("no day of the Azure Functions trace", where=str(folder), mend=f"needs {FILES}; {_MEND}")
    found: dict[str, list[Floats]] = {split: [np.zeros((0, BINS))] for split in SPLITS}
    for path in paths:
        rows = _read_day(path)
        of_split = np.array([split_of(*names) for names in rows.select(_NAMES[:3]).iter_rows()], np.str_)
        days, is_kept = _shapes(_counts(rows, path))
        for split, kept in found.items():
            kept.append(days[is_kept & (of_split == split)])
    return AzureWorkload({split: np.concatenate(kept) for split, kept in found.items()})


def split_of(owner: str, app: str, function: str) -> str:
    """The split of a function, by hash, the same on every day: none is met in two splits."""
    digest = hashlib.sha256(f"{owner}/{app}/{function}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2.0**64
    return next(split for split, end in SPLIT_ENDS.items() if place < end)


def _read_day(path: Path) -> polars.DataFrame:
    """The rows of a day's file that users call, all as text, with their line numbers."""
    try:
        table = polars.scan_csv(path, infer_schema=False, row_index_name="line", row_index_offset=2)
        columns = table.collect_schema().names()
        missing = [name for name in (*_NAMES, *_MINUTES) if name not in columns]
        if missing:
            raise EdgeBenchError(f"column {missing[0]!r} is missing", where=str(path), mend=_MEND)
        return table.filter(polars.col("Trigger") == TRIGGER).collect()
    except (polars.exceptions.PolarsError, OSError) as error:
        raise EdgeBenchError(f"unreadable: {str(error).splitlines()[0]}", where=str(path), mend=_MEND) from error


def _counts(rows: polars.DataFrame, path: Path) -> NDArray[np.int64]:
    """Invocations by minute, (rows, 1440)."""
    counts = rows.select(polars.col(_MINUTES).cast(polars.Int64, strict=False))
    wrong = counts.select(polars.any_horizontal((polars.all().is_null()) | (polars.all() < 0)).alias("wrong"))["wrong"]
    if wrong.any():
        row = int(wrong.arg_true()[0])
        minute = next(name for name in _MINUTES if counts[name][row] is None or counts[name][row] < 0)
        raise EdgeBenchError(
            f"{rows[minute][row]!r} in minute {minute} is no count of invocations",
            where=f"{path}, line {rows['line'][row]}",
            mend=_MEND,
        )
    return np.asarray(counts.to_numpy(), np.int64).reshape(len(rows), len(_MINUTES))


def _shapes(counts: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
    """Days over their means, (rows, BINS), and which are kept; of a silent one all is 0."""
    days = counts.reshape(len(counts), BINS, BIN_MINUTES).sum(axis=2).astype(np.float64)
    span = np.maximum(np.ptp(days, axis=1, keepdims=True), 1.0) if len(days) else np.ones((0, 1))
    stretched = LEVEL * (days - days.min(axis=1, keepdims=True, initial=np.inf)) / span
    mean, deviation = stretched.mean(axis=1), stretched.std(axis=1)
    is_kept = (mean >= MEAN_KEPT[0]) & (mean <= MEAN_KEPT[1])
    is_kept &= (deviation >= DEVIATION_KEPT[0]) & (deviation <= DEVIATION_KEPT[1])
    return days / np.maximum(days.mean(axis=1, keepdims=True), 1.0 / BINS), is_kept
