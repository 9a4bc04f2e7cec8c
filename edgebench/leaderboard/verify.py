"""Play a submission again and demand equal episodes, field by field.

The agent runs as it does in an evaluation: in its sandbox, under the submission's budgets, on the regions whose
digests the submission names. Every column must be equal to the last bit but the times that were measured
(`edgebench.harness.journal.MEASURED_TIMES`; in the words on a failed episode, the seconds and the addresses).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.atomic import remove_folder
from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeKey, EpisodeResult
from edgebench.harness.journal import MEASURED_TIMES, TEXT_COLUMNS, Journal, Row, columns_of, row_key, to_frame
from edgebench.harness.manifest import now
from edgebench.harness.process import AgentFailure, AgentProcess
from edgebench.harness.references import References, references
from edgebench.harness.run import EPISODES, SUMMARY, Stage, play
from edgebench.harness.summary import Summary, summarise
from edgebench.harness.tampering import package_sha256
from edgebench.leaderboard.hidden import Hidden, on_hidden_seeds
from edgebench.leaderboard.inert import visible
from edgebench.leaderboard.ledger import (
    LONGEST_REASON,
    MISMATCH,
    UNREPRODUCIBLE,
    VERIFIED,
    digests_of,
    place_of,
    writing,
)
from edgebench.leaderboard.problems import differences
from edgebench.leaderboard.rerun import (
    Submission,
    UnreproducibleError,
    agent_of,
    keys_of,
    read_submission,
    stages_again,
)
from edgebench.locks import alone
from edgebench.paths import home
from edgebench.registry import track as find_track

OnEpisode = Callable[[str, int, int], None]
"""Called after each episode with its region, the number of episodes done and their total."""
_OF_THE_MOMENT: Final = re.compile(r"edgebench-agent-\w+|0x[0-9a-f]+|\d+(\.\d+)? s\b")
"""What in the words on a failed episode is another at every run: the working folder, addresses, seconds."""
_TAMPERED: Final = "tampered with"


@dataclass(frozen=True)
class Mismatch:
    """A field that is another when the episode is played again.

    Attributes:
        key: Which episode.
        row: In the submission's `episodes.csv`, whose header is row 1; None where it lacks the episode.
        column: Which field, "" for the whole row.
        reported: As the submission states it.
        measured: As it was found.
    """

    key: EpisodeKey
    row: int | None
    column: str
    reported: str
    measured: str

    def __str__(self) -> str:
        place = "missing" if self.row is None else f"row {self.row}"
        where = f"{EPISODES}, {place}, {self.key.region} window {self.key.window} seed {self.key.seed}"
        return f"{where}: {self.column} is {self.reported!r:.40}, measured it is {self.measured!r:.40}"


@dataclass(frozen=True)
class Verification:
    """What came of playing a submission again.

    Attributes:
        status: `verified`, `mismatch` or `unreproducible`.
        reason: In one line.
        date: The moment, from which and from the submission's digest the episodes were chosen.
        checked: Episodes played again,
        episodes: of so many.
        mismatches: Every field that differs.
        claims: Where the summary does not follow from the submission's own episodes.
        stated: Figures of all reported episodes, None where they yield none.
        reported: Figures of the reported episodes that were played again.
        measured: Figures of the same as measured.
        sandbox: What the agent's process had given up, in words.
        hidden: The score on hidden seeds, None where it was not asked for or the rows were not equal.
    """

    status: str
    reason: str
    date: str
    checked: int
    episodes: int
    mismatches: tuple[Mismatch, ...] = ()
    claims: tuple[str, ...] = ()
    stated: Summary | None = None
    reported: Summary | None = None
    measured: Summary | None = None
    sandbox: str = ""
    hidden: Hidden | None = None

    @property
    def whole(self) -> bool:
        """Whether every episode was played again."""
        return self.checked == self.episodes


@dataclass
class _Again:
    """The submission, and what is at hand to play it."""

    submission: Submission
    stages: list[Stage]
    scales: Mapping[str, References]
    process: AgentProcess
    everything: list[EpisodeKey]
    chosen: list[EpisodeKey]


def verify(
    folder: Path,
    *,
    episodes: int | None = None,
    secret: bytes | None = None,
    ray_address: str = "",
    moment: str = "",
    on_episode: OnEpisode = lambda region, done, total: None,
) -> Verification:
    """Play a run or an entry again; the outcome on an entry is told in the ledger.

    Episodes that were played before a kill are not played again by the next call.

    Args:
        folder: Of an entry or a finished run.
        episodes: How many to play, spread over all regions; all where None.
        secret: Also play under hidden scenario seeds drawn from it (`edgebench.leaderboard.hidden`).
        ray_address: Play on the Ray cluster there; the hidden episodes are played here.
        moment: When, UTC as ISO 8601 to the second; now where "".
        on_episode: Told of every episode.

    Raises:
        EdgeBenchError: The folder is no finished run, a region is not built here, the ledger is damaged, or the entry
            was changed meanwhile.
    """
    submission, date = read_submission(folder), moment or now()
    try:
        found = _verified(submission, date, episodes, secret, ray_address, on_episode)
    except UnreproducibleError as error:
        found = Verification(UNREPRODUCIBLE, _one_line(error.what), date, 0, len(submission.rows))
    _tell_ledger(submission, found)
    return found


def _verified(
    submission: Submission, date: str, count: int | None, secret: bytes | None, ray_address: str, on_episode: OnEpisode
) -> Verification:
    source = agent_of(submission)
    stages = stages_again(submission)
    with AgentProcess(source, submission.budgets) as process:
        everything = keys_of(stages)
        chosen = choose(everything, count, submission.digests.files, date)
        again = _Again(submission, stages, _scales(stages, submission), process, everything, chosen)
        _start(again)
        measured = _measure(again, ray_address, on_episode)
        found = _judge(again, measured, date)
        if secret is None or found.status != VERIFIED:
            return found
        return _with_hidden(found, again, secret, on_episode)


def choose(keys: Sequence[EpisodeKey], count: int | None, digest: str, date: str) -> list[EpisodeKey]:
    """`count` of the episodes, region after region in turn; all where it is None or there are fewer.

    The order is that of a hash of the submission's digest and the moment of the verification: both stand in the
    ledger, so anyone can tell which episodes were played, and nobody can when the submission is made.
    """

    def drawn(key: EpisodeKey) -> bytes:
        return hashlib.sha256(f"{digest} {date} {key.region} {key.window} {key.seed}".encode()).digest()

    regions: dict[str, list[EpisodeKey]] = {}
    for key in sorted(keys, key=drawn):
        regions.setdefault(key.region, []).append(key)
    turns = [(turn, number, key) for number, part in enumerate(regions.values()) for turn, key in enumerate(part)]
    return sorted(key for _, _, key in sorted(turns)[:count])


def _scales(stages: Sequence[Stage], submission: Submission) -> dict[str, References]:
    shared = {name: submission.manifest[name] for name in ("track", "scenario", "split", "seeds")}
    return {stage.setting.region.name: references(stage.setting.region, **shared) for stage in stages}


def _start(again: _Again) -> None:
    """Refuse an agent that does not start though the submission says that it played."""
    reported = (again.submission.rows.get(key) for key in again.chosen)
    try:
        again.process.start()
    except AgentFailure as failure:
        if any(row is not None and row["status"] == "ok" for row in reported):
            raise UnreproducibleError(f"the agent fails to start: {failure.detail}") from failure


def _measure(again: _Again, ray_address: str, on_episode: OnEpisode) -> dict[EpisodeKey, Row]:
    wanted, submission = set(again.chosen), again.submission
    for stage in again.stages:
        stage.episodes = [part for part in stage.episodes if stage.setting.key(*part[1:]) in wanted]
    with _kept(submission) as kept:
        journal = Journal(kept / EPISODES, find_track(submission.manifest["track"]))
        _play(again, journal, ray_address, on_episode)
    return {row_key(row): row for row in journal.rows if row_key(row) in wanted}


@contextmanager
def _kept(submission: Submission) -> Iterator[Path]:
    """A folder for the episodes played so far, by submission and package: one process at a time, gone when all are."""
    kept = home() / "runs" / "verify" / f"{submission.digests.files[:16]}-{package_sha256()[:16]}"
    with alone(kept.with_suffix(".lock"), f"another process verifies {submission.folder}", "wait until it is done"):
        kept.mkdir(exist_ok=True)
        yield kept
        remove_folder(kept)


def _play(again: _Again, journal: Journal, ray_address: str, on_episode: OnEpisode) -> None:
    submission = again.submission

    def told(result: EpisodeResult, done: int, total: int) -> None:
        on_episode(result.key.region, min(done, total), total)

    if ray_address:
        from edgebench.harness.spread import play_on_ray

        again.process.sandbox = play_on_ray(
            submission.agent, again.stages, submission.budgets, journal, ray_address,
            privileged=submission.manifest["privileged"], on_episode=told,
        )  # fmt: skip
    else:
        play(again.stages, again.process, journal, told)
    again.process.stop()


def _judge(again: _Again, measured: Mapping[EpisodeKey, Row], date: str) -> Verification:
    submission, rows = again.submission, again.submission.rows
    everything = set(again.everything)
    mismatches = tuple(_mismatches(submission, measured, everything))
    stated, claims = _claims(submission, again.scales, everything == set(rows))
    both = [key for key in again.chosen if key in rows]
    status, reason = _verdict(mismatches, claims, len(measured), len(everything), again.process.sandbox)
    summed = stated is not None and bool(both)
    return Verification(
        status, _one_line(reason), date, len(measured), len(everything), mismatches, claims, stated,
        _summary(submission, [rows[key] for key in both], again.scales) if summed else None,
        _summary(submission, list(measured.values()), again.scales),
        again.process.sandbox,
    )  # fmt: skip


def _mismatches(
    submission: Submission, measured: Mapping[EpisodeKey, Row], everything: Set[EpisodeKey]
) -> Iterator[Mismatch]:
    rows, numbers = submission.rows, submission.numbers
    columns = [name for name in columns_of(find_track(submission.manifest["track"])) if name not in MEASURED_TIMES]
    for key in sorted({*rows, *everything}):
        if key not in rows:
            yield Mismatch(key, None, "the episode", "missing", "part of the run")
        elif key not in everything:
            yield Mismatch(key, numbers[key], "the episode", "there", "not part of the run")
        elif key in measured:
            for name in columns:
                if not _equal(name, rows[key][name], measured[key][name]):
                    yield Mismatch(key, numbers[key], name, rows[key][name], measured[key][name])


def _equal(column: str, reported: str, measured: str) -> bool:
    if column == "detail":
        return _OF_THE_MOMENT.sub("…", reported) == _OF_THE_MOMENT.sub("…", measured)
    if column in TEXT_COLUMNS or "" in (reported, measured):
        return reported == measured
    return float(reported) == float(measured)


def _claims(
    submission: Submission, scales: Mapping[str, References], complete: bool
) -> tuple[Summary | None, tuple[str, ...]]:
    """Figures of the reported episodes, and where the stated summary does not follow from them."""
    if not complete:
        return None, ()
    try:
        right = _summary(submission, list(submission.rows.values()), scales)
    except EdgeBenchError as error:
        return None, (f"{EPISODES}: {error.what}",)
    return right, tuple(f"{SUMMARY}: {line}" for line in differences(submission.summary, right.as_json()))


def _summary(submission: Submission, rows: Sequence[Row], scales: Mapping[str, References]) -> Summary:
    frame = to_frame(rows, find_track(submission.manifest["track"]))
    return summarise(frame, scales, privileged=submission.manifest["privileged"])


def _verdict(
    mismatches: Sequence[Mismatch], claims: Sequence[str], checked: int, episodes: int, sandbox: str
) -> tuple[str, str]:
    if sandbox.startswith(_TAMPERED):
        return MISMATCH, "the agent changed the installed package"
    if mismatches:
        wrong = len({mismatch.key for mismatch in mismatches})
        return MISMATCH, f"{wrong} episodes differ, {checked} of {episodes} were played again; first {mismatches[0]}"
    if claims:
        return MISMATCH, f"{len(claims)} figures do not follow from the episodes; first {claims[0]}"
    return VERIFIED, f"{checked} of {episodes} episodes were played again and are equal"


def _with_hidden(found: Verification, again: _Again, secret: bytes, on_episode: OnEpisode) -> Verification:
    reported = to_frame(list(again.submission.rows.values()), find_track(again.submission.manifest["track"]))
    hidden = on_hidden_seeds(secret, stages_again(again.submission), again.process, reported, again.scales, on_episode)
    return dataclasses.replace(found, hidden=hidden, reason=_one_line(f"{found.reason}; {hidden.words()}"))


def _tell_ledger(submission: Submission, found: Verification) -> None:
    place = place_of(submission.folder)
    if place is None:
        return
    with writing(place.boards) as book:
        if digests_of(submission.folder) != submission.digests:
            raise EdgeBenchError(
                "the entry was changed while it was verified", where=str(submission.folder), mend="verify it again"
            )
        checked = f"{found.checked}/{found.episodes}"
        book.add(submission.folder, found.status, found.reason, checked, date=found.date)


def _one_line(text: str) -> str:
    line = visible(" ".join(text.split()))
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def as_record(found: Verification) -> dict[str, Any]:
    """All of it as plain values for JSON."""
    plain = {
        name: getattr(found, name) for name in ("status", "reason", "date", "checked", "episodes", "whole", "sandbox")
    }
    figures = {name: getattr(found, name) for name in ("stated", "reported", "measured")}
    return {
        **plain,
        "mismatches": [
            {**dataclasses.asdict(one.key), "row": one.row, "column": one.column, "reported": one.reported,
             "measured": one.measured}
            for one in found.mismatches
        ],
        "claims": list(found.claims),
        **{name: None if summary is None else summary.as_json() for name, summary in figures.items()},
        "hidden": None if found.hidden is None else found.hidden.as_json(),
    }  # fmt: skip
