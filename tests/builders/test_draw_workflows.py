from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.catalogue import expert_types, kind_code
from builders.streams import region_seed
from builders.workflows import GRAPHS, draw_workflows, shapes_of
from edgebench.constants import (
    FIRST_TYPE,
    MAX_STAGES,
    MODEL_TYPES,
    NEXT_TYPE,
    PAYLOAD_MB,
    PROMPT_MB,
    STAGES_PER_TASK,
    TOKENS,
)
from edgebench.spec import WorkflowShape, WorkloadSpec

WORKFLOWS = ("chain-5", "chain", "diamond", "tree", "hybrid", "dag")
CHAIN = WorkloadSpec()


def stages_of(workflows: pl.DataFrame) -> pl.DataFrame:
    return workflows.select(pl.col("stage_types", "stage_parents", "stage_tokens", "stage_output_mb").explode())


def graph_of(parents: list[int]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(parents)))
    graph.add_edges_from(
        (parent, stage) for stage, needs in enumerate(parents) for parent in range(MAX_STAGES) if needs >> parent & 1
    )
    return graph


def test_chains_follow_the_markov_chain() -> None:
    types = np.array(draw_workflows(4000, CHAIN, 1)["stage_types"].to_list())
    assert types.shape == (4000, STAGES_PER_TASK)
    first = [(types[:, 0] == kind).mean() for kind in MODEL_TYPES]
    assert first == pytest.approx(list(FIRST_TYPE), abs=0.03)
    before, after = types[:, :-1].ravel(), types[:, 1:].ravel()
    for kind, chances in zip(MODEL_TYPES, NEXT_TYPE, strict=True):
        shares = [(after[before == kind] == following).mean() for following in MODEL_TYPES]
        assert shares == pytest.approx(list(chances), abs=0.03)
        assert [share == 0 for share in shares] == [chance == 0 for chance in chances]


def test_branches_follow_the_markov_chain_from_their_first_parent() -> None:
    types = np.array(draw_workflows(4000, WorkloadSpec(workflow="hybrid"), 1)["stage_types"].to_list())
    for parent, stage in ((0, 1), (0, 2), (1, 3), (3, 4)):
        for kind, chances in zip(MODEL_TYPES[:2], NEXT_TYPE, strict=False):
            mine = types[types[:, parent] == kind, stage]
            assert [(mine == following).mean() for following in MODEL_TYPES] == pytest.approx(list(chances), abs=0.05)


def test_tokens_follow_their_law() -> None:
    stages = stages_of(draw_workflows(4000, CHAIN, 1))
    for kind, (median, sigma, least, most) in zip(MODEL_TYPES, TOKENS, strict=True):
        tokens = stages.filter(pl.col("stage_types") == kind)["stage_tokens"]
        assert tokens.is_between(least, most).all()
        assert tokens.median() == pytest.approx(median, rel=0.05)
        inner = np.log(tokens.quantile(0.84) / tokens.quantile(0.16)) / 2
        assert inner == pytest.approx(sigma, rel=0.1)


def test_text_takes_its_lengths_from_a_trace_and_the_rest_keeps_its_law() -> None:
    lengths = np.sort(np.r_[np.full(50, 7), np.arange(100, 200), np.full(50, 9000)]).astype(np.int32)
    spec = WorkloadSpec(experts=7)
    fitted, traced = (stages_of(draw_workflows(2000, spec, 1, drawn)) for drawn in (None, lengths))
    is_text = fitted["stage_types"].str.starts_with("text")
    assert traced.filter(~is_text).equals(fitted.filter(~is_text))
    text = traced.filter(is_text)["stage_tokens"]
    _, _, least, most = TOKENS[0]
    assert set(text.unique()) <= {least, most, *range(100, 200)}
    assert [(text == end).mean() for end in (least, most)] == pytest.approx([0.25, 0.25], abs=0.03)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_each_shape_has_its_stated_parents(workflow: WorkflowShape) -> None:
    stated = {
        "chain-5": [[0, 1, 2, 4, 8]],
        "chain": [[0, *(1 << stage for stage in range(stages - 1))] for stages in range(2, 11)],
        "diamond": [[0, 1, 1, 6]],
        "tree": [[0, 1, 1, 1]],
        "hybrid": [[0, 1, 1, 6, 8]],
        "dag": [[0, 1, 2, 4, 8], [0, 1, 1, 6], [0, 1, 1, 1], [0, 1, 1, 6, 8]],
    }
    drawn = draw_workflows(900, WorkloadSpec(workflow=workflow), 2)["stage_parents"].to_list()
    assert [list(shape) for shape in shapes_of(workflow)] == stated[workflow]
    assert all(parents in stated[workflow] for parents in drawn)
    share = 1 / len(stated[workflow])
    for shape in stated[workflow]:
        assert drawn.count(shape) / 900 == pytest.approx(share, abs=4 * (share / 900) ** 0.5)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(WORKFLOWS), st.integers(3, 64), st.integers(0, 2**62))
def test_workflows_are_graphs_in_topological_order(workflow: WorkflowShape, experts: int, seed: int) -> None:
    spec = WorkloadSpec(workflow=workflow, experts=experts)
    drawn = draw_workflows(40, spec, seed)
    types = expert_types(experts)
    for row in drawn.iter_rows(named=True):
        graph = graph_of(row["stage_parents"])
        assert nx.is_directed_acyclic_graph(graph)
        assert all(parent < stage for parent, stage in graph.edges)
        assert nx.is_weakly_connected(graph)
        assert len(row["stage_types"]) == len(row["stage_tokens"]) == len(row["stage_output_mb"]) == len(graph)
        assert set(row["stage_types"]) <= set(types)
        assert row["stage_output_mb"] == [PAYLOAD_MB[kind_code(model_type)] for model_type in row["stage_types"]]
        assert row["prompt_mb"] == PROMPT_MB
    assert drawn.equals(draw_workflows(40, spec, seed))
    assert not drawn.equals(draw_workflows(40, spec, seed + 1))


def test_experts_change_the_names_of_stages_and_nothing_else() -> None:
    few, many = (draw_workflows(500, WorkloadSpec(workflow="dag", experts=experts), 3) for experts in (3, 20))
    columns = ("stage_parents", "stage_tokens", "stage_output_mb", "prompt_mb")
    assert few.select(columns).equals(many.select(columns))
    kinds = [[name.partition("-")[0] for name in row] for row in many["stage_types"]]
    assert kinds == few["stage_types"].to_list()


def test_experts_of_a_kind_are_asked_by_zipfs_law() -> None:
    names = stages_of(draw_workflows(4000, WorkloadSpec(experts=9), 3))["stage_types"]
    counts = np.array([(names == f"text-0{number}").sum() for number in range(3)])
    assert counts / counts.sum() == pytest.approx(np.array([6, 3, 2]) / 11, abs=0.02)


def test_all_graphs_fit_the_longest_workflow() -> None:
    assert max(len(shape) for shape in GRAPHS.values()) <= MAX_STAGES


def test_regions_and_seeds_have_words_of_their_own() -> None:
    drawn = [
        set(
            draw_workflows(1400, CHAIN, region_seed(region, seed))
            .select(pl.struct("stage_types", "stage_tokens").hash())
            .to_series()
        )
        for region, seed in (("s1", 0), ("s2", 0), ("s3", 0), ("s1", 1))
    ]
    assert all(not one & other for index, one in enumerate(drawn) for other in drawn[:index])
