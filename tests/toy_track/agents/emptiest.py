"""Emptiest: the site that looks emptiest."""


class Agent:
    """Believes what it sees."""

    def reset(self, info):
        """Nothing to remember."""

    def act(self, observation):
        """The site of which most seems free."""
        return int(observation["sites"].argmax())
