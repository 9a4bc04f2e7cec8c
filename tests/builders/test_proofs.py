from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from networks import scattered_nodes, spec_of

from builders.catalogue import make_catalogue
from builders.links import build_links
from builders.placement import place_models
from builders.proofs import prove_structure
from builders.traps import mark_traps
from builders.workload import make_tasks
from edgebench.errors import EdgeBenchError
from edgebench.spec import ArrivalProcess, PlacementMethod, Range, RegionSpec, TrapSpec, WorkflowShape, WorkloadSpec

NODES = scattered_nodes(60)
SITES = scattered_nodes(400, seed=9).select(
    site_id="node_id", lat="lat", lon="lon", cells=(pl.col("node_id") % 40).cast(pl.Int32)
)
PLAIN_LINKS = build_links(NODES, spec_of(60), 3)


def range_of(name: str) -> Range:
    return Range(int(NODES[name].min()), int(NODES[name].max()), float(NODES[name].mean()))


STANDARD_TRAPS = TrapSpec()
STANDARD_WORKLOAD = WorkloadSpec()


def spec_with(
    placement: PlacementMethod = "random", traps: TrapSpec = STANDARD_TRAPS, workload: WorkloadSpec = STANDARD_WORKLOAD
) -> RegionSpec:
    return dataclasses.replace(
        spec_of(60),
        compute=range_of("compute"),
        storage_gb=range_of("storage_gb"),
        placement=placement,
        traps=traps,
        workload=workload,
    )


def tables_of(spec: RegionSpec) -> dict[str, pl.DataFrame]:
    instances = place_models(make_catalogue(spec.workload.experts), NODES, spec, 3)
    return {
        "nodes": NODES,
        "links": mark_traps(PLAIN_LINKS, NODES, spec.traps, 3),
        "instances": instances,
        "tasks": make_tasks(NODES, SITES, instances, spec, 3),
    }


def refused(tables: dict[str, pl.DataFrame], spec: RegionSpec, claim: str) -> None:
    with pytest.raises(EdgeBenchError, match=claim):
        prove_structure(tables, spec)


@pytest.mark.parametrize("placement", ["random", "single-type", "popularity", "tiled"])
@pytest.mark.parametrize("experts", [3, 8])
def test_every_placement_keeps_its_claims(placement: PlacementMethod, experts: int) -> None:
    spec = spec_with(placement, workload=WorkloadSpec(experts=experts))
    prove_structure(tables_of(spec), spec)


@pytest.mark.parametrize(
    ("claimed", "claim"),
    [
        ("random", "every model is placed once"),
        ("tiled", "every model is placed 2 times"),
        ("popularity", "every model has the instances of its rank"),
        ("single-type", "every node hosts one type"),
    ],
)
def test_a_placement_that_is_not_the_stated_one_is_named(claimed: PlacementMethod, claim: str) -> None:
    other = spec_with("popularity" if claimed in ("random", "tiled") else "random")
    refused(tables_of(other), spec_with(claimed), claim)


@pytest.mark.parametrize("arrivals", ["poisson", "bursty", "on-off", "diurnal"])
@pytest.mark.parametrize("workflow", ["chain", "diamond", "tree", "hybrid", "dag"])
def test_every_workload_keeps_its_claims(arrivals: ArrivalProcess, workflow: WorkflowShape) -> None:
    spec = spec_with(workload=WorkloadSpec(arrivals=arrivals, workflow=workflow, utilisation=0.5))
    prove_structure(tables_of(spec), spec)


def test_another_utilisation_than_stated_is_named() -> None:
    tables = tables_of(spec_with(workload=WorkloadSpec(utilisation=0.3)))
    refused(tables, spec_with(workload=WorkloadSpec(utilisation=0.5)), "tasks a second in train")


def test_a_missing_expert_is_named() -> None:
    spec = spec_with(workload=WorkloadSpec(experts=8))
    tables = tables_of(spec)
    tables["instances"] = tables["instances"].filter(pl.col("model_type") != "video-01")
    refused(tables, spec, "model types are .*video-01 is on two nodes or more.*a type that is placed")


@pytest.mark.parametrize("which", ["busiest", "random", "top-compute"])
@pytest.mark.parametrize("behaviour", ["gilbert-elliott", "coin", "flat"])
def test_every_kind_of_trap_keeps_its_claims(which: str, behaviour: str) -> None:
    spec = spec_with(traps=TrapSpec(which=which, share=0.1, behaviour=behaviour, loss=0.2))
    prove_structure(tables_of(spec), spec)


@pytest.mark.parametrize(
    ("claimed", "claim"),
    [
        (TrapSpec(share=0.2), "19 traps"),
        (TrapSpec(which="top-compute", share=0.1), "the links of the strongest 0.1 of the nodes"),
        (TrapSpec(share=0.1, behaviour="coin"), "traps behave as coin"),
        (TrapSpec(share=0.1, loss=0.5), "traps behave as gilbert-elliott"),
    ],
)
def test_traps_that_are_not_the_stated_ones_are_named(claimed: TrapSpec, claim: str) -> None:
    refused(tables_of(spec_with(traps=TrapSpec(share=0.1))), spec_with(traps=claimed), claim)
