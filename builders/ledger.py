"""The account of rows: what every filter dropped, why, and what was left."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Drop:
    """One filter's work: `rows` dropped for `reason`, `left` rows kept. Recorded even when nothing was dropped."""

    filter: str
    reason: str
    rows: int
    left: int


@dataclass
class Ledger:
    """All filters of one build, in the order they ran."""

    entries: list[Drop] = field(default_factory=list)

    def record(self, filter: str, reason: str, rows: int, left: int) -> None:
        """Add what one filter did."""
        self.entries.append(Drop(filter, reason, rows, left))

    def as_json(self) -> list[dict[str, str | int]]:
        """The entries as plain dictionaries, for the manifest."""
        return [asdict(entry) for entry in self.entries]
