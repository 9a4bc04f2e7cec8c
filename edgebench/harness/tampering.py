"""Whether the installed package is still the one that began: for systems where it cannot be made read-only."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import edgebench


def package_sha256() -> str:
    """SHA-256 over the names and contents of all modules and tables of the installed package.

    Of a file that this user cannot read only the name counts: its agents cannot write to it.
    """
    root = Path(edgebench.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".toml", ".json")):
        content = path.read_bytes() if os.access(path, os.R_OK) else b"unreadable"
        digest.update(str(path.relative_to(root)).encode() + b"\0" + content + b"\0")
    return digest.hexdigest()
