"""The sections of docs/scenarios.md: every scenario with its parameters, from the registry.

python -m edgebench.show.scenarios
"""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any, Final

from edgebench.registry import SCENARIOS, Scenario

PICTURED: Final = "s1"
"""The region of the pictures."""
MEANINGS: Final = {
    "traps": "trap links turn bad",
    "crowds": "flash crowds an episode",
    "crowd_tasks": "tasks of a flash crowd",
    "crowd_speedup": "times as fast its tasks come",
    "outage_enter": "chance a second that a node fails",
    "outage_leave": "chance a second that a failed node is back",
    "drifts": "traps come and go in turn, and the load moves from west to east",
    "jitter_chance": "chance a second that the way between two nodes is late",
    "jitter_min_ms": "least that a late way takes longer, ms",
    "jitter_max_ms": "most that a late way takes longer, ms",
}
"""What each parameter of `edgebench.registry.Scenario` is; a chance a second is one a slot of `TRAP_SLOT_MS`."""


def scenario_sections() -> str:
    """A section of Markdown a scenario: its meaning, its parameters in a table, its picture and the command of that."""
    return "\n\n".join(_section(scenario) for scenario in SCENARIOS.values()) + "\n"


def _section(scenario: Scenario) -> str:
    name, picture = scenario.name, f"images/episode-{scenario.name}.png"
    return "\n".join(
        (
            f"## {name}",
            "",
            f"{scenario.meaning[:1].upper()}{scenario.meaning[1:]}.",
            "",
            "| parameter | value | what it is |",
            "|---|---:|---|",
            *(f"| `{key}` | {_words(value)} | {MEANINGS[key]} |" for key, value in _told(scenario).items()),
            "",
            f"![An episode of {PICTURED} in {name}]({picture})",
            "",
            f"*Drawn by `edgebench show {PICTURED} --episode {name}:0 -o docs/{picture}`.*",
        )
    )


def _told(scenario: Scenario) -> dict[str, Any]:
    """Whether there are traps, and what the scenario changes."""
    usual = {field.name: field.default for field in fields(Scenario)}
    parameters = {name: getattr(scenario, name) for name in scenario.parameters()}
    return {name: value for name, value in parameters.items() if name == "traps" or value != usual[name]}


def _words(value: float) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}"


if __name__ == "__main__":
    sys.stdout.write(scenario_sections())
