"""A submission's agent under scenario seeds that nobody but the verifier can know.

Each hidden seed is an HMAC-SHA-256 of a secret with the region's digest, the window and a number, so that agents of
all tracks meet the same ones as long as the secret is kept. Neither secret nor seeds are written or printed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeResult
from edgebench.harness.journal import Journal, to_frame
from edgebench.harness.process import AgentProcess
from edgebench.harness.references import compute_on
from edgebench.harness.run import Stage, play
from edgebench.harness.statistics import Estimate, Scale, paired_difference, sign_flip_test, total_score
from edgebench.harness.summary import scores
from edgebench.region import Region
from edgebench.registry import track as find_track

if TYPE_CHECKING:
    import pandas

FROM_ENVIRONMENT: Final = "env:"
LEAST_BYTES: Final = 16
OVER_FITTED: Final = "over-fitted to the public episodes"
LEVEL: Final = 0.01
"""A drop whose p-value is below is significant; at 0.05 one honest agent in twenty would be flagged."""


@dataclass(frozen=True)
class Hidden:
    """The score on hidden seeds beside the reported one.

    Attributes:
        reported: Total score of the reported episodes.
        hidden: Total score under the hidden seeds, between references computed under them.
        drop: Reported minus hidden, paired.
        p_value: One-sided, of the drop: the paired permutation test `edgebench.harness.statistics.sign_flip_test`, an
            episode of a window under a public seed paired with one of the same window under a hidden seed. To an agent
            that does not know the public seeds both are draws of the same kind, so exchanging them changes nothing.
            The distribution of exchanges is symmetric: the one-sided value of a drop is half the two-sided one.
        failed: Hidden episodes that did not end `ok`.
    """

    reported: Estimate
    hidden: Estimate
    drop: Estimate
    p_value: float
    failed: int

    @property
    def over_fitted(self) -> bool:
        """Whether the drop is significant at `LEVEL`."""
        return self.p_value < LEVEL

    def words(self) -> str:
        """In one line."""
        told = f"score {self.hidden.value:z.3f} on hidden seeds, reported {self.reported.value:z.3f}"
        return f"{OVER_FITTED}: {told}, p = {self.p_value:.2g}" if self.over_fitted else told

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "level": LEVEL, "over_fitted": self.over_fitted}


def read_secret(where: str) -> bytes:
    """The secret in a file, or in the environment variable NAME where `where` is `env:NAME`; ends of lines cut off.

    Raises:
        EdgeBenchError: There is none, or it is shorter than 16 bytes. The error does not repeat `where`, in case the
            secret itself was given.
    """
    if where.startswith(FROM_ENVIRONMENT):
        found = os.environ.get(where.removeprefix(FROM_ENVIRONMENT), "").encode("utf-8", "surrogateescape")
    else:
        try:
            found = Path(where).read_bytes()
        except (OSError, ValueError) as error:
            raise EdgeBenchError(
                "the secret's file cannot be read", where="--salt", mend="name a file, or env:NAME of a variable"
            ) from error
    secret = found.strip(b"\r\n")
    if len(secret) < LEAST_BYTES:
        raise EdgeBenchError(
            f"the secret has {len(secret)} bytes, fewer than {LEAST_BYTES}",
            where="--salt",
            mend="make one: openssl rand -hex 32 > secret.txt",
        )
    return secret


def hidden_seed(secret: bytes, region: Region, window: int, number: int) -> int:
    """Hidden scenario seed `number` of a window, 0 … 2^63 - 1."""
    told = f"edgebench hidden seed 1\n{region.digest}\n{window}\n{number}".encode()
    return int.from_bytes(hmac.digest(secret, told, hashlib.sha256)[:8], "big") >> 1


def on_hidden_seeds(
    secret: bytes,
    stages: Sequence[Stage],
    process: AgentProcess,
    reported: pandas.DataFrame,
    scales: Mapping[str, Scale],
    on_episode: Callable[[str, int, int], None],
) -> Hidden:
    """Play every episode of the stages under a hidden seed in place of its public one, and compare the scores.

    Args:
        secret: Seeds are drawn from it.
        stages: Regions with the public episodes.
        process: The agent's.
        reported: The public episodes as the submission states them.
        scales: References of the public episodes, by region.
        on_episode: Told of every episode.
    """
    public: dict[tuple[str, str, str], str] = {}
    for stage in stages:
        region = stage.setting.region
        for place, (number, window, seed) in enumerate(stage.episodes):
            drawn = hidden_seed(secret, region, window, seed)
            public[region.name, str(window), str(drawn)] = str(seed)
            stage.episodes[place] = (number, window, drawn)
    hidden_scales = {stage.setting.region.name: _references(stage) for stage in stages}
    track = find_track(stages[0].setting.track)
    journal = Journal(None, track)

    def told(result: EpisodeResult, done: int, total: int) -> None:
        on_episode(f"{result.key.region}, hidden", done, total)

    play(stages, process, journal, told)
    rows = [row | {"seed": public[row["region"], row["window"], row["seed"]]} for row in journal.rows]
    before, after = scores([reported], scales), scores([to_frame(rows, track)], hidden_scales)
    drop = paired_difference(before, after).total
    two_sided = sign_flip_test(before, after)
    p_value = two_sided / 2 if drop.value > 0 else 1 - two_sided / 2
    failed = sum(row["status"] != "ok" for row in rows)
    return Hidden(total_score(before), total_score(after), drop, p_value, failed)


def _references(stage: Stage) -> Scale:
    setting = stage.setting
    episodes = [(window, seed) for _, window, seed in stage.episodes]
    names = {"track": setting.track, "scenario": setting.scenario, "split": setting.split}
    return compute_on(setting.region, episodes=episodes, **names)
