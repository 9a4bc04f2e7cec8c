"""Place as worlds to learn in: one who picks an expert and then what is done with it, or two who do so at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import Form, Ground, ground_of, nothing_due
from edgebench.learning.seen import Seen as Decisions
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.place.ahead import Ahead
from edgebench.tracks.place.constants import PLAN_EDITS, SLOTS
from edgebench.tracks.place.devices import device_nodes
from edgebench.tracks.place.env import OBSERVED
from edgebench.tracks.place.look import ANYBODY, NOBODY, Look, together
from edgebench.tracks.place.observe import Seen
from edgebench.tracks.place.parallel import joint_edit
from edgebench.tracks.place.sight import CONTEXT, ROWS
from edgebench.tracks.place.simulation import Simulation

FORM: Final = Form(rows=ROWS, context=CONTEXT, prior="apart")
GRAPH: Final = Form(rows=ROWS, context=CONTEXT, prior="apart", edges=True)
_SUMMED: Final = ("mean", "most")
TEAM: Final = Form(
    rows=ROWS,
    context=CONTEXT,
    prior="apart",
    whole=tuple(f"{how}_{of}_{name}" for of in ("expert", "edit") for how in _SUMMED for name in ROWS),
)
_NO_LABELS: Final = np.zeros((0, 0, 0), np.float32)


class _Places:
    """Episodes side by side: all have as many edits.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose users and tokens.
        each: Episodes at once of every region.
        graph: See `PlaceWorld`.

    Raises:
        EdgeBenchError: Unknown scenario or split, or a region whose devices do not hold the model.
    """

    form: Form
    streams: int

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int, graph: bool) -> None:
        rules = find_scenario(scenario)
        self._simulations = [Simulation(region, rules, split) for region in regions for _ in range(each)]
        self._ahead = [Ahead(simulation) for simulation in self._simulations]
        self._looks = [
            Look(simulation.devices.node, simulation.shape[0], graph=graph) for simulation in self._simulations
        ]
        self.grounds: tuple[Ground, ...] = tuple(
            ground_of(region.name, region.public(), pace=1.0) for region in regions
        )
        self.count, self._each, self._turn = len(self._simulations), each, PLAN_EDITS + SLOTS
        self._hoped, self._credited = np.zeros(self.count), True

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for number, simulation in enumerate(self._simulations):
            simulation.start(*episodes[number % self._each])
            if credited:
                self._ahead[number].begin()
        self._turn, self._hoped[:], self._credited = 0, 0.0, credited
        self._note()

    def scores(self) -> NDArray[np.float64]:
        """Relative speed."""
        return np.array([simulation.metrics()["relative_speed"] for simulation in self._simulations])

    @property
    def over(self) -> bool:
        """Whether every batch of every episode has been served."""
        return self._turn == PLAN_EDITS + SLOTS

    def _note(self) -> None:
        """Take in the observations that the next edits are made by."""
        for look, simulation in zip(self._looks, self._simulations, strict=True):
            look.note(simulation.seen)

    def _edit(self, edits: Sequence[tuple[int, int, int]]) -> NDArray[np.float64]:
        """Make an edit in every episode; what each has brought, with what it has changed of what is to come."""
        credit = np.empty(self.count)
        for number, edit in enumerate(edits):
            credit[number] = self._simulations[number].turn(*edit)
        if self._credited:
            hoped = np.array([ahead.value() for ahead in self._ahead])
            credit += hoped - self._hoped
            self._hoped[:] = hoped
        self._turn += 1
        if not self.over:
            self._note()
        return credit


class PlaceWorld(_Places):
    """Episodes of `edgebench.tracks.place.env.PlaceEnv`; an edit is two decisions, its expert and what is done with it.

    A stream is an edit. Its second decision is credited with what the edit brings, and with what it changes of what the
    batches to come would bring if nothing was edited any more (`edgebench.tracks.place.ahead`).

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose users and tokens.
        each: Episodes at once of every region.
        graph: Whether every decision shows the rows of all experts, then those of all edits, and `Seen.edges`
            (`edgebench.tracks.place.look.Look`); those that may not be chosen now are masked.

    Raises:
        EdgeBenchError: Unknown scenario or split, or a region whose devices do not hold the model.
    """

    streams = PLAN_EDITS + SLOTS

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int, graph: bool = False) -> None:
        super().__init__(regions, scenario=scenario, split=split, each=each, graph=graph)
        self.form = GRAPH if graph else FORM
        self._picked = np.full(self.count, NOBODY)

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        super().begin(episodes, credited=credited)
        self._picked[:] = NOBODY

    def seen(self) -> Decisions:
        """See `edgebench.learning.world.World`."""
        if self.over:
            return nothing_due(self.form)
        questions = [look.ask(expert) for look, expert in zip(self._looks, self._picked.tolist(), strict=True)]
        decisions = together(questions, np.arange(self.count) // self._each)
        return decisions._replace(stream=np.full(self.count, self._turn))

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        if self._picked[0] == NOBODY:
            self._picked[:] = actions
            return np.zeros((self.count, 1))
        answers = zip(self._looks, self._picked.tolist(), actions.tolist(), strict=True)
        credit = self._edit([look.edit(expert, row) for look, expert, row in answers])
        self._picked[:] = NOBODY
        return credit[:, None]


class PlaceTeamWorld(_Places):
    """Episodes of `edgebench.tracks.place.parallel.PlaceParallelEnv`; stream 0 picks experts, stream 1 what is done.

    Neither knows what the other picks: rows of verbs on devices are told of the expert that gains most by each. Both
    are credited as in `PlaceWorld`, half each.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose users and tokens.
        each: Episodes at once of every region.

    Raises:
        EdgeBenchError: Unknown scenario or split, or a region whose devices do not hold the model.
    """

    form: Form = TEAM
    streams = 2

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int) -> None:
        super().__init__(regions, scenario=scenario, split=split, each=each, graph=False)

    def seen(self) -> Decisions:
        """See `edgebench.learning.world.World`."""
        if self.over:
            return nothing_due(TEAM)
        episode = np.repeat(np.arange(self.count), self.streams)
        questions = [look.ask(of) for look in self._looks for of in (NOBODY, ANYBODY)]
        decisions = together(questions, episode // self._each)
        whole = _summed(decisions).reshape(self.count, -1)
        return decisions._replace(
            episode=episode, stream=np.tile(np.arange(self.streams), self.count), whole=whole[episode]
        )

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        pairs = np.asarray(actions, np.int64).reshape(self.count, self.streams).tolist()
        both = zip(self._simulations, pairs, strict=True)
        credit = self._edit([joint_edit(simulation, *pair) for simulation, pair in both])
        return np.repeat(credit / self.streams, self.streams)[:, None]


class Sight:
    """What a policy is shown of `edgebench.tracks.place.env.PlaceEnv`, as `PlaceWorld` shows it.

    Args:
        public: What is public of the region (`edgebench.region.Region.public`).
        graph: As of `PlaceWorld`.
    """

    def __init__(self, public: dict[str, NDArray[Any]], *, graph: bool = False) -> None:
        self._nodes, self._graph = device_nodes(public["nodes.compute"]), graph
        self.form = GRAPH if graph else FORM

    def begin(self, info: dict[str, Any]) -> None:
        """Begin an episode; nothing of it has to be remembered."""

    def decide(
        self, observation: dict[str, Any], info: dict[str, Any], decide: Callable[[Decisions], NDArray[Any]]
    ) -> NDArray[np.int64]:
        """The edit, (3,): ask for an expert, then for what is done with it."""
        seen = Seen(**{name: observation[name] for name in OBSERVED}, labels=_NO_LABELS)
        look, ground = Look(self._nodes, len(seen.placement), graph=self._graph), np.zeros(1, np.int64)
        look.note(seen)
        expert = int(decide(together([look.ask(NOBODY)], ground))[0])
        row = int(decide(together([look.ask(expert)], ground))[0])
        return np.array(look.edit(expert, row), np.int64)


def _summed(decisions: Decisions) -> NDArray[np.float32]:
    """Mean and most of each decision's rows that may be chosen, (D, 2 F)."""
    mask = decisions.mask[..., None]
    mean = (decisions.rows * mask).sum(1) / np.maximum(mask.sum(1), 1)
    most = np.where(mask, decisions.rows, -np.inf).max(1)
    return np.concatenate([mean, np.where(np.isfinite(most), most, 0.0)], axis=1).astype(np.float32)
