"""One decorator for every compiled function, so that the compiler's settings stand in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import platformdirs
from numba import njit
from numba.core import config

_PART: Final[dict[str, Any]] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_HERE: Final = Path(__file__).resolve().parent
_CONSTANTS: Final = _HERE.parent / "constants.py"
_Function = TypeVar("_Function", bound=Callable[..., object])
_in_use: Final[set[Path]] = set()


def compiled(function: _Function) -> _Function:
    """Compile `function` with numba, keep the machine code on disk, divide as NumPy does.

    The code is kept under a digest of all sources it may depend on: numba itself looks at a function's own file
    alone, and would go on using constants that have moved since.
    """
    return _kept_on_disk(function)


def part(function: _Function) -> _Function:
    """As `compiled`, for a function that compiled ones call: its machine code stands within theirs alone.

    Python cannot call it, which saves a third of the time to compile.
    """
    return cast(_Function, njit(**_PART, forceinline=True)(function))


def rare(function: _Function) -> _Function:
    """As `part`, for what few steps need: called instead of copied, which keeps the others short."""
    return cast(_Function, njit(**_PART)(function))


def compiled_without_lock(function: _Function) -> _Function:
    """As `compiled`; Python's other threads go on while it runs."""
    return _kept_on_disk(function, nogil=True)


def compiled_in_place(function: _Function) -> _Function:
    """As `compiled`, for a function that makes no array: it and its parts count no references.

    Where arrays stand in named tuples, numba counts at every look-up; a step that is a hundred of them takes a
    quarter of the time without. A function that does make an array is refused when it is compiled.
    """
    return _kept_on_disk(function, _nrt=False)


def _kept_on_disk(function: _Function, **options: bool) -> _Function:
    folder = code_folder(Path(function.__code__.co_filename).resolve().parent)
    _in_use.add(folder)
    elsewhere, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return cast(_Function, njit(cache=True, error_model="numpy", **options)(function))
    finally:
        config.CACHE_DIR = elsewhere


def is_compiled(own: Path) -> bool:
    """Whether functions that stand in folder `own` have been compiled from these sources on this machine."""
    return any(code_folder(own.resolve()).rglob("*.nbi"))


@cache
def all_code() -> Path:
    """Where machine code is kept on this machine that was compiled with the present constants and shared functions."""
    return platformdirs.user_cache_path("edgebench", appauthor=False) / "compiled" / _digest(_HERE, _CONSTANTS)


def code_in_use() -> list[Path]:
    """Of `all_code`, the folders of the functions that this process has imported."""
    return sorted(_in_use)


@cache
def code_folder(own: Path) -> Path:
    """Where the machine code of functions that stand in folder `own` is kept: under the sources they may depend on."""
    return all_code() / _digest(own)


def _digest(folder: Path, *more: Path) -> str:
    sources = (*more, *sorted(folder.glob("*.py")))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
