"""The gate's plan of the toy track."""

from edgebench.harness.gate import GatePlan

PLAN = GatePlan(trivial=("first",), heuristics=("emptiest",), failing={"at once": lambda seen, action: -1})
