"""What the nearest candidate earns in quality, speed and thrift: needs mo-gymnasium and the region s1."""

import mo_gymnasium
import numpy as np
from mo_gymnasium.wrappers import LinearReward, MORecordEpisodeStatistics

env = mo_gymnasium.make("edgebench:EdgeBench/Route-S1-v0", reward="vector")
env = LinearReward(MORecordEpisodeStatistics(env), weight=np.array([0.5, 0.4, 0.1]))
observation, info = env.reset(seed=0)
while "episode" not in info:
    seconds = observation["candidates"][:2].sum(axis=0)
    action = np.where(observation["action_mask"], seconds, np.inf).argmin()
    observation, reward, _, _, info = env.step(action)
print(dict(zip(("quality", "speed", "thrift"), info["episode"]["r"].round(2).tolist(), strict=True)))
