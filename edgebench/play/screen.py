"""What the terminal shows of a session: the decision, its rows, the map, and the words below."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from edgebench.play.char_map import CharMap
from edgebench.play.desk import Desk
from edgebench.play.session import FINISH, HINT, QUIT

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_BESIDE: Final = 124
"""From so many characters a line the map stands beside the rows."""
_MAP: Final = (44, 20)
"""Characters a line and lines of the map, at most."""
_LEAST_ROWS: Final = 6
_OF_TABLE: Final = 4
"""Lines of a table that are no rows."""
_TRAP_COLUMN: Final = "traps"


class Screen:
    """Draws a desk for a terminal of any size.

    Args:
        desk: What is drawn.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._maps: dict[tuple[int, int], CharMap] = {}

    def draw(self, wide: int, high: int) -> RenderableType:
        """Everything, for so many characters a line and so many lines."""
        from rich.console import Group
        from rich.table import Table

        head, foot, decision = self._head(), self._foot(), self._desk.session.decision
        left = high - sum(max(1, len(wrap(line.plain, wide))) for line in (*head, *foot))
        has_map, beside = decision.here >= 0, wide >= _BESIDE
        below = min(_MAP[1], left - _OF_TABLE - _LEAST_ROWS) if has_map and not beside else 0
        below = below if below >= _LEAST_ROWS else 0
        rows = self._rows(left - _OF_TABLE - below)
        if has_map and beside:
            both = Table.grid(padding=(0, 2))
            both.add_row(rows, self._map(min(2 * _MAP[0], wide - _BESIDE + _MAP[0]), min(_MAP[1], left)))
            return Group(*head, both, *foot)
        return Group(*head, rows, *([self._map(min(2 * _MAP[0], wide), below)] if below else []), *foot)

    def plain(self) -> RenderableType:
        """The decision and all of its rows, without a map: for one that is read line by line."""
        from rich.console import Group

        return Group(*self._head(), self._rows(len(self._desk.session.decision.rows)))

    def _head(self) -> list[Text]:
        from rich.text import Text

        session = self._desk.session
        first, *more = session.decision.heading
        tally = f"decision {session.decisions + 1}; earned {session.earned:z.3f}, the last time {session.last:+z.3f}"
        return [Text(first, style="bold"), *(Text(line) for line in more), Text(tally, style="dim")]

    def _rows(self, room: int) -> Table:
        """As many rows as there is room for, the one under the cursor among them."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        decision, cursor = self._desk.session.decision, self._desk.cursor
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for column in ("", *decision.columns):
            table.add_column(column, justify="right", no_wrap=True)
        first = max(0, min(cursor - room // 2, len(decision.rows) - room))
        for place, row in enumerate(decision.rows[first : first + room], start=first):
            cells = [Text(cell) for cell in (self._mark(place), *row.cells)]
            if row.extra_s > 0.0 and _TRAP_COLUMN in decision.columns:
                cells[1 + decision.columns.index(_TRAP_COLUMN)].stylize("red")
            table.add_row(*cells, style="reverse" if place == cursor else None)
        return table

    def _mark(self, place: int) -> str:
        return ("h" if place == self._desk.hinted_row else "") + (">" if place == self._desk.cursor else "")

    def _map(self, wide: int, high: int) -> RenderableType:
        desk = self._desk
        if (wide, high) not in self._maps:
            self._maps[wide, high] = CharMap(desk.session.region, wide, high)
        return self._maps[wide, high].draw(desk.session.decision, desk.chosen)

    def _foot(self) -> list[Text]:
        from rich.text import Text

        desk = self._desk
        keys = f"up, down, Enter, or {desk.session.hand.usage} and Enter"
        letters = f"{HINT} asks {desk.session.guide_name}, {FINISH} lets it finish, {QUIT} quits"
        return [Text(line) for line in (f"{keys}; {letters}", desk.message, f"> {desk.typed}")]
