"""The data report: every defect of an imported folder, by file and row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from edgebench.errors import EdgeBenchError

Grade = Literal["note", "mend", "fatal"]


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        kind: A few words that group defects of one sort.
        file: Name of the file, without folders.
        row: Line of the file, its header being line 1; 0 where the whole file is meant.
        what: What is wrong.
        mend: What mending does about it; for a note, how it is read as it is; empty where nothing helps.
        grade: `note` (imported as it is), `mend` (refused unless mended) or `fatal` (refused always).
    """

    kind: str
    file: str
    row: int
    what: str
    mend: str
    grade: Grade


@dataclass
class Report:
    """Collects the defects in the order in which they are found."""

    defects: list[Defect] = field(default_factory=list)

    def note(self, kind: str, file: str, row: int, what: str, read_as: str) -> None:
        """A peculiarity that a region can keep."""
        self.defects.append(Defect(kind, file, row, what, read_as, "note"))

    def mend(self, kind: str, file: str, row: int, what: str, mend: str) -> None:
        """A defect that a region cannot have and mending removes."""
        self.defects.append(Defect(kind, file, row, what, mend, "mend"))

    def fatal(self, kind: str, file: str, row: int, what: str) -> None:
        """A defect that no rule can mend."""
        self.defects.append(Defect(kind, file, row, what, "", "fatal"))

    def counts(self, grade: Grade) -> dict[str, int]:
        """How many defects of each kind are of `grade`, in alphabetical order."""
        return dict(sorted(Counter(defect.kind for defect in self.defects if defect.grade == grade).items()))

    def as_json(self, *, mended: bool) -> dict[str, Any]:
        """The report as plain JSON values; `mended` tells whether the mends it names were made."""
        return {
            "mended": self.counts("mend") if mended else {},
            "noted": self.counts("note"),
            "defects": [asdict(defect) for defect in self.defects],
        }

    def summary(self) -> list[tuple[str, str, str, str, str, str]]:
        """One row a file and kind: grade, kind, file, how many, rows, what mending does (or how it is read)."""
        groups: dict[tuple[str, str, str], list[Defect]] = {}
        for defect in self.defects:
            groups.setdefault((defect.grade, defect.kind, defect.file), []).append(defect)
        return [
            (*key, str(len(group)), rows_text([defect.row for defect in group]), group[0].mend)
            for key, group in groups.items()
        ]

    def refuse(self, *, mend: bool, where: str) -> None:
        """Raise unless the data may become a region: without mends where `mend` is not set, never with fatal defects.

        Raises:
            EdgeBenchError: Fatal defects, or ones that mending would remove.
        """
        fatal = [defect for defect in self.defects if defect.grade == "fatal"]
        if fatal:
            raise EdgeBenchError(
                f"the data cannot become a region: {fatal[0].what}" + _more(len(fatal) - 1),
                where=f"{where}: {fatal[0].file}, row {fatal[0].row}",
                mend="correct the files; no rule can mend this",
            )
        mendable = self.counts("mend")
        if mendable and not mend:
            raise EdgeBenchError(
                "the data cannot become a region as it is: " + told(mendable),
                where=where,
                mend="add --mend, which mends each as the report says and writes what it changed into report.json",
            )


def _more(count: int) -> str:
    return f" (and {count} more)" if count else ""


def told(counts: dict[str, int]) -> str:
    """Counts in words: `self-loop 10, zero size 2`."""
    return ", ".join(f"{kind} {count}" for kind, count in counts.items())


def rows_text(rows: Sequence[int], most: int = 4) -> str:
    """Rows with runs joined: `2–21, 30`; `…` after `most` runs; empty where the whole file is meant."""
    runs: list[list[int]] = []
    for row in sorted(set(rows) - {0}):
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in runs]
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")
