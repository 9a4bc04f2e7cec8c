"""The page of a table: Markdown, every number from the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgebench.harness.statistics import (
    Estimate,
    paired_difference,
    region_score,
    shared_ranks,
    total_score,
    worst_share,
)
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.reproduce.outcome import Outcome
from edgebench.reproduce.tables import TABLES, Table


def page(outcome: Outcome, pictures: Sequence[str]) -> str:
    """The page of a table."""
    return "\n".join(_lines(outcome, pictures)) + "\n"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Score, interval and regions of every row and scenario."""
    return {
        label: {
            scenario: {
                "score": vars(total_score(scores)),
                "regions": {name: vars(region_score(scores, name)) for name in scores.regions},
            }
            for scenario, scores in by_scenario.items()
        }
        for label, by_scenario in outcome.scores.items()
    }


def _lines(outcome: Outcome, pictures: Sequence[str]) -> Iterator[str]:
    plan = outcome.plan
    table = plan.table
    yield f"# {table.title}"
    yield ""
    edition = "" if plan.edition == SAMPLE_EDITION else f" --edition {plan.edition}"
    some = "" if table == TABLES[table.name] else f" --rows {','.join(row.label for row in table.rows)}"
    yield f"`edgebench reproduce --table {table.name}{some} --steps {plan.steps} --seeds {plan.seeds}{edition}`:"
    longer = "".join(f" ({row.label}: {row.times} times as many)" for row in table.rows if row.times > 1)
    told = f"{plan.steps:,} decisions each{longer}"
    yield f"{plan.seeds} training seeds, {told}, edition {plan.edition}, face `{table.face}`;"
    yield f"every window played under {_scenario_seeds(table)}."
    yield "Score: 0 is random-valid, 1 the bound; interquartile mean over regions and training seeds with a 95 %"
    yield "bootstrap interval. Rows share a rank where the interval of their paired difference contains 0."
    yield ""
    yield from _matrix(outcome) if table.matrix else _ranking(outcome)
    if len(table.scenarios) > 1:
        yield from _scenarios(outcome)
    for picture in pictures:
        yield ""
        yield f"![{table.title}]({picture})"


def _scenario_seeds(table: Table) -> str:
    others = set(table.scenario_seeds.values()) - {table.default_seeds}
    elsewhere = f" in {DEFAULT_SCENARIO}, {others.pop()} in any other" if others else ""
    return f"{table.default_seeds} scenario seeds{elsewhere}"


def _ranking(outcome: Outcome) -> Iterator[str]:
    table = outcome.plan.table
    scenario = DEFAULT_SCENARIO
    every = {label: scores[scenario] for label, scores in outcome.scores.items()}
    ranks = shared_ranks(every)
    yield _row(["rank", "method", "score", "95 % interval", *table.tests, "worst 5 %"])
    yield _row(["---:", "---", *["---:"] * (3 + len(table.tests))])
    for label in sorted(every, key=lambda name: (ranks[name], -total_score(every[name]).value)):
        total = total_score(every[label])
        name = label if label in outcome.trained else f"*{label}*"
        regions = [f"{region_score(every[label], region).value:.3f}" for region in table.tests]
        worst = f"{worst_share(every[label]):.3f}"
        yield _row([str(ranks[label]), name, f"{total.value:.3f}", _interval(total), *regions, worst])
    yield ""
    yield f"Scenario {scenario}. Agents in italics do not learn."
    yield from _beside_the_best(outcome)


def _beside_the_best(outcome: Outcome) -> Iterator[str]:
    """The best that learned against each agent that did not, paired."""
    every = {label: scores[DEFAULT_SCENARIO] for label, scores in outcome.scores.items()}
    if not outcome.plan.table.agents:
        return
    best = max(outcome.trained, key=lambda label: total_score(every[label]).value)
    yield ""
    yield _row([f"{best} above", "difference", "95 % interval", *outcome.plan.table.tests])
    yield _row(["---", *["---:"] * (2 + len(outcome.plan.table.tests))])
    for agent in outcome.plan.table.agents:
        found = paired_difference(every[best], every[agent])
        regions = [
            f"{found.regions[name].value:+.3f} ({_interval(found.regions[name])})" for name in outcome.plan.table.tests
        ]
        yield _row([f"*{agent}*", f"{found.total.value:+.3f}", _interval(found.total), *regions])


def _scenarios(outcome: Outcome) -> Iterator[str]:
    scenarios = outcome.plan.table.scenarios
    yield ""
    yield _row(["method", *scenarios])
    yield _row(["---", *["---:"] * len(scenarios)])
    for label, by_scenario in outcome.scores.items():
        totals = [total_score(by_scenario[scenario]) for scenario in scenarios]
        name = label if label in outcome.trained else f"*{label}*"
        yield _row([name, *(f"{total.value:.3f} ({_interval(total)})" for total in totals)])


def _matrix(outcome: Outcome) -> Iterator[str]:
    """Training region x test region, and what is lost against who learned there."""
    table = outcome.plan.table
    every = {row.regions: outcome.scores[row.label][DEFAULT_SCENARIO] for row in table.rows}
    yield _row(["learned on", *table.tests])
    yield _row(["---", *["---:"] * len(table.tests)])
    for regions, scores in every.items():
        cells = (region_score(scores, name) for name in table.tests)
        yield _row(["+".join(regions), *(f"{cell.value:.3f} ({_interval(cell)})" for cell in cells)])
    yield ""
    yield "Points of the score lost against the same method that learned on the test region, paired over its episodes:"
    yield ""
    own = [name for name in table.tests if (name,) in every]
    yield _row(["learned on", *own])
    yield _row(["---", *["---:"] * len(own)])
    for regions, scores in every.items():
        lost = [paired_difference(every[(name,)], scores).regions[name] for name in own]
        yield _row(["+".join(regions), *(f"{100 * cell.value:.1f}" for cell in lost)])


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.3f} – {estimate.high:.3f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
