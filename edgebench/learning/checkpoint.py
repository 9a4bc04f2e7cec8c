"""Checkpoints: a folder with `checkpoint.json`, which says what was trained, and `weights.safetensors`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

import edgebench
from edgebench.atomic import atomic_path, write_text
from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object
from edgebench.harness.agents import CHECKPOINT_FILES, NEXT_WEIGHTS, settle_checkpoint
from edgebench.learning.job import Job
from edgebench.learning.method import Method, settings_of
from edgebench.learning.methods import find_method
from edgebench.learning.seen import Form

RECORD, WEIGHTS = CHECKPOINT_FILES
FORMAT_VERSION: Final = 1
_NAMES: Final = ("format_version", "edgebench_version", "torch_version", "job", "digests", "form", "decisions", "val")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint's record says.

    Attributes:
        job: How it was trained.
        digests: Of the regions it was trained on, by name.
        form: What its decisions are made of.
        decisions: How many it has learned from.
        val: Its mean primary metric on the validation episodes of those regions.
        sha256: Of the weights' file.
    """

    job: Job
    digests: Mapping[str, str]
    form: Form
    decisions: int
    val: float
    sha256: str


def save_checkpoint(
    folder: Path, method: Method, job: Job, digests: Mapping[str, str], decisions: int, val: float
) -> None:
    """Write the weights aside, then the record that names their digest, from when on they are the checkpoint's."""
    tensors = {
        f"{name}.{key}": value.detach().cpu().contiguous()
        for name, module in method.modules().items()
        for key, value in module.state_dict().items()
    }
    data = save(tensors)
    record = {
        "format_version": FORMAT_VERSION,
        "edgebench_version": edgebench.__version__,
        "torch_version": torch.__version__,
        "job": job.as_json(),
        "digests": dict(digests),
        "form": dataclasses.asdict(method.form),
        "decisions": decisions,
        "val": val,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
    }
    with atomic_path(folder / NEXT_WEIGHTS) as temporary:
        temporary.write_bytes(data)
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
    settle_checkpoint(folder, record)


def read_checkpoint(folder: Path) -> Checkpoint:
    """The record of a checkpoint.

    Raises:
        EdgeBenchError: There is none, it is damaged, of another format, or not of the weights beside it.
    """
    path = folder / RECORD
    try:
        record = json_object(path.read_text(encoding="utf-8"))
        missing = [name for name in (*_NAMES, "weights_sha256") if name not in record]
        if missing or record["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format {record.get('format_version')}, missing: {', '.join(missing) or 'nothing'}")
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record["form"].items()
        }
        form = Form(**fields)
        settle_checkpoint(folder, record)
        weights = (folder / WEIGHTS).read_bytes()
        found = Checkpoint(
            Job.read(record["job"]), dict(record["digests"]), form, int(record["decisions"]), float(record["val"]),
            str(record["weights_sha256"]),
        )  # fmt: skip
    except (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise EdgeBenchError(f"no checkpoint: {error}", where=str(path), mend="edgebench train makes one") from error
    if hashlib.sha256(weights).hexdigest() != found.sha256:
        raise EdgeBenchError("the weights are not those of the record", where=str(folder), mend="train again")
    return found


def load_method(folder: Path, device: str = "cpu") -> tuple[Method, Checkpoint]:
    """The method of a checkpoint with its weights, ready to decide; EdgeBenchError as `read_checkpoint`."""
    checkpoint = read_checkpoint(folder)
    kind = find_method(checkpoint.job.method)
    settings = settings_of(kind.settings_type, checkpoint.job.settings)
    try:
        method = kind(checkpoint.form, settings, checkpoint.job.seed, torch.device(device))
        tensors = load((folder / WEIGHTS).read_bytes())
        for name, module in method.modules().items():
            module.load_state_dict(_of_module(tensors, f"{name}."))
    except (SafetensorError, RuntimeError, ValueError, OSError, TypeError, LookupError, AttributeError) as error:
        where = str(folder / WEIGHTS)
        raise EdgeBenchError(f"weights do not fit the method: {error}", where=where, mend="train again") from error
    return method, checkpoint


def _of_module(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
