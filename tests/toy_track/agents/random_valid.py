"""Random-valid: a site by chance."""

from edgebench.sim.counter import uniform


class Agent:
    """Draws by counter."""

    def reset(self, info):
        """Begin an episode."""
        self._seed, self._turn = info["seed"], 0

    def act(self, observation):
        """A site, each with the same chance."""
        self._turn += 1
        return int(uniform(self._seed, 1, self._turn, 0) * 4)
