"""Where a person sits: the row under the cursor, what has been typed, what was answered."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from edgebench.errors import EdgeBenchError
from edgebench.play.hand import Row
from edgebench.play.session import FINISH, HINT, QUIT, Session

UP: Final = ("\x1b[A", "\x1bOA", "\xe0H", "\x00H")
DOWN: Final = ("\x1b[B", "\x1bOB", "\xe0P", "\x00P")
ENTER: Final = ("\r", "\n")
BACK: Final = ("\x7f", "\x08")
"""What terminals send for a key, on Windows too."""


class Desk:
    """Takes keys, or whole lines, to the decisions of a session.

    Args:
        session: What is played.

    Attributes:
        session: The same.
        cursor: The row under the cursor.
        hinted_row: The row of the guide's choice once it was asked for, -1 where none is.
        typed: What has been typed since the last Enter.
        message: The last answer.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.typed, self.message = session, "", ""
        self.cursor, self.hinted_row = 0, -1

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        rows = self.session.decision.rows
        return rows[self.cursor] if rows else None

    def press(self, key: str) -> bool:
        """Take a key; whether the game goes on. What cannot be chosen is told in `message`."""
        if key in UP or key in DOWN:
            last = len(self.session.decision.rows) - 1
            self.cursor = max(0, min(last, self.cursor + (1 if key in DOWN else -1)))
        elif key in ENTER or (not self.typed and key in (HINT, FINISH, QUIT)):
            line, self.typed = (self.typed if key in ENTER else key), ""
            try:
                return self.enter(line)
            except EdgeBenchError as error:
                self.message = f"{error.what}; {error.mend}"
        elif key in BACK:
            self.typed = self.typed[:-1]
        elif len(key) == 1 and key.isprintable():
            self.typed += key
            self._follow()
        return True

    def enter(self, line: str) -> bool:
        """Take a line: a choice, nothing for what the cursor is on, or a letter; whether the game goes on.

        Where rows are no choices, nothing stands for the guide's choice.

        Raises:
            EdgeBenchError: It means no valid choice.
        """
        if line == QUIT:
            return False
        if line == FINISH:
            self.session.finish()
            self.message = f"{self.session.guide_name} took {self.session.by_guide} decisions"
        elif line == HINT:
            self._ask()
        else:
            self._decide(line)
        return not self.session.over

    def _ask(self) -> None:
        session = self.session
        action = session.hint()
        same = [
            place
            for place, row in enumerate(session.decision.rows)
            if row.action is not None and np.array_equal(row.action, action)
        ]
        self.hinted_row = same[0] if same else -1
        self.cursor = self.hinted_row if same else self.cursor
        self.message = f"{session.guide_name}: {session.hand.told(action)}"

    def _decide(self, line: str) -> None:
        session = self.session
        action = session.hand.typed(line, session.observation) if line else self._under_cursor()
        told = session.hand.told(action)
        session.take(action)
        self.message = f"taken: {told}; earned {session.last:+z.3f}"
        self.cursor, self.hinted_row = 0, -1

    def _under_cursor(self) -> Any:
        row = self.chosen
        return self.session.hint() if row is None or row.action is None else row.action

    def _follow(self) -> None:
        """Bring the cursor to the row whose number is typed."""
        for place, row in enumerate(self.session.decision.rows):
            if row.action is not None and row.cells[0] == self.typed:
                self.cursor = place
