"""Every reader of foreign files on a healthy file of its kind, and ways in which such a file can be broken."""

import hashlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from board_toy import DIGESTS, all_rows, csv_text, rules, write_run

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import resolve_agent
from edgebench.leaderboard.board import rank, read_entry
from edgebench.leaderboard.curve import curve_problems
from edgebench.leaderboard.ledger import begin, read_ledger
from edgebench.leaderboard.page import as_csv, as_page
from edgebench.leaderboard.rerun import agent_of, read_submission
from edgebench.leaderboard.results import validate_results
from edgebench.leaderboard.total import entrant_names
from edgebench.leaderboard.validate import validate

HOSTILE = (
    "", "null", "NaN", "-Infinity", "1e999", "9" * 5000, "[" * 3000, '{"a":' * 3000, "=cmd|' /C calc'!A0", "@SUM(A1)",
    "<script>alert(1)</script>", "\x00", "\x1b[2J", "\u202e", "../../..", "C:\\nul", '"', ",", "\n", "\r", "\t", "|",
    "é" * 300, "１", "1_0", "0x1", "-0", "true", "{}", "[]", "x" * 200_000,
)  # fmt: skip
VALUES = (
    None, True, -1, 0, 10**17, 10**400, 1.5, 1e308, "", "x", "../..", "=1", "\x00", [], [[]], {}, {"a": {}}, ["s1"],
)  # fmt: skip


WEIGHTS = b"none"


@dataclass(frozen=True)
class Reader:
    """A file, where it lies, and what reads it."""

    name: str
    path: Path
    read: Callable[[], object]


def board_folder(home: Path) -> Path:
    return home / "leaderboards" / "route" / "sample" / "trap" / "a"


def readers(home: Path) -> list[Reader]:
    """Healthy files in the data folder `home`, each with its reader; EDGEBENCH_HOME must name it."""
    assert os.environ["EDGEBENCH_HOME"] == str(home)
    entry = write_run(board_folder(home))
    begin(home / "leaderboards", "fuzzing")
    results, entrants = home / "results.csv", home / "leaderboards" / "entrants.toml"
    head = [f"# edgebench_version: {edgebench.__version__}", *(f"# region {name}: {DIGESTS[name]}" for name in DIGESTS)]
    results.write_text("\n".join([*head, csv_text(all_rows())]), encoding="utf-8")
    entrants.write_text('[all]  # both\nroute = "a"\nplace = "b"\n', encoding="utf-8")
    checkpoint = home / "checkpoint" / "checkpoint.json"
    checkpoint.parent.mkdir()
    checkpoint.write_text(json.dumps(_record()), encoding="utf-8")
    checkpoint.with_name("weights.safetensors").write_bytes(WEIGHTS)
    lines = ["seed,decisions,train,val", *(f"{n % 2},{n}000,{n / 7},{n / 9 if n % 3 else ''}" for n in range(20))]
    checkpoint.with_name("curve.csv").write_text("\n".join(lines), encoding="utf-8")

    def entered() -> None:
        validate(entry, rules)
        shown = rank([read_entry(entry, "a")])
        as_csv(shown), as_page(shown, "route", "sample")

    def submitted() -> None:
        validate(entry, rules)
        agent_of(read_submission(entry))

    return [
        Reader("episodes.csv", entry / "episodes.csv", entered),
        Reader("manifest.json", entry / "manifest.json", entered),
        Reader("manifest.json to verify", entry / "manifest.json", submitted),
        Reader("summary.json", entry / "summary.json", entered),
        Reader("results.csv", results, lambda: validate_results(results, rules)),
        Reader("LEDGER.md", home / "leaderboards" / "LEDGER.md", lambda: read_ledger(home / "leaderboards/LEDGER.md")),
        Reader("entrants.toml", entrants, lambda: entrant_names("sample")),
        Reader("checkpoint.json", checkpoint, lambda: _checkpoint(checkpoint.parent)),
        Reader("curve.csv", checkpoint.with_name("curve.csv"), lambda: _curve(checkpoint.parent)),
    ]


def _record() -> dict[str, object]:
    job = {
        "method": "ppo", "track": "route", "face": "single", "regions": ["s1"], "edition": "sample", "scenario": "trap",
        "steps": 1000, "seed": 0, "settings": {}, "face_settings": {}, "validations": 10, "device": "cpu",
    }  # fmt: skip
    form = {"rows": ["queue_s"], "context": ["tokens"], "action": "choice", "levels": 0, "prior": "", "whole": []}
    return {
        "format_version": 1, "edgebench_version": edgebench.__version__, "torch_version": "2", "job": job,
        "digests": DIGESTS, "form": form, "decisions": 10, "val": 0.5,
        "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    }  # fmt: skip


def _curve(folder: Path) -> None:
    from edgebench.site.curves import draw_curve

    assert (draw_curve(folder) is None) or not curve_problems(folder)


def _checkpoint(folder: Path) -> None:
    from edgebench.learning.checkpoint import read_checkpoint

    resolve_agent(str(folder))
    read_checkpoint(folder)


def crash(reader: Reader, data: bytes) -> str:
    """What the reader raised on `data` that is no EdgeBenchError, in words; "" where it refused or took it."""
    reader.path.write_bytes(data)
    try:
        reader.read()
    except EdgeBenchError:
        return ""
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def broken(healthy: bytes, dice: random.Random) -> bytes:
    """The file with one to three things wrong, so chosen that much of it can still be read."""
    data = healthy
    for _ in range(dice.randint(1, 3)):
        data = dice.choice((_bytes, _token, _cell, _value, _cut))(data, dice)
    return data


def _bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.randbytes(dice.randint(1, 8)) + data[at + dice.randint(0, 8) :]


def _token(data: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.choice(HOSTILE).encode() + data[at + dice.randint(0, 4) :]


def _cell(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    number = dice.randrange(len(lines))
    cells = lines[number].split(b",")
    cells[dice.randrange(len(cells))] = dice.choice(HOSTILE).encode()
    lines[number] = b",".join(cells)
    return b"\n".join(lines)


def _value(data: bytes, dice: random.Random) -> bytes:
    """Another value somewhere in a JSON object, of any type."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return _cell(data, dice)
    inner = tree
    while isinstance(inner, dict | list) and inner:
        key = dice.choice(sorted(inner)) if isinstance(inner, dict) else dice.randrange(len(inner))
        if not isinstance(inner[key], dict | list) or not inner[key] or dice.random() < 0.3:
            inner[key] = dice.choice(VALUES)
            break
        inner = inner[key]
    return json.dumps(tree).encode()


def _cut(data: bytes, dice: random.Random) -> bytes:
    first, last = sorted((dice.randint(0, len(data)), dice.randint(0, len(data))))
    return dice.choice((data[:first], data[:first] + data[last:], data[:last] + data[first:]))
