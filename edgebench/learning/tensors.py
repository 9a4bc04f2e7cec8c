"""Nested dictionaries of tensors and plain values in one safetensors file: written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edgebench.atomic import atomic_path
from edgebench.errors import EdgeBenchError

_TREE: Final = "tree"
_TENSOR, _PAIRS, _ITEMS = "tensor", "pairs", "items"


def save_tree(path: Path, tree: dict[str, Any]) -> None:
    """Write dictionaries, lists and tuples of tensors, numbers, strings, booleans and None."""
    tensors: dict[str, Tensor] = {}
    plain = _plain(tree, tensors)
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, {_TREE: json.dumps(plain)}))


def load_tree(path: Path) -> dict[str, Any]:
    """What `save_tree` wrote, tuples as lists; EdgeBenchError for anything else."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
            tree: dict[str, Any] = _whole(json.loads(file.metadata()[_TREE]), tensors)
    except (OSError, SafetensorError, ValueError, LookupError, TypeError) as error:
        raise EdgeBenchError(f"damaged: {error}", where=str(path), mend="remove the file and train again") from error
    return tree


def _plain(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON; tensors go aside, under numbers. A dictionary's keys may be numbers, so it becomes pairs."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(value, dict):
        return {_PAIRS: [[key, _plain(inner, tensors)] for key, inner in value.items()]}
    if isinstance(value, list | tuple):
        return {_ITEMS: [_plain(inner, tensors) for inner in value]}
    return value


def _whole(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _PAIRS in value:
        return {key: _whole(inner, tensors) for key, inner in value[_PAIRS]}
    return [_whole(inner, tensors) for inner in value[_ITEMS]]
