"""How learning sees a decision, whatever the track: rows that may be chosen, and what is common to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_NODES: Final = 25
CHOICE, SHARES, LEVELS = "choice", "shares", "levels"
ACTIONS: Final = (CHOICE, SHARES, LEVELS)
"""Kinds of action: the index of a row; a share of every row, summing to 1; so many numbers from 0 to 1."""


@dataclass(frozen=True)
class Form:
    """What the decisions of a track's face are made of; the same in every region, so that a policy fits them all.

    Attributes:
        rows: Names of a row's features (F of them); how many rows there are (R) may differ.
        context: Names of the features that all rows of a decision share (C of them).
        action: One of `ACTIONS`.
        levels: Numbers in an action of `LEVELS`, 0 of others.
        level_priors: Of each of them the feature of the context that says by itself what it should be, () where there
            is none: policies begin with it.
        prior: The feature of a row that says by itself how good the row is, "" where there is none: policies begin
            with it.
        load: Features of the context that depend on what was decided before: what decisions of a kind bring on average
            is reckoned without them.
        whole: Names of the features that tell what all who act at once know together (W of them), for central critics:
            a policy that has no such critic must not look at them.
        objectives: Names of what a reward is made of, beside the reward itself.
        messages: Numbers from -1 to 1 that go with an action of `CHOICE` to others who decide, M: an action is then the
            index of a row and those numbers, (1 + M,).
        edges: Whether it is told which rows belong together.
        truncated: Whether episodes end by a time limit, after which the streams would have gone on.
        nodes_decide: Whether a stream is the node of its number, the same that rows name, each paid by itself.
    """

    rows: tuple[str, ...]
    context: tuple[str, ...]
    action: str = CHOICE
    levels: int = 0
    level_priors: tuple[str, ...] = ()
    prior: str = ""
    load: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    messages: int = 0
    edges: bool = False
    truncated: bool = False
    nodes_decide: bool = False


class Seen(NamedTuple):
    """D decisions that are due at once, of one episode or of many."""

    rows: Floats  # (D, R, F)
    context: Floats  # (D, C)
    mask: NDArray[np.bool_]  # (D, R) rows that may be chosen
    whole: Floats  # (D, W)
    nodes: NDArray[np.int32]  # (D, R) the network node that a row stands for, -1 for none
    ground: NDArray[np.int64]  # (D,) which of the world's grounds the nodes are of
    episode: NDArray[np.int64]  # (D,) which of the world's episodes
    stream: NDArray[np.int64]  # (D,) whose decision within the episode: a task's, a node's, a gateway's
    edges: NDArray[np.float16] | None = None  # (D, R, R) how much rows belong together, where `Form.edges`


def nothing_due(form: Form) -> Seen:
    """No decision: all episodes are over."""
    none = np.zeros(0, np.int64)
    return Seen(
        np.zeros((0, 0, len(form.rows)), np.float32),
        np.zeros((0, len(form.context)), np.float32),
        np.zeros((0, 0), np.bool_),
        np.zeros((0, len(form.whole)), np.float32),
        np.zeros((0, 0), np.int32),
        none,
        none,
        none,
    )


class Ground(NamedTuple):
    """What is public of a region's network of N nodes."""

    region: str
    closeness: Floats  # (N, N) of linked nodes: 1 / (1 + link latency over the region's mean), else 0
    pace: float  # how often decisions are taken, against a region of 25 nodes


def ground_of(region: str, public: dict[str, NDArray[Any]], *, pace: float | None = None) -> Ground:
    """The ground of a region, from what `edgebench.region.Region.public` gives; by default more nodes decide more."""
    nodes = len(public["nodes.node_id"])
    latency = np.asarray(public["links.latency_ms"], np.float64)
    near = (1.0 / (1.0 + latency / max(float(latency.mean()), 1e-9))).astype(np.float32) if latency.size else latency
    closeness = np.zeros((nodes, nodes), np.float32)
    ends = np.asarray(public["links.src"], np.int64), np.asarray(public["links.dst"], np.int64)
    closeness[ends] = near
    closeness[ends[::-1]] = near
    return Ground(region, closeness, nodes / _NODES if pace is None else pace)
