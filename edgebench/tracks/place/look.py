"""One decision about a placement as learning sees it, from an observation alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import Seen as Decisions
from edgebench.tracks.place.constants import STREAM_GB_PER_S
from edgebench.tracks.place.estimate import blank_estimate, estimate_edits
from edgebench.tracks.place.features import EXPERT_FEATURES
from edgebench.tracks.place.observe import Seen
from edgebench.tracks.place.sight import (
    CONTEXT,
    EXPECTED_MS,
    PICKED,
    ROWS,
    Singles,
    find_gains,
    see_any_edits,
    see_context,
    see_edits,
    see_experts,
)

NOBODY: Final = -2
"""In place of an expert: it is asked which one."""
ANYBODY: Final = -1
"""In place of an expert: it is asked what is done whichever it is."""
_SIZE: Final = [feature.name for feature in EXPERT_FEATURES].index("size_gb")
_MS: Final = 1000.0
_VERBS: Final = 3


class Question(NamedTuple):
    """A decision: R rows of P experts, of 3 x G edits, or of both."""

    rows: Singles  # (R, F)
    context: Singles  # (C,)
    mask: NDArray[np.bool_]  # (R,)
    nodes: NDArray[np.int32]  # (R,)
    edges: NDArray[np.float16] | None  # (R, R)


class Look:
    """What is made of one episode's observations.

    Args:
        nodes: Of the G devices, (G,).
        experts: Of all layers, P.
        graph: Whether every decision shows the rows of all experts, then those of all edits, and which belong together.
    """

    def __init__(self, nodes: NDArray[np.int64], experts: int, *, graph: bool) -> None:
        self.experts, self.devices, self._graph = experts, nodes.size, graph
        self._estimate = blank_estimate(experts, nodes.size)
        self._gains, self._loading = np.zeros((experts, _VERBS, nodes.size)), np.zeros(nodes.size)
        self._nodes = np.concatenate([np.full(experts, -1), np.tile(nodes, _VERBS)]).astype(np.int32)

    def note(self, seen: Seen) -> None:
        """Estimate what edits would save now."""
        self._seen = seen
        stream_ms = _MS * float(seen.experts[0, _SIZE]) / STREAM_GB_PER_S
        estimate_edits(seen, stream_ms, EXPECTED_MS, self._estimate)
        find_gains(seen, self._estimate, self._gains, self._loading)

    def ask(self, expert: int) -> Question:
        """The question what is done with an expert and where, or `NOBODY`: which expert."""
        rows, mask = self._of_graph(expert) if self._graph else self._of_kind(expert)
        context = np.zeros(len(CONTEXT), np.float32)
        see_context(self._seen, self._estimate, self._gains, expert != NOBODY, context)
        return Question(rows, context, mask, self._nodes[self._rows(expert)], self._edges() if self._graph else None)

    def edit(self, expert: int, row: int) -> tuple[int, int, int]:
        """The edit that an expert and the row that answers a question about it are."""
        return (expert, *divmod(row - self.experts * self._graph, self.devices))

    def _rows(self, expert: int) -> slice:
        """Which of all rows a question shows."""
        first = self.experts * (expert != NOBODY and not self._graph)
        return slice(first, self.experts if expert == NOBODY and not self._graph else None)

    def _of_kind(self, expert: int) -> tuple[Singles, NDArray[np.bool_]]:
        """The rows of experts alone, or of edits alone."""
        count = self.experts if expert == NOBODY else _VERBS * self.devices
        rows, mask = np.zeros((count, len(ROWS)), np.float32), np.zeros(count, np.bool_)
        if expert == NOBODY:
            see_experts(self._seen, self._estimate, self._gains, self._loading, rows, mask)
        elif expert == ANYBODY:
            see_any_edits(self._seen, self._estimate, self._gains, self._loading, rows, mask)
        else:
            see_edits(self._seen, self._estimate, self._gains, self._loading, expert, rows, mask)
        return rows, mask

    def _of_graph(self, expert: int) -> tuple[Singles, NDArray[np.bool_]]:
        """The rows of both kinds; those of the other kind may not be chosen."""
        experts, of_experts = self._of_kind(NOBODY)
        edits, of_edits = self._of_kind(ANYBODY if expert == NOBODY else expert)
        if expert >= 0:
            experts[expert, PICKED] = 1.0
        (of_edits if expert == NOBODY else of_experts)[:] = False
        return np.concatenate([experts, edits]), np.concatenate([of_experts, of_edits])

    def _edges(self) -> NDArray[np.float16]:
        """Which rows belong together, those of all experts before those of all edits.

        Experts by affinity, over the mean share of a layer; verbs on devices, each verb for itself, by the time of a
        row from the one to the other: 1 / (1 + seconds).
        """
        seen, each, size = self._seen, self._seen.affinity.shape[1], self._nodes.size
        edges = np.zeros((size, size), np.float16)
        for layer, affinity in enumerate(seen.affinity):
            before, after = slice(layer * each, (layer + 1) * each), slice((layer + 1) * each, (layer + 2) * each)
            edges[before, after], edges[after, before] = each * affinity, each * affinity.T
        near = 1.0 / (1.0 + seen.links[:, :, 0] + seen.links[:, :, 2] + seen.links[:, :, 1] / _MS)
        np.fill_diagonal(near, 0.0)
        for verb in range(_VERBS):
            here = slice(self.experts + verb * self.devices, self.experts + (verb + 1) * self.devices)
            edges[here, here] = near
        return edges


def together(questions: Sequence[Question], ground: NDArray[np.int64]) -> Decisions:
    """Questions, each of an episode of its own and of stream 0; rows are padded to the most that one has.

    Args:
        questions: D of them.
        ground: Of each, (D,).
    """
    count, most = len(questions), max(len(question.rows) for question in questions)
    rows = np.zeros((count, most, len(ROWS)), np.float32)
    mask, nodes = np.zeros((count, most), np.bool_), np.full((count, most), -1, np.int32)
    for number, question in enumerate(questions):
        size = len(question.rows)
        rows[number, :size], mask[number, :size] = question.rows, question.mask
        nodes[number, :size] = question.nodes
    edges = [question.edges for question in questions if question.edges is not None]
    return Decisions(
        rows,
        np.stack([question.context for question in questions]),
        mask,
        np.zeros((count, 0), np.float32),
        nodes,
        ground,
        np.arange(count),
        np.zeros(count, np.int64),
        np.stack(edges) if edges else None,
    )
