"""The workflows of the tasks: which stages, in which order, of which type and how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from builders.catalogue import expert_types, kind_code
from builders.streams import Stream, grid
from edgebench.constants import (
    CHAIN_STAGES,
    EXPERT_ZIPF,
    FIRST_TYPE,
    MODEL_TYPES,
    NEXT_TYPE,
    PAYLOAD_MB,
    PROMPT_MB,
    STAGES_PER_TASK,
    TOKENS,
)
from edgebench.spec import WorkflowShape, WorkloadSpec

Shape = tuple[int, ...]
"""The parents of each stage: bit k is set where it needs what stage k yields."""
Codes = NDArray[np.int64]
Draws = NDArray[np.float64]


def chain(stages: int) -> Shape:
    """Stages one after the other."""
    return tuple((1 << stage) >> 1 for stage in range(stages))


GRAPHS: Final[Mapping[WorkflowShape, Shape]] = {
    "chain-5": chain(STAGES_PER_TASK),
    "diamond": (0b0, 0b1, 0b1, 0b110),
    "tree": (0b0, 0b1, 0b1, 0b1),
    "hybrid": (0b0, 0b1, 0b1, 0b110, 0b1000),
}
"""A→B→C→D→E, A→{B, C}→D, A→{B, C, D} and A→{B, C}→D→E, the shapes of TopoFreeRL; `dag` mixes them evenly."""


def draw_workflows(count: int, spec: WorkloadSpec, seed: int, lengths: NDArray[np.int32] | None = None) -> pl.DataFrame:
    """Draw `count` workflows of the shape that `spec` names.

    The kind of a stage follows a Markov chain along its first parent, the expert within the kind Zipf's law
    (`EXPERT_ZIPF`), its tokens the log-normal of its kind.

    Args:
        count: How many.
        spec: Its `workflow` and `experts`.
        seed: Seed of the hashed draws.
        lengths: Tokens of text stages in ascending order, drawn instead of the fitted law's and clipped to its
            least and most (`builders.burstgpt.read_lengths`).

    Returns:
        stage_types, stage_parents, stage_tokens, prompt_mb and stage_output_mb as in `edgebench.schema.TASKS`.
    """
    shapes = draw_shapes(count, spec.workflow, seed)
    stages = np.array([len(shape) for shape in shapes], np.int64)
    widest = int(stages.max())
    kinds = _kinds(_first_parents(shapes, widest), grid(seed, Stream.STAGE_TYPE, count, widest))
    tokens = _tokens(kinds, grid(seed, Stream.STAGE_TOKENS, count, widest), lengths)
    types = _experts(kinds, spec.experts, seed)
    return pl.DataFrame(
        {
            "stage_types": _cut(np.array(expert_types(spec.experts))[types], stages),
            "stage_parents": [list(shape) for shape in shapes],
            "stage_tokens": _cut(tokens, stages),
            "prompt_mb": np.full(count, PROMPT_MB),
            "stage_output_mb": _cut(np.array(PAYLOAD_MB)[kinds], stages),
        },
        schema_overrides={"stage_tokens": pl.List(pl.Int32), "stage_parents": pl.List(pl.Int32)},
    )


def shapes_of(workflow: WorkflowShape) -> list[Shape]:
    """The shapes that workflows of this name have, all equally likely."""
    if workflow == "chain":
        fewest, most = CHAIN_STAGES
        return [chain(stages) for stages in range(fewest, most + 1)]
    return list(GRAPHS.values()) if workflow == "dag" else [GRAPHS[workflow]]


def draw_shapes(count: int, workflow: WorkflowShape, seed: int) -> list[Shape]:
    """The parents of the stages of `count` workflows; those of `chain` and `dag` differ from task to task."""
    shapes = shapes_of(workflow)
    drawn = (grid(seed, Stream.SHAPE, count, 1)[:, 0] * len(shapes)).astype(np.int64)
    return [shapes[shape] for shape in drawn]


def _first_parents(shapes: list[Shape], widest: int) -> Codes:
    """The first parent of each stage, -1 of those without and beyond the last stage: int64[tasks, widest]."""
    first = np.full((len(shapes), widest), -1, np.int64)
    for row, shape in zip(first, shapes, strict=True):
        row[: len(shape)] = [(parents & -parents).bit_length() - 1 for parents in shape]
    return first


def _kinds(first_parents: Codes, draws: Draws) -> Codes:
    first, following = _cumulative(np.array(FIRST_TYPE)), _cumulative(np.array(NEXT_TYPE))
    task = np.arange(len(draws))
    kinds = np.zeros(draws.shape, np.int64)
    for stage in range(draws.shape[1]):
        parent = first_parents[:, stage]
        chances = np.where((parent < 0)[:, None], first, following[kinds[task, parent]])
        kinds[:, stage] = (draws[:, stage, None] >= chances).sum(axis=1)
    return kinds


def _experts(kinds: Codes, experts: int, seed: int) -> Codes:
    """Index into `expert_types(experts)` of each stage."""
    kind_of_type = np.array([kind_code(model_type) for model_type in expert_types(experts)])
    if experts == len(MODEL_TYPES):
        return kinds
    draws = grid(seed, Stream.EXPERT, *kinds.shape)
    types = np.empty_like(kinds)
    for kind in range(len(MODEL_TYPES)):
        members = np.flatnonzero(kind_of_type == kind)
        reached = _cumulative(np.arange(1.0, len(members) + 1.0) ** -EXPERT_ZIPF)
        mine = kinds == kind
        types[mine] = members[np.searchsorted(reached, draws[mine], side="right")]
    return types


def _cumulative(chances: Draws) -> Draws:
    """Cumulative chances along the last axis, ending in exactly 1 so that every draw finds a type."""
    reached = np.cumsum(chances, axis=-1)
    return np.asarray(reached / reached[..., -1:])


def _tokens(kinds: Codes, draws: Draws, lengths: NDArray[np.int32] | None) -> Codes:
    median, sigma, least, most = (column[kinds] for column in np.array(TOKENS).T)
    drawn = median * np.exp(sigma * ndtri(draws))
    if lengths is not None:
        drawn = np.where(kinds == MODEL_TYPES.index("text"), lengths[(draws * len(lengths)).astype(np.int64)], drawn)
    return np.asarray(np.rint(np.clip(drawn, least, most)), np.int64)


def _cut(values: NDArray[np.generic], stages: Codes) -> list[list[object]]:
    return [row[:length] for row, length in zip(values.tolist(), stages.tolist(), strict=True)]
