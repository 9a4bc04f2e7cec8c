"""The draws of the toy track."""

from edgebench.sim.counter import Stream

ROOM, SEEN = 1001, 1002
STREAMS = (
    Stream(ROOM, "ROOM", "site", "step", "how much of the site is free"),
    Stream(SEEN, "SEEN", "site", "step", "what blurs the agent's sight of it"),
)
